"""Incidents: reported, changed, brought forward, noted upon; their clocks started and ended.

Every deed works for one organisation, inside of a transaction, and leaves a line on the timeline.
A foreign incident is not there: ``NotFound``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cybercoop.errors import Refused, Unauthenticated
from cybercoop.incidents import cases, profiles, taxonomy
from cybercoop.incidents.cases import Entry, Incident, Severity, State
from cybercoop.incidents.clocks import DONE, WAIVED, Clock
from cybercoop.members.organisations import Organisation
from cybercoop.store import incidents, members, tokens
from cybercoop.store.database import Connection
from cybercoop.surroundings import Surroundings

LONGEST_TITLE = 200
LONGEST_TEXT = 20_000
_OUTCOMES = ("", DONE, WAIVED)
_PLAIN = frozenset("\n\t")


@dataclass(frozen=True, slots=True)
class Told:
    """Hold what somebody says of a new incident; times are microseconds since 1970."""

    title: str
    text: str = ""
    category: str = taxonomy.UNDETERMINED[0]
    type: str = taxonomy.UNDETERMINED[1]
    severity: Severity = Severity.MEDIUM
    known_at: int | None = None
    began_at: int | None = None


@dataclass(frozen=True, slots=True)
class Acting:
    """Hold who does something, with the time and chance of it: one person of an organisation."""

    org: Organisation
    who: str
    around: Surroundings

    @property
    def now(self) -> int:
        """Return the time in microseconds since 1970."""
        return self.around.now()


async def acting(
    connection: Connection, org: Organisation, token_id: str, around: Surroundings
) -> Acting:
    """Return who acts with a token: the person that it belongs to, else the token itself."""
    token = await tokens.find(connection, token_id)
    return Acting(org, token.person_id or token.id, around)


def line(text: str, field: str, most: int = LONGEST_TITLE) -> str:
    """Return a text of one line, trimmed; raise ``Refused`` for what is none."""
    found = text.strip()
    if not found or len(found) > most or not found.isprintable():
        raise Refused(f"It is a line of 1 to {most} characters.", field)
    return found


def words(text: str, field: str, most: int = LONGEST_TEXT) -> str:
    """Return a text as it was given, with line ends of one kind; raise ``Refused``."""
    found = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(found) > most:
        raise Refused(f"It has at most {most} characters.", field)
    if any(sign < " " and sign not in _PLAIN for sign in found):
        raise Refused("It holds signs that no text has.", field)
    return found


async def report(connection: Connection, by: Acting, told: Told) -> Incident:
    """Open an incident, start the clocks of the duties that hold for its organisation.

    Raises ``Refused`` for what is no title, category or time.
    """
    await _stay(connection, by)
    now = by.now
    known_at = now if told.known_at is None else told.known_at
    new = _checked(
        Incident(
            by.around.uuid(),
            by.org.id,
            told.title,
            told.text,
            told.category,
            told.type,
            told.severity,
            State.REPORTED,
            known_at,
            told.began_at,
            now,
            now,
        ),
        now,
    )
    await incidents.add(connection, new)
    await note(connection, by, new, "reported", new.severity.value)
    chosen = await incidents.chosen(connection, by.org.id)
    for profile in profiles.applying(by.org.kind.value, chosen):
        await incidents.start(connection, profiles.clocks_of(new.id, profile, new.known_at))
    return new


def _checked(new: Incident, now: int) -> Incident:
    taxonomy.check(new.category, new.type)
    if new.known_at > now:
        raise Refused("Nobody knows of an incident before its time.", "known")
    if new.began_at is not None and new.began_at > new.known_at:
        raise Refused("It began before somebody knew of it.", "began")
    title, text = line(new.title, "title"), words(new.text, "text")
    return replace(new, title=title, text=text)


async def note(
    connection: Connection, by: Acting, incident: Incident, what: str, text: str
) -> Incident:
    """Put a line on the timeline; ``text`` holds nothing that could be erased one day."""
    await incidents.note(connection, incident.id, Entry(by.now, by.who, what, text))
    changed = replace(incident, changed_at=by.now)
    await incidents.save(connection, changed)
    return changed


async def found(connection: Connection, by: Acting, incident_id: str) -> Incident:
    """Return an incident of the organisation that is going to be changed."""
    await _stay(connection, by)
    return await incidents.find(connection, by.org.id, incident_id, changing=True)


async def _stay(connection: Connection, by: Acting) -> None:
    """Let the organisation not leave until commit: nothing comes after the export it leaves with.

    Raises ``Unauthenticated`` where it has left meanwhile.
    """
    if await members.has_left(connection, by.org.id, staying=True):
        raise Unauthenticated("This organisation has left; nothing is taken from it any more.")


async def remark(connection: Connection, by: Acting, incident_id: str, text: str) -> Incident:
    """Put what somebody has to say on the timeline."""
    incident = await found(connection, by, incident_id)
    said = words(text, "text").strip()
    if not said:
        raise Refused("There is nothing in it.", "text")
    return await note(connection, by, incident, "note", said)


async def update(
    connection: Connection, by: Acting, incident_id: str, changes: Mapping[str, Any]
) -> Incident:
    """Change fields of an incident, its state too, and let open clocks follow.

    ``changes`` go by the names of ``Incident``. Raises ``Refused`` for a state that does not
    follow, and for what no incident can have.
    """
    before = await found(connection, by, incident_id)
    said = dict(changes)
    if said.get("category", before.category) != before.category and "type" not in said:
        raise Refused("Another category needs one of its types.", "type")
    after = _checked(replace(before, **said), by.now)
    if after.state is not before.state:
        cases.check_step(before.state, after.state)
    for name in said:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            await note(connection, by, before, "changed", _change(name, old, new))
    if after.known_at != before.known_at:
        await _set_clocks(connection, after)
    changed = replace(after, changed_at=by.now)
    await incidents.save(connection, changed)
    return changed


def _change(name: str, old: object, new: object) -> str:
    """Return what changed; of free text only that it did."""
    if name in {"title", "text", "known_at", "began_at"}:
        return name
    return f"{name}: {old} → {new}"


async def _set_clocks(connection: Connection, incident: Incident) -> None:
    """Let all clocks that have not ended run from what is known now."""
    known = profiles.profiles()
    clocks = await incidents.clocks_of(connection, incident.id)
    for name in dict.fromkeys(one.profile for one in clocks):
        if name not in known:
            continue
        ended = [one for one in clocks if one.profile == name and one.outcome]
        for one in profiles.clocks_of(incident.id, known[name], incident.known_at, ended):
            await incidents.turn(connection, one)


async def start(connection: Connection, by: Acting, incident_id: str, name: str) -> list[Clock]:
    """Start the clocks of a duty for one incident, whatever the organisation begins with."""
    incident = await found(connection, by, incident_id)
    profile = profiles.find(name)
    clocks = await incidents.clocks_of(connection, incident.id)
    if any(one.profile == name for one in clocks):
        raise Refused("The clocks of this duty run already.", "profile")
    new = profiles.clocks_of(incident.id, profile, incident.known_at)
    await incidents.start(connection, new)
    await note(connection, by, incident, "clock", name)
    return new


async def end_clock(
    connection: Connection,
    by: Acting,
    incident_id: str,
    place: tuple[str, str],
    outcome: str,
    at: int | None = None,
    reason: str = "",
) -> Clock:
    """Note that a report was made (``done``), need not be (``waived``), or is open after all.

    ``place`` is profile and stage. Nothing is sent anywhere. What runs from this stage follows.
    Raises ``Refused`` for a time to come, and where it is waived without a reason.
    """
    incident = await found(connection, by, incident_id)
    ended_at = by.now if at is None else at
    said = words(reason, "reason").strip()
    if outcome not in _OUTCOMES:
        raise Refused("It is done, waived, or open again.", "outcome")
    if not incident.known_at <= ended_at <= by.now:
        raise Refused("A report is made after the incident is known, and not to come.", "at")
    if outcome == WAIVED and not said:
        raise Refused("Say why nothing is reported; somebody may ask one day.", "reason")
    clock = await _clock(connection, incident, place)
    changed = replace(clock, outcome=outcome, ended_at=ended_at, ended_by=by.who, reason=said)
    if not outcome:
        changed = replace(clock, outcome="", ended_at=None, ended_by="", reason="")
    await incidents.turn(connection, changed)
    await _set_clocks(connection, incident)
    await note(connection, by, incident, "clock", f"{'/'.join(place)}: {outcome or 'open'}")
    return await _clock(connection, incident, place)


async def _clock(connection: Connection, incident: Incident, place: tuple[str, str]) -> Clock:
    for one in await incidents.clocks_of(connection, incident.id):
        if (one.profile, one.stage) == place:
            return one
    raise Refused("No clock of that profile and stage runs for this incident.", "stage")


async def choose(connection: Connection, by: Acting, name: str, *, applies: bool) -> None:
    """Say whether incidents of the organisation begin with the clocks of a duty."""
    profile = profiles.find(name)
    await incidents.choose(connection, by.org.id, profile.name, applies=applies)
