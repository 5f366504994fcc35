"""Ask another system: HTTP requests and OpenC2 over HTTP, to targets that the operator lists.

Nothing is pasted: the address and headers stand in the playbook as they are, variables become
typed values of the JSON body. A request carries a key, so that a system which got it before the
center died can tell that it got it again.
"""

import json
from dataclasses import dataclass
from typing import Any

from yarl import URL

from cybercoop.egress.posting import post
from cybercoop.errors import CoopError, Unreachable
from cybercoop.playbooks import templates
from cybercoop.playbooks.steps import Party
from cybercoop.responses import targets
from cybercoop.responses.commands import Doing, Values, name_of
from cybercoop.responses.walking import Failed
from cybercoop.store import effects, members
from cybercoop.store.database import Connection

KINDS = ("http-api", "openc2-http")
IS_EFFECT = True

KEY = "Idempotency-Key"
_OPENC2 = "application/openc2+json;version=1.0"
_KEPT_HEADERS = frozenset({"accept", "content-type"})
_STATUS_TAKEN = 200


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


async def carry_out(doing: Doing) -> Values:
    """Send the request to every target of the step, once each; raise Failed for the first no."""
    if not doing.step.targets:
        raise Failed("The step names no target.")
    if doing.response.exercise:
        return {}
    for name in doing.step.targets:
        await _send(doing, _request(doing, doing.playbook.targets[name]), f"{doing.key} {name}")
    return {}


async def _send(doing: Doing, request: _Request, key: str) -> None:
    house, effect = doing.house, name_of(key)
    async with house.database.read() as connection:
        org = await members.find(connection, doing.run.org_id)
    try:
        known = targets.read(house.settings.targets)
        target = targets.allowed(known, request.url, request.method, {org.id, org.name})
        secret = target.headers()
    except CoopError as error:
        raise Failed(str(error)) from None
    row: dict[str, Any] = {"key": effect, "run_id": doing.run.id, "kind": doing.command.kind}
    row |= {"target": target.origin, "began_at": house.around.now()}

    async def begin(connection: Connection) -> bool:
        return await effects.begin(connection, row)

    if not await house.record.do(begin):
        return
    headers = {**request.headers, **secret, KEY: effect}
    status, reason = _STATUS_TAKEN, None
    try:
        await post(request.url, request.body, headers, target.rules, request.method)
    except Unreachable as error:
        status, reason = error.status, str(error)
    except CoopError as error:
        status, reason = 0, str(error)

    async def end(connection: Connection) -> None:
        await effects.end(connection, effect, house.around.now(), status, reason)

    await house.record.do(end)
    if reason is not None:
        raise Failed(reason)


def _request(doing: Doing, party: Party) -> _Request:
    command = doing.command
    method, _, rest = command.text.strip().partition(" ")
    if command.kind == "openc2-http" and not rest:
        method, rest = "POST", method or "/"
    path = rest.split(" ")[0] or "/"
    base = URL(_base(party))
    headers = {
        name: ", ".join(some)
        for name, some in command.headers.items()
        if name.lower() in _KEPT_HEADERS
    }
    kind = _OPENC2 if command.kind == "openc2-http" else "application/json"
    headers.setdefault("Content-Type", kind)
    url = path if "://" in path else str(base.origin()) + path
    return _Request(method.upper(), url, headers, _body(doing))


def _base(party: Party) -> str:
    """Return the address of a target as a URL."""
    urls = party.addresses.get("url", ())
    if urls:
        return str(urls[0])
    hosts = [
        *party.addresses.get("dname", ()),
        *party.addresses.get("ipv4", ()),
        *(f"[{one}]" for one in party.addresses.get("ipv6", ())),
    ]
    if not hosts:
        raise Failed(f"The target {party.name} has no address.")
    return f"https://{hosts[0]}" + (f":{party.port}" if party.port else "")


def _body(doing: Doing) -> bytes:
    content = doing.command.content
    if not content:
        return b""
    try:
        document = json.loads(content)
    except ValueError:
        return content
    try:
        return json.dumps(templates.filled(document, doing.values), ensure_ascii=False).encode()
    except KeyError as missing:
        raise Failed(f"The variable {missing.args[0]} has no value.") from None
