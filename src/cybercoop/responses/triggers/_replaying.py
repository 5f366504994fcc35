"""Replaying a rule over what is past, and how rules stand now; nothing is touched by either."""

from msgspec import Struct

from cybercoop.responses.rules import Book, Rule
from cybercoop.responses.triggers import Met, Scene, _explaining
from cybercoop.responses.triggers._acting import counties_of
from cybercoop.responses.triggers._deciding import Decision, Memory, decide
from cybercoop.store import firings, playbooks
from cybercoop.store.database import Connection
from cybercoop.store.firings import Firing

_MOST = 2_000
_DAY = 86_400_000_000


class Would(Struct, frozen=True):
    """Hold what a rule would have made of something, and whom it would have asked."""

    at: int
    verdict: str
    subject: str
    lock: str
    counties: tuple[str, ...]
    german: str
    english: str


class State(Struct, frozen=True):
    """Hold how a rule stands; ``problem`` says why nothing would come of it."""

    rule: Rule
    last: Firing | None
    acted: int
    problem: str = ""


async def replay(scene: Scene, rule: Rule, since: int) -> list[Would]:
    """Return what a rule would have made of what happened since, the oldest first.

    Of a release only its newest version is there to be looked at; what had followed a response
    counts like all else, for nobody knows what would have been started.
    """
    kind, memory, found = rule.trigger, Memory(), list[Would]()
    after = since
    while after < scene.now:
        # The clock tells of the last time only, so it is asked for each day.
        until = min(after + _DAY, scene.now) if kind.source == "clock" else scene.now
        asked = {rule.name: rule.when}
        events, far = await kind.happened(scene, asked, after, until, _MOST)
        for met in await kind.met(scene, rule.when, events):
            found.append(_would(scene, rule, met, memory))
        after = max(far, until) if len(events) < _MOST else far
    return found


def _would(scene: Scene, rule: Rule, met: Met, memory: Memory) -> Would:
    event = met.event
    decision = decide(rule, met, memory, event.at)
    chosen, _ = counties_of(rule, event, scene)
    if decision.verdict == "act":
        decision = Decision("proposed" if chosen else "no-county")
    if decision.verdict in firings.ACTED:
        memory.note(event.subject, event.lock, event.at)
    german, english = _explaining.sentences(_explaining.why(rule, met, decision))
    names = tuple(one.name for one in chosen)
    return Would(event.at, decision.verdict, event.subject, event.lock, names, german, english)


async def states(connection: Connection, book: Book, now: int) -> list[State]:
    """Return how every rule stands, by name."""
    found = []
    for name, rule in sorted(book.rules.items()):
        last = await firings.latest(connection, name, None, 1)
        acted = await firings.acted(connection, name, now - rule.most[1])
        kept = await playbooks.usable(connection, rule.playbook, None)
        problem = "" if kept else "Its playbook is not imported, or it is revoked."
        found.append(State(rule, last[0] if last else None, len(acted), problem))
    return found
