"""Webhooks: made by organisations for their programs, called with a signature, through egress."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, replace
from http import HTTPStatus

from yarl import URL

from cybercoop.egress.posting import post
from cybercoop.egress.rules import Rules, checked
from cybercoop.errors import Forbidden, Refused, Unreachable
from cybercoop.notices.carrying import Most
from cybercoop.notices.mail import NotDelivered
from cybercoop.store import webhooks
from cybercoop.store.database import Connection
from cybercoop.store.webhooks import Webhook
from cybercoop.surroundings import Surroundings

SIGNATURE = "Cybercoop-Signature"
KEY = "Idempotency-Key"

_MARK = "hook_"
_PUBLIC = Rules(ports=frozenset({443, 8443}), seconds=30, silence=30, redirects=0)
_LONGEST_URL = 2000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Hold what somebody wants of a new webhook; ``internal`` is for the center to say."""

    org_id: str
    url: str
    most: Most = Most.AMBER
    internal: bool = False


async def create(
    connection: Connection, around: Surroundings, wanted: Wanted
) -> tuple[Webhook, str]:
    """Make a webhook and return it with the text of its secret, which is shown nowhere else.

    Raises ``Refused`` for an address that may not be called.
    """
    if len(wanted.url) > _LONGEST_URL:
        raise Refused("The address is too long.", "url")
    try:
        checked(wanted.url, rules_for(wanted.url, internal=wanted.internal))
    except Forbidden as error:
        msg = "A webhook is public and begins with https://; the center may declare it internal."
        raise Refused(msg, "url") from error
    secret, now = around.secret(), around.now()
    new = Webhook(around.uuid(), wanted.org_id, wanted.url, wanted.most.value, wanted.internal, now)
    await webhooks.add(connection, new, secret)
    return new, spell(secret)


def spell(secret: bytes) -> str:
    """Return the text of a secret of 32 random bytes; its own bytes are the key of signatures."""
    return _MARK + base64.urlsafe_b64encode(secret).decode().rstrip("=")


def signed(secret: str, body: bytes, seconds: int) -> str:
    """Return the signature of a call: HMAC-SHA256 over the time, a dot and the body.

    Whoever checks it refuses a time that is minutes off: then nobody can call again with what he
    overheard.
    """
    said = b"%d.%s" % (seconds, body)
    mac = hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={mac}"


async def call(hook: Webhook, secret: bytes, key: str, body: bytes, now: int) -> None:
    """Call a webhook; raise ``NotDelivered`` where the call is not taken."""
    headers = {
        "Content-Type": "application/json",
        KEY: key,
        SIGNATURE: signed(spell(secret), body, now // 1_000_000),
    }
    try:
        await post(hook.url, body, headers, rules_for(hook.url, internal=hook.internal))
    except Unreachable as error:
        gone = error.status == HTTPStatus.GONE
        raise NotDelivered(str(error), final=gone, retry_after=error.retry_after) from error
    except (Refused, Forbidden) as error:
        raise NotDelivered(str(error)) from error


def rules_for(url: str, *, internal: bool) -> Rules:
    """Return where a webhook may be called: at public places over TLS, unless it lies inside."""
    if not internal:
        return _PUBLIC
    try:
        here = URL(url)
        host, port = here.raw_host or "", here.port or 0
    except ValueError:
        raise Refused("That is no URL.", "url") from None
    return replace(
        _PUBLIC,
        schemes=frozenset({"http", "https"}),
        ports=frozenset({port}),
        internal=frozenset({host}),
    )
