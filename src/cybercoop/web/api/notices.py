"""Notices: what was sent to an organisation's people and programs, what failed, what waits."""

from typing import Annotated

import msgspec
from pydantic import Field

from cybercoop.members.tokens import Scope
from cybercoop.store import notices
from cybercoop.store.notices import Delivery, State
from cybercoop.web.api._common import moment, whose
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Call, Endpoint

_MOST = 10_000


class NoticesAsked(Paging):
    """Say whose notices to list, and in which state; only the center names another organisation."""

    organisation: Annotated[str | None, Field(max_length=200)] = None
    state: State | None = None


class ShownNotice(msgspec.Struct, frozen=True):
    """Show one notice on its way to a person or a webhook, and how far it has come.

    ``gathered`` waits for the mail of the day, ``kept`` is what no way leads out for.
    """

    id: str
    organisation: str
    person: str | None
    webhook: str | None
    urgency: str
    state: str
    tries: int
    told: str | None
    next: str | None
    ended: str | None
    reason: str | None


class ShownNotices(msgspec.Struct, frozen=True):
    """Show a page of notices, newest first."""

    notices: list[ShownNotice]
    next: str | None


def _shown(one: Delivery) -> ShownNotice:
    return ShownNotice(
        one.id,
        one.org_id,
        one.person_id,
        one.webhook_id,
        one.urgency,
        one.state.value,
        one.tries,
        moment(one.at),
        moment(one.next_at),
        moment(one.ended_at),
        one.reason,
    )


async def list_notices(call: Call[NoticesAsked, None]) -> ShownNotices:
    """Show what went to an organisation; nothing of the words."""
    states = () if call.query.state is None else (call.query.state,)
    async with call.database.read() as connection:
        org = await whose(connection, call, call.query.organisation)
        found = await notices.all_of(connection, org.id, states, _MOST)
    shown, following = page(call, found, lambda one: (-one.at, one.id))
    return ShownNotices([_shown(one) for one in shown], following)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/notices",
        Scope.READ,
        list_notices,
        "List what your people and programs were told, what failed and what waits.",
        "Auflisten, was Ihren Leuten und Programmen mitgeteilt wurde, was scheiterte, was wartet.",
        also=frozenset({422}),
    ),
)
