"""What the guard holds back, which locks stand still, and what the center decides about both."""

from typing import Literal

import msgspec

from cybercoop.collect import reviewing
from cybercoop.door import WAKE
from cybercoop.members.tokens import Scope
from cybercoop.store import guarding
from cybercoop.web.api._common import moment
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing

_MOST = 100_000


class Held(msgspec.Struct, frozen=True):
    """Show one entry of the review queue."""

    id: str
    kind: str
    value: str
    lock: str
    level: str
    rule: str
    held: str | None
    decision: str | None
    by: str | None


class Stopped(msgspec.Struct, frozen=True):
    """Show a lock that its canary stopped; its name is the id to decide on."""

    id: str
    reason: str | None
    stopped: str | None


class Queue(msgspec.Struct, frozen=True):
    """Show a page of the review queue, and every lock that stands still."""

    held: list[Held]
    stopped: list[Stopped]
    next: str | None


class Decision(Asked):
    """Say what becomes of a held value, or of a lock that stands still."""

    decision: Literal["release", "keep", "undo"]


class Decided(msgspec.Struct, frozen=True):
    """Repeat what was decided."""

    id: str
    decision: str


async def list_held(call: Call[Paging, None]) -> Queue:
    """Show what waits for the center, undecided first, newest first."""
    async with call.database.read() as connection:
        rows = await guarding.queue(connection, _MOST)
        canaries = await guarding.all_canaries(connection)
    shown, following = page(
        call, rows, lambda row: (row["decision"] is not None, -row["held_at"], row["id"])
    )
    held = [
        Held(
            row["id"],
            row["kind"],
            row["value"],
            row["lock"],
            row["level"],
            row["rule"],
            moment(row["held_at"]),
            row["decision"],
            row["decided_by"],
        )
        for row in shown
    ]
    stopped = [
        Stopped(row["lock"], row["reason"], moment(row["stopped_at"]))
        for row in canaries
        if row["stopped_at"] is not None
    ]
    return Queue(held, stopped, following)


async def decide(call: Call[Nothing, Decision]) -> Decided:
    """Decide about a held value or a stopped lock."""
    hold_id, by = call.path["hold_id"], call.org.name
    await reviewing.decide(call.database, hold_id, call.body.decision, by, call.around.now())
    call.app[WAKE]()
    return Decided(hold_id, call.body.decision)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/guard",
        Scope.ADMIN,
        list_held,
        "List what the guard holds, and which locks stand still.",
        "Auflisten, was die Schutzliste zurückhält und welche Freigaben stillstehen.",
        for_center=True,
    ),
    Endpoint(
        "POST",
        "/guard/{hold_id}/decision",
        Scope.ADMIN,
        decide,
        "Release a held value, keep it back, or undo a decision.",
        "Einen zurückgehaltenen Wert freigeben, behalten oder die Entscheidung zurücknehmen.",
        for_center=True,
    ),
)
