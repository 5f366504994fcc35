"""Pasting: what was recognised is looked at value by value, pushed under one id, and undone."""

import asyncio
import base64
import binascii
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiohttp import web

from cybercoop.collect import intake, reading
from cybercoop.collect.checking import ACCEPTED, Verdict
from cybercoop.collect.indicating import envelopes
from cybercoop.collect.reading import Bad, Found, Passed, Pattern, Reader, Value, Whole
from cybercoop.collect.undoing import undo as take_back
from cybercoop.door import SURROUNDINGS, WAKE
from cybercoop.errors import Malformed, NotFound
from cybercoop.members.organisations import MEMBERS, Organisation
from cybercoop.sharing import Addressed, locks
from cybercoop.sharing.audience import audience
from cybercoop.stix import outline
from cybercoop.store import members
from cybercoop.web.pages.visits import Visit

MOST_BYTES = 2 * 1024 * 1024
MOST_VALUES = 1000
_MOST_REFUSED = 200
_PUSH_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Content:
    """Hold what somebody pasted or chose, and what a reader found in it."""

    name: str
    raw: bytes
    reader: Reader
    values: Sequence[Value | Pattern | Whole]
    refused: Sequence[Bad]
    more_refused: int
    passed: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Hold one way to share: a level, perhaps a group, and who would see it by name."""

    name: str
    level: str
    group: str
    title: str
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Told:
    """Hold what became of one value."""

    where: str
    value: str
    outcome: str
    reason: str


async def form(visit: Visit) -> web.StreamResponse:
    """Show the form that takes text or a file."""
    return _form(visit)


def _form(visit: Visit, status: int = 200, reason: str = "", pasted: str = "") -> web.Response:
    return visit.page("push.html", status, reason=reason, pasted=pasted)


async def preview(visit: Visit) -> web.StreamResponse:
    """Show what was recognised, each value with a box, and who would see it."""
    said = visit.form
    pasted = said.text("text")
    name = said.name[:_LONGEST_NAME] if said.content else "text"
    raw = said.content or pasted.encode()
    try:
        content = await asyncio.to_thread(_content, name, raw)
    except Malformed as error:
        return _form(visit, 422, visit.why(str(error)), pasted)
    if content is None:
        return _form(visit, 422, visit.text("push.too_much", most=MOST_VALUES), pasted)
    return await _previewed(visit, content)


def _content(name: str, raw: bytes) -> Content | None:
    """Return what a reader finds; None for more than a page can show, ``Malformed`` for nothing."""
    if len(raw) > MOST_BYTES:
        return None
    if not raw.strip():
        raise Malformed("There is nothing in it.")
    given = reading.opened(name, raw)
    reader = reading.choose(given.name, given.head)
    values: list[Value | Pattern | Whole] = []
    refused: list[Bad] = []
    more = passed = 0
    for one in _once(reading.read(name, raw, None, reader)):
        if isinstance(one, Bad):
            more += len(refused) >= _MOST_REFUSED
            refused += [one] if len(refused) < _MOST_REFUSED else []
        elif isinstance(one, Passed):
            passed += 1
        elif len(values) >= MOST_VALUES:
            return None
        else:
            values.append(one)
    return Content(name, raw, reader, values, refused, more, passed)


def _once(found: Iterator[Found]) -> Iterator[Found]:
    seen = set()
    for one in found:
        if isinstance(one, Value | Pattern):
            what = (shown(one), one.tlp)
            if what in seen:
                continue
            seen.add(what)
        yield one


def shown(one: Value | Pattern | Whole) -> str:
    """Return what a person takes something found for."""
    if isinstance(one, Value):
        return one.value
    if isinstance(one, Pattern):
        return one.pattern
    said = outline.texts(one.raw, "name", "pattern", "value", "id")
    return next((said[name] for name in ("pattern", "value", "name", "id") if name in said), "")


def kind(one: Value | Pattern | Whole) -> str:
    """Return the kind of something found, as the texts of the pages know it."""
    if isinstance(one, Value):
        return one.kind
    if isinstance(one, Pattern):
        return one.pattern_type
    return outline.texts(one.raw, "type").get("type", "object")


async def _previewed(visit: Visit, content: Content, reason: str = "") -> web.StreamResponse:
    return visit.page(
        "preview.html",
        422 if reason else 200,
        reason=reason,
        content=content,
        kind=kind,
        shown=shown,
        choices=await _choices(visit),
        raw=base64.b64encode(content.raw).decode(),
        push_id=visit.form.text("push_id") or visit.request.app[SURROUNDINGS].uuid(),
        moment_given=visit.form.text("moment") or str(visit.now),
    )


async def _choices(visit: Visit) -> list[Choice]:
    """Return every way in which the organisation can share, narrowest first."""
    async with visit.database.read() as connection:
        everybody = await members.all_organisations(connection)
        titles = {group.id: group.title for group in await members.all_groups(connection)}
    names = [name for name in sorted(visit.org.groups) if name != MEMBERS and name in titles]
    ways: list[tuple[str, str, str]] = []
    for name in (*names, MEMBERS):
        ways.append(("amber+strict", name, locks.strict(name)))
        ways.append(("amber", name, locks.group(name)))
    ways += [("green", "", locks.COMMUNITY), ("clear", "", locks.PUBLIC)]
    return [
        Choice(
            f"{level} {name}".strip(),
            level,
            name,
            "" if name == MEMBERS else titles.get(name, ""),
            _others(lock, everybody, visit.org),
        )
        for level, name, lock in ways
    ]


def _others(lock: str, everybody: Sequence[Organisation], own: Organisation) -> list[str]:
    return [name for name in audience(lock, everybody) if name != own.name]


async def send(visit: Visit) -> web.StreamResponse:
    """Push the values that were ticked and show what became of each."""
    content = await _same(visit)
    picked = {
        int(number) for number in visit.form.all("take") if re.fullmatch("[0-9]{1,6}", number)
    }
    values = [one for number, one in enumerate(content.values) if number in picked]
    share = visit.form.text("share")
    choice = next((one for one in await _choices(visit) if one.name == share), None)
    if not values:
        return await _previewed(visit, content, visit.text("push.none_taken"))
    if choice is None:
        return await _previewed(visit, content, visit.text("push.no_choice"))
    push_id = visit.form.text("push_id")
    told = await _push(visit, values, choice, push_id)
    visit.request.app[WAKE]()
    undoable = any(one.outcome == ACCEPTED for one in told)
    return visit.page("pushed.html", told=told, push_id=push_id if undoable else "")


async def _same(visit: Visit) -> Content:
    """Return what was previewed, read again: no state stays here between two pages."""
    try:
        raw = base64.b64decode(visit.form.text("raw"), validate=True)
        name = visit.form.text("name")[:_LONGEST_NAME]
        content = await asyncio.to_thread(_content, name, raw)
    except binascii.Error as error:
        raise Malformed("The form does not hold what was previewed.") from error
    if content is None or not _PUSH_ID(visit.form.text("push_id")):
        raise Malformed("The form does not hold what was previewed.")
    return content


async def _push(
    visit: Visit, values: Sequence[Value | Pattern | Whole], choice: Choice, push_id: str
) -> list[Told]:
    addressed = Addressed(choice.level, None if choice.group in {"", MEMBERS} else choice.group)
    push = intake.Push(addressed, named=visit.form.text("named") == "1", push_id=push_id)
    waiting: deque[Value | Pattern | Whole] = deque()
    told: list[Told] = []

    def noted() -> Iterator[Found]:
        for one in values:
            waiting.append(one)
            yield one

    def refuse(bad: Bad) -> None:
        waiting.pop()
        told.append(Told(bad.where, bad.text, "refused", bad.reason))

    for batch in envelopes(noted(), _moment(visit), refuse):
        verdicts = await intake.accept(
            visit.database, visit.center, visit.org, batch.body, push, visit.now
        )
        told += [_told(waiting.popleft(), verdict) for verdict in verdicts]
    return told


def _moment(visit: Visit) -> int:
    """Return when the preview was made: who sends it twice gives the same objects again."""
    said = visit.form.text("moment")
    given = int(said) if re.fullmatch("[0-9]{1,16}", said) else visit.now
    return min(given, visit.now)


def _told(one: Value | Pattern | Whole, verdict: Verdict) -> Told:
    return Told(one.where, shown(one), verdict.outcome, verdict.reason)


async def undo(visit: Visit) -> web.StreamResponse:
    """Take a push back as one; a second time nothing is left to take back."""
    try:
        count = await take_back(visit.database, visit.org, visit.form.text("push_id"), visit.now)
    except NotFound:
        count = 0
    visit.request.app[WAKE]()
    return visit.page("undone.html", count=count)
