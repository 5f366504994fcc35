"""The report after a response: what happened when, what was kept and missed, what is left open.

Like the board it is worked out from what its reader may see and from nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from cybercoop.playbooks import templates
from cybercoop.playbooks.progress import OPEN, Response, Run, Task
from cybercoop.responses.board import Sum, sums
from cybercoop.stix.times import WALL
from cybercoop.store.blocks import State
from cybercoop.store.runs import Seen

_LONGEST = 500
_RULE = "rule "
Names = Mapping[str, str]

SENTENCES: Mapping[str, tuple[str, str]] = {
    "proposed": ("{who} hat den Einsatz vorgeschlagen.", "{who} proposed the response."),
    "taken-up": ("{who} hat den Einsatz übernommen. {reason}", "{who} took it up. {reason}"),
    "approved": ("{who} hat zugestimmt. {reason}", "{who} agreed. {reason}"),
    "rejected": ("{who} hat abgelehnt. {reason}", "{who} rejected it. {reason}"),
    "ratified": ("{who} hat den Sofortstart bestätigt.", "{who} ratified the broken glass."),
    "glass-broken": (
        "{who} hat den Einsatz ohne zweite Person sofort beginnen lassen.",
        "{who} broke the glass: it began without a second person.",
    ),
    "began": ("Der Einsatz hat begonnen.", "The response began."),
    "paused": ("{who} hat den Einsatz angehalten.", "{who} paused the response."),
    "resumed": ("{who} hat den Einsatz fortgesetzt.", "{who} resumed the response."),
    "cancelled": ("{who} hat den Einsatz abgebrochen. {reason}", "{who} cancelled it. {reason}"),
    "rolled-back": (
        "{who} hat die Rücknahme angeordnet. {reason}",
        "{who} had it rolled back. {reason}",
    ),
    "rerun": (
        "{who} hat den Ablauf neu beginnen lassen: {counties}.",
        "{who} had it run again: {counties}.",
    ),
    "added": ("{who} hat eingeladen: {counties}.", "{who} invited: {counties}."),
    "asked": ("{who} hat gefragt: {title} ({counties})", "{who} asked: {title} ({counties})"),
    "accepted": ("{org} nimmt teil ({who}).", "{org} takes part ({who})."),
    "declined": ("{org} nimmt nicht teil. {reason}", "{org} declined. {reason}"),
    "claimed": ("{who} hat übernommen: {task}", "{who} took over: {task}"),
    "task-opened": ("Aufgabe für {org}: {title}", "Task for {org}: {title}"),
    "task-done": ("{who} hat erledigt: {task}", "{who} did: {task}"),
    "task-failed": (
        "{who} konnte nicht erledigen: {task}. {reason}",
        "{who} failed: {task}. {reason}",
    ),
    "reminded": ("{org} wurde erinnert: {task}", "{org} was reminded: {task}"),
    "deputy-asked": (
        "Die Vertretung bei {org} wurde gefragt: {task}",
        "A deputy at {org}: {task}",
    ),
    "center-told": ("Frist abgelaufen bei {org}: {task}", "Overdue at {org}: {task}"),
    "step-failed": (
        "Ein Schritt ist bei {org} gescheitert. {reason}",
        "A step failed at {org}. {reason}",
    ),
    "blocked": ("{value} wird bei {org} gesperrt.", "{value} is blocked at {org}."),
    "unblocked": ("{value} ist bei {org} wieder frei.", "{value} is free again at {org}."),
    "block-ended": (
        "Die Sperre von {value} bei {org} ist abgelaufen.",
        "A block at {org} ended: {value}.",
    ),
    "notified": ("Bei {org} wurde benachrichtigt.", "Somebody was told at {org}."),
    "drafted": ("Für {org} liegt ein Meldeentwurf bereit.", "A draft of a report waits for {org}."),
    "run-done": ("{org} ist fertig.", "{org} is done."),
    "run-failed": ("Der Ablauf bei {org} ist gescheitert.", "It failed at {org}."),
    "run-cancelled": ("Der Ablauf bei {org} wurde abgebrochen.", "It was cancelled at {org}."),
    "run-reverted": ("{org} hat alles zurückgenommen.", "{org} took all of it back."),
    "response-done": ("Der Einsatz ist abgeschlossen.", "The response is done."),
    "response-failed": ("Der Einsatz ist gescheitert.", "The response failed."),
    "response-cancelled": ("Der Einsatz ist abgebrochen.", "The response is cancelled."),
    "response-reverted": ("Der Einsatz ist zurückgenommen.", "The response is rolled back."),
}
"""What the log says, in German and English."""


class Entry(Struct, frozen=True):
    """Hold one line of the timeline in words."""

    at: int
    what: str
    german: str
    english: str


class County(Struct, frozen=True, kw_only=True):
    """Hold how a response went for one organisation, with its last attempt."""

    organisation: str
    state: str
    attempts: int
    invited_at: int
    reached_at: int | None
    accepted_at: int | None
    ended_at: int | None
    reason: str | None


class Deadline(Struct, frozen=True, kw_only=True):
    """Hold a deadline; ``kept`` says nothing as long as it runs, or its task was called off."""

    organisation: str
    title: str
    due_at: int
    ended_at: int | None
    kept: bool | None


class Block(Struct, frozen=True, kw_only=True):
    """Hold what was blocked from when until when, and how one knows that it was in force."""

    organisation: str
    value: str
    since: int
    until: int
    reason: str | None
    listed: bool
    fetched: bool
    confirmed: bool


class Point(Struct, frozen=True):
    """Hold what is left to do, or was not done."""

    organisation: str
    title: str
    state: str
    reason: str | None


class Report(Struct, frozen=True, kw_only=True):
    """Hold the whole report; times are microseconds since 1970."""

    response: Response
    made_at: int
    timeline: Sequence[Entry]
    counties: Sequence[County]
    deadlines: Sequence[Deadline]
    sums: Sequence[Sum]
    blocks: Sequence[Block]
    points: Sequence[Point]

    @property
    def kept(self) -> int:
        """Return how many deadlines were kept."""
        return sum(one.kept is True for one in self.deadlines)

    @property
    def missed(self) -> int:
        """Return how many deadlines were missed."""
        return sum(one.kept is False for one in self.deadlines)


def report(
    seen: Seen, blocks: Iterable[State], names: Names, now: int, *, texts: bool = False
) -> Report:
    """Return the report of what a reader sees; ``texts`` as for the board."""
    latest = {run.id for run in seen.runs if run.latest}
    last = [task for task in seen.tasks if task.run_id in latest]
    return Report(
        response=seen.response,
        made_at=now,
        timeline=[entry(one, names) for one in seen.log],
        counties=_counties(seen.runs, names),
        deadlines=[_deadline(one, names, now) for one in seen.tasks if one.due_at is not None],
        sums=sums(last, texts=texts),
        blocks=blocks_in_words(blocks, names),
        points=[_point(one, names) for one in last if one.state in {*OPEN, "failed"}],
    )


def entry(row: Mapping[str, Any], names: Names) -> Entry:
    """Return a line of the log in words; what has none is told by its name."""
    german, english = SENTENCES.get(row["what"], (row["what"], row["what"]))
    return Entry(
        row["at"],
        row["what"],
        _filled(german, row, names, 0),
        _filled(english, row, names, 1),
    )


def _filled(sentence: str, row: Mapping[str, Any], names: Names, language: int) -> str:
    said: dict[str, str] = defaultdict(str)
    for name, value in row["said"].items():
        some = value if isinstance(value, list) else [value]
        said[name] = ", ".join(_line(names.get(str(one), str(one))) for one in some)
    said["who"] = who(row["who"], names)[language]
    said["org"] = names.get(row["org_id"] or "", "")
    return sentence.format_map(said).strip()[:_LONGEST]


def _line(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)


def who(one: str, names: Names) -> tuple[str, str]:
    """Return the name of who did something, in German and English."""
    if one.startswith(_RULE):
        name = _line(one.removeprefix(_RULE))
        return f"Die Regel {name}", f"The rule {name}"
    # Whom the reader does not know by name acted for the center.
    return (names[one], names[one]) if one in names else ("Das Zentrum", "The center")


def _counties(runs: Iterable[Run], names: Names) -> list[County]:
    last = [one for one in runs if one.latest]
    return [
        County(
            organisation=names.get(one.org_id, one.org_id),
            state=one.state,
            attempts=one.attempt,
            invited_at=one.invited_at,
            reached_at=one.reached_at,
            accepted_at=one.accepted_at,
            ended_at=one.ended_at,
            reason=one.reason,
        )
        for one in sorted(last, key=lambda run: names.get(run.org_id, ""))
    ]


def _deadline(task: Task, names: Names, now: int) -> Deadline:
    due = task.due_at or 0
    kept: bool | None = None
    if task.state == "done":
        kept = (task.ended_at or now) <= due
    elif task.state != "cancelled" and now > due:
        kept = False
    return Deadline(
        organisation=names.get(task.org_id, task.org_id),
        title=task.title,
        due_at=due,
        ended_at=task.ended_at,
        kept=kept,
    )


def blocks_in_words(blocks: Iterable[State], names: Names) -> list[Block]:
    """Return what was blocked, from when until when, with names and harmless to read."""
    some = list(blocks)
    harmless = {value: templates.shown(value) for value in {one.block.value for one in some}}
    return [_block(one, harmless[one.block.value], names) for one in some]


def _block(one: State, value: str, names: Names) -> Block:
    row = one.block
    return Block(
        organisation=names.get(row.org_id, row.org_id),
        value=value,
        since=row.since,
        until=min(row.until, row.ended_at or row.until),
        reason=row.reason,
        listed=one.listed,
        fetched=one.fetched,
        confirmed=one.confirmed,
    )


def _point(task: Task, names: Names) -> Point:
    return Point(names.get(task.org_id, task.org_id), task.title, task.state, task.reason)


def local(moment: int | None) -> str:
    """Return a time as a German clock on the wall shows it, with the zone's name."""
    if moment is None:
        return ""
    return datetime.fromtimestamp(moment // 1_000_000, WALL).strftime("%d.%m.%Y %H:%M %Z")
