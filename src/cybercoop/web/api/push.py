"""Pushing with verdicts at once, taking a push back, and what is kept but not released."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from pydantic import BeforeValidator, Field

from cybercoop.collect import intake, undoing
from cybercoop.collect.checking import Verdict
from cybercoop.collect.foretelling import foretold
from cybercoop.collect.guarding import explained
from cybercoop.door import WAKE
from cybercoop.members.tokens import Scope
from cybercoop.sharing import Addressed
from cybercoop.sharing.audience import audience
from cybercoop.store import contributions, guarding, members
from cybercoop.store.database import Connection
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing
from cybercoop.web.rules_now import guard_now

_MOST_LISTED = 10_000


def _lower(said: object) -> object:
    return said.lower() or None if isinstance(said, str) else said


Level = Annotated[
    Literal["clear", "green", "amber", "amber+strict", "red"] | None, BeforeValidator(_lower)
]
Text = Annotated[
    Annotated[str, Field(max_length=200)] | None, BeforeValidator(lambda said: said or None)
]
Uuid = Annotated[
    str | None,
    Field(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
]


class Pushing(Asked):
    """Say how all objects of a push are meant."""

    tlp: Annotated[Level, Field(description="level of objects that carry none")] = None
    group: Annotated[Text, Field(description="group that all of it is meant for")] = None
    named: Annotated[bool, Field(description="be named as contributor")] = False
    with_text: Annotated[bool, Field(description="release reports and notes")] = False
    dry_run: Annotated[bool, Field(description="change nothing; say who would see it")] = False
    push_id: Annotated[
        Uuid, Field(description="name it yourself, so that several requests are one push")
    ] = None


class Pushed(msgspec.Struct, frozen=True):
    """Say what became of every object, and under which id the push can be taken back."""

    verdicts: Sequence[Verdict]
    push_id: str | UnsetType = UNSET
    audience: dict[str, list[str]] | UnsetType = UNSET


class Undone(msgspec.Struct, frozen=True):
    """Say how many object versions were taken back."""

    id: str
    withdrawn: int


class Kept(msgspec.Struct, frozen=True):
    """Say why one object is kept but not released."""

    id: str
    version: str
    lock: str
    reason: str


class Unreleased(msgspec.Struct, frozen=True):
    """List what is kept but not released, newest first."""

    unreleased: list[Kept]


async def push(call: Call[Pushing, bytes]) -> Pushed:
    """Take an envelope or a bundle in."""
    said = call.query
    push_id = None if said.dry_run else said.push_id or call.around.uuid()
    asked = intake.Push(
        Addressed(said.tlp, said.group),
        named=said.named,
        with_text=said.with_text,
        dry_run=said.dry_run,
        push_id=push_id,
    )

    async def record(connection: Connection, verdicts: Sequence[Verdict]) -> None:
        await call.keep(connection, Pushed(verdicts, push_id or UNSET))

    now = call.around.now()
    verdicts = await intake.accept(
        call.database, call.center, call.org, call.body, asked, now, record
    )
    if push_id is None:
        rules = await guard_now(call.app)
        verdicts = await asyncio.to_thread(foretold, call.body, verdicts, rules)
        return Pushed(verdicts, audience=await _audience(call, verdicts))
    call.app[WAKE]()
    return Pushed(verdicts, push_id)


async def _audience(call: Call[Any, Any], verdicts: Sequence[Verdict]) -> dict[str, list[str]]:
    async with call.database.read() as connection:
        everybody = await members.all_organisations(connection)
    return {lock: audience(lock, everybody) for lock in {one.lock for one in verdicts if one.lock}}


async def undo_push(call: Call[Nothing, None]) -> Undone:
    """Take a push back as one."""
    push_id = call.path["push_id"]
    count = await undoing.undo(call.database, call.org, push_id, call.around.now())
    call.app[WAKE]()
    return Undone(push_id, count)


async def list_unreleased(call: Call[Nothing, None]) -> Unreleased:
    """Tell an organisation what of its own is not released, and why."""
    async with call.database.read() as connection:
        rows = await contributions.unreleased(connection, call.org.id, _MOST_LISTED)
        held = await guarding.held_of(connection, call.org.id, _MOST_LISTED)
    found = [(row, row["note"]) for row in rows]
    found += [(row, explained(row["level"], row["rule"])) for row in held]
    return Unreleased(
        [Kept(row["stix_id"], row["version"], row["lock"], reason) for row, reason in found]
    )


ENDPOINTS = (
    Endpoint(
        "POST",
        "/push",
        Scope.WRITE,
        push,
        "Push objects and learn what became of each.",
        "Objekte melden und erfahren, was aus jedem wurde.",
    ),
    Endpoint(
        "DELETE",
        "/pushes/{push_id}",
        Scope.WRITE,
        undo_push,
        "Take a whole push back.",
        "Eine ganze Meldung zurücknehmen.",
    ),
    Endpoint(
        "GET",
        "/unreleased",
        Scope.READ,
        list_unreleased,
        "List what you gave that is kept but not released, with the reason.",
        "Auflisten, was Sie gaben und nicht veröffentlicht ist, mit dem Grund.",
    ),
)
