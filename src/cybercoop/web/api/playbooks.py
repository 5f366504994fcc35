"""Playbooks: imported by the center, listed and shown to whoever their marking lets."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from pydantic import Field

from cybercoop.door import RESPONSES, SETTINGS
from cybercoop.errors import NotFound
from cybercoop.members.tokens import Scope
from cybercoop.playbooks import documents
from cybercoop.playbooks.duties import Deadline
from cybercoop.playbooks.findings import Finding
from cybercoop.playbooks.steps import Action, AnyStep, Playbook
from cybercoop.playbooks.variables import Value, Variable
from cybercoop.responses import importing
from cybercoop.sharing import keys_of, locks
from cybercoop.store import playbooks
from cybercoop.store.database import Connection
from cybercoop.store.playbooks import Kept
from cybercoop.web.api._common import moment
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing


class VersionAsked(Asked):
    """Name a version; without one the newest."""

    version: Annotated[str, Field(max_length=40, description="its ``modified``")] = ""


class ShownFinding(msgspec.Struct, frozen=True):
    """Show what a check found; all but a ``warning`` keeps a playbook out."""

    rule: str
    grade: str
    step: str
    field: str
    english: str
    german: str


class ShownPlaybook(msgspec.Struct, frozen=True):
    """Show a version of a playbook in a list."""

    id: str
    version: str | None
    name: str
    digest: str
    lock: str
    revoked: bool
    signed_by: list[str]
    imported: str | None


class ImportedPlaybook(msgspec.Struct, frozen=True):
    """Say what became of a document: the version that is kept, or what keeps it out."""

    taken: bool
    new: bool
    playbook: ShownPlaybook | None
    findings: list[ShownFinding]


class ShownPlaybooks(msgspec.Struct, frozen=True):
    """Show a page of playbooks, each in its newest version."""

    playbooks: list[ShownPlaybook]
    next: str | None


class ShownVariable(msgspec.Struct, frozen=True):
    """Show a variable; an ``external`` one without a value has to be given."""

    name: str
    kind: str
    description: str
    value: Value | None
    external: bool
    constant: bool


class ShownStep(msgspec.Struct, frozen=True):
    """Show a step; ``within`` is a time span (ISO 8601) from ``since``."""

    id: str
    kind: str
    title: str
    role: str
    within: str | None
    since: str | None
    commands: list[str]
    approvals: int
    has_way_back: bool


class WholePlaybook(msgspec.Struct, frozen=True):
    """Show what a playbook does."""

    id: str
    shown: ShownPlaybook
    description: str
    labels: Sequence[str]
    valid_from: str | None
    valid_until: str | None
    variables: list[ShownVariable]
    steps: list[ShownStep]


class PlaybookDocument(msgspec.Struct, frozen=True):
    """Return the exact bytes of a version, in base64."""

    id: str
    version: str | None
    digest: str
    content: bytes


def shown_finding(one: Finding) -> ShownFinding:
    """Return what is shown of a finding."""
    return ShownFinding(one.rule, one.grade, one.step, one.field, one.english, one.german)


def shown_playbook(one: Kept) -> ShownPlaybook:
    """Return what is shown of a version in a list."""
    return ShownPlaybook(
        one.id,
        moment(one.modified),
        one.name,
        one.digest,
        one.lock,
        one.revoked,
        one.signed_by,
        moment(one.imported_at),
    )


def within(deadline: Deadline | None) -> str | None:
    """Return a deadline as the standard writes time spans."""
    if deadline is None:
        return None
    return f"P{deadline.months}M" if deadline.months else f"PT{deadline.minutes}M"


def shown_step(one: AnyStep) -> ShownStep:
    """Return what is shown of a step."""
    deadline = one.duty.deadline
    return ShownStep(
        one.id,
        str(type(one).__struct_config__.tag),
        one.duty.title or one.name,
        one.duty.role,
        within(deadline),
        None if deadline is None else deadline.since,
        [command.kind for command in one.commands] if isinstance(one, Action) else [],
        one.duty.approvals,
        bool(one.duty.revert),
    )


def _variable(one: Variable) -> ShownVariable:
    return ShownVariable(
        one.name, one.kind, one.description, one.value, one.is_external, one.is_constant
    )


def _whole(kept: Kept, book: Playbook) -> WholePlaybook:
    return WholePlaybook(
        kept.id,
        shown_playbook(kept),
        book.description,
        book.labels,
        moment(book.valid_from),
        moment(book.valid_until),
        [_variable(one) for one in book.variables.values()],
        [shown_step(one) for one in book.steps.values()],
    )


def keys_for(call: Call[Any, Any]) -> frozenset[str] | None:
    """Return the locks of playbooks that the asker can open; the center opens all."""
    return None if call.is_center else keys_of(call.org) | {locks.own(call.org.id)}


async def list_playbooks(call: Call[Paging, None]) -> ShownPlaybooks:
    """Show the playbooks that the asker may see."""
    async with call.database.read() as connection:
        found = await playbooks.newest(connection, keys_for(call))
    shown, following = page(call, found, lambda one: (one.name, one.id))
    return ShownPlaybooks([shown_playbook(one) for one in shown], following)


async def import_playbook(call: Call[Nothing, bytes]) -> ImportedPlaybook:
    """Keep a playbook as it came, or say what is wrong with it."""
    pins = await asyncio.to_thread(importing.pinned, call.app[SETTINGS].playbook_keys)
    async with call.database.write() as connection:
        now = call.around.now()
        found = await importing.take(connection, call.body, call.org.id, pins, now)
        answer = ImportedPlaybook(
            found.kept is not None,
            found.is_new,
            None if found.kept is None else shown_playbook(found.kept),
            [shown_finding(one) for one in found.findings],
        )
        await call.keep(connection, answer)
    return answer


async def show_playbook(call: Call[VersionAsked, None]) -> WholePlaybook:
    """Show what a playbook does."""
    async with call.database.read() as connection:
        kept = await _find(connection, call)
    return _whole(kept, await call.app[RESPONSES].book(kept.id, kept.modified))


async def show_playbook_document(call: Call[VersionAsked, None]) -> PlaybookDocument:
    """Return a playbook as it came."""
    async with call.database.read() as connection:
        kept = await _find(connection, call)
        raw = await playbooks.content(connection, kept.id, kept.modified)
    return PlaybookDocument(kept.id, moment(kept.modified), kept.digest, raw)


async def _find(connection: Connection, call: Call[VersionAsked, Any]) -> Kept:
    """Return the version that was named, else the newest; what is foreign is not there."""
    wanted, keys = call.path["playbook_id"], keys_for(call)
    found: Kept | None
    if call.query.version:
        found = await playbooks.version(connection, wanted, _modified(call.query.version))
    else:
        newest = await playbooks.newest(connection, keys)
        found = next((one for one in newest if one.id == wanted), None)
    if found is None or not (keys is None or found.lock in keys):
        raise NotFound("There is no such playbook.")
    return found


def _modified(version: str) -> int:
    try:
        return documents.moment(version) or 0
    except ValueError:  # no version is called so
        return 0


ENDPOINTS = (
    Endpoint(
        "GET",
        "/playbooks",
        Scope.READ,
        list_playbooks,
        "List the playbooks that you may see, each in its newest version.",
        "Die Playbooks auflisten, die Sie sehen dürfen, je in der neuesten Fassung.",
    ),
    Endpoint(
        "POST",
        "/playbooks",
        Scope.WRITE,
        import_playbook,
        "Import a CACAO 2.0 playbook; its marking decides who sees it.",
        "Ein Playbook (CACAO 2.0) einlesen; seine Kennzeichnung sagt, wer es sieht.",
        also=frozenset({422}),
        for_center=True,
    ),
    Endpoint(
        "GET",
        "/playbooks/{playbook_id}",
        Scope.READ,
        show_playbook,
        "Show a playbook: its variables and steps.",
        "Ein Playbook zeigen: seine Variablen und Schritte.",
    ),
    Endpoint(
        "GET",
        "/playbooks/{playbook_id}/document",
        Scope.READ,
        show_playbook_document,
        "Return the exact bytes of a playbook.",
        "Die genauen Bytes eines Playbooks ausgeben.",
    ),
)
