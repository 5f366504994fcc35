"""Webhooks: an organisation says where its programs are told, and how much they may be told."""

from typing import Annotated

import msgspec
from pydantic import Field

from cybercoop.errors import NotFound, Refused
from cybercoop.members.tokens import Scope
from cybercoop.notices import webhooks as deeds
from cybercoop.notices.carrying import Most
from cybercoop.notices.webhooks import Wanted
from cybercoop.store import webhooks
from cybercoop.store.webhooks import Webhook
from cybercoop.web.api._common import moment, whose
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing


class WebhooksAsked(Paging):
    """Say whose webhooks to list; only the center names another organisation."""

    organisation: Annotated[str | None, Field(max_length=200)] = None


class NewWebhook(Asked):
    """Say where to call, and the most confidential that may be told there."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    most: Annotated[Most, Field(description="never more than TLP:AMBER")] = Most.AMBER
    internal: Annotated[
        bool, Field(description="lies in the center's own network; for the center to say")
    ] = False


class ShownWebhook(msgspec.Struct, frozen=True):
    """Show a webhook."""

    id: str
    organisation: str
    url: str
    most: str
    internal: bool
    created: str | None


class ShownWebhooks(msgspec.Struct, frozen=True):
    """Show a page of webhooks, oldest first."""

    webhooks: list[ShownWebhook]
    next: str | None


class MadeWebhook(msgspec.Struct, frozen=True):
    """Show a webhook and the secret that its calls are signed with, which is nowhere else.

    ``Cybercoop-Signature: t=SECONDS,v1=HEX`` is HMAC-SHA256 with the secret over SECONDS, a dot and
    the body. A request that comes again under its idempotency key finds no secret any more.
    """

    id: str
    secret: str | None
    shown: ShownWebhook


class EndedWebhook(msgspec.Struct, frozen=True):
    """Name a webhook that has ended."""

    id: str


def _shown(one: Webhook) -> ShownWebhook:
    made = moment(one.created_at)
    return ShownWebhook(one.id, one.org_id, one.url, one.most, one.internal, made)


async def list_webhooks(call: Call[WebhooksAsked, None]) -> ShownWebhooks:
    """Show the webhooks of an organisation."""
    async with call.database.read() as connection:
        org = await whose(connection, call, call.query.organisation)
        found = await webhooks.all_of(connection, org.id)
    shown, following = page(call, found, lambda one: (one.created_at, one.id))
    return ShownWebhooks([_shown(one) for one in shown], following)


async def create_webhook(call: Call[Nothing, NewWebhook]) -> MadeWebhook:
    """Make a webhook of the asker's own."""
    said = call.body
    if said.internal and not call.is_center:
        raise Refused("Only the center says what lies inside of its network.", "internal")
    wanted = Wanted(call.org.id, said.url, said.most, said.internal)
    async with call.database.write() as connection:
        made, secret = await deeds.create(connection, call.around, wanted)
        answer = MadeWebhook(made.id, secret, _shown(made))
        await call.keep(connection, answer)
    return answer


async def end_webhook(call: Call[Nothing, None]) -> EndedWebhook:
    """End a webhook at once; a foreign one is not there."""
    async with call.database.write() as connection:
        one = await webhooks.find(connection, call.path["webhook_id"])
        if not call.is_center and one.org_id != call.org.id:
            raise NotFound("There is no such webhook.")
        await webhooks.end(connection, one.id, call.around.now())
    return EndedWebhook(one.id)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/webhooks",
        Scope.READ,
        list_webhooks,
        "List your webhooks.",
        "Ihre Webhooks auflisten.",
        also=frozenset({422}),
    ),
    Endpoint(
        "POST",
        "/webhooks",
        Scope.ADMIN,
        create_webhook,
        "Make a webhook; the secret of its signatures is shown this once.",
        "Einen Webhook anlegen; das Geheimnis seiner Signaturen wird nur dieses eine Mal gezeigt.",
        status=201,
        secret="secret",  # noqa: S106 - the name of a field
    ),
    Endpoint(
        "DELETE",
        "/webhooks/{webhook_id}",
        Scope.ADMIN,
        end_webhook,
        "End a webhook at once.",
        "Einen Webhook sofort beenden.",
    ),
)
