"""Ways back: which steps of a run are taken back, in which playbook, and with which values.

Also steps of playbooks that the run's playbook called name their way back; it is a branch of the
playbook that they are in, and has the values of that call.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from cybercoop.playbooks import variables
from cybercoop.playbooks.progress import Response, Step
from cybercoop.playbooks.steps import Call, Playbook
from cybercoop.playbooks.variables import Value
from cybercoop.responses import starting
from cybercoop.responses.carrying import WAY_BACK, Carrying
from cybercoop.responses.walking import CALLED, Values
from cybercoop.store.database import Connection


class Scope(Struct, frozen=True):
    """Hold a playbook that a run carried out, and the values that it had in the end."""

    playbook: Playbook
    values: dict[str, Value]

    @property
    def facts(self) -> dict[str, Any]:
        """Return it as a workflow remembers it."""
        book = {"playbook": self.playbook.id, "modified": self.playbook.modified}
        return {**book, "values": self.values}


def around(place: str) -> str:
    """Return the place of the call that a place lies in; nothing for the run's own playbook."""
    return place.rpartition(CALLED)[0]


async def done(
    house: Carrying, connection: Connection, response: Response, steps: Sequence[Step]
) -> dict[str, Any]:
    """Return which steps are to be taken back, the last one first, with what their ways back need.

    That is ``playbook``, ``modified`` and ``values``; ``scopes`` holds them by the place of a call.
    """
    forth = [one for one in steps if WAY_BACK not in one.place]
    scopes = await _scopes(house, connection, response, forth)
    back = [one.place for one in reversed(forth) if _has_way_back(scopes, one)]
    inner = {at: scopes[at].facts for at in map(around, back) if at}
    seq = max((one.seq for one in steps), default=0) + 1
    return {**scopes[""].facts, "seq": seq, "places": back, "scopes": inner}


def _has_way_back(scopes: dict[str, Scope], step: Step) -> bool:
    scope = scopes.get(around(step.place))
    if scope is None or step.kind != "action" or step.state != "done":
        return False
    known = scope.playbook.steps.get(step.step_id)
    return known is not None and bool(known.duty.revert)


async def _scopes(
    house: Carrying, connection: Connection, response: Response, steps: Sequence[Step]
) -> dict[str, Scope]:
    """Return by place what was carried out: the run's own playbook, and each that was called."""
    own = await house.book(response.playbook_id, response.playbook_modified)
    found = {"": Scope(own, dict(response.variables))}
    for step in steps:
        scope = found.get(around(step.place))
        called = scope and scope.playbook.steps.get(step.step_id)
        if scope is None or called is None:
            continue
        if isinstance(called, Call):
            book = await _book(house, connection, response, step, called)
            if book is not None:
                values = {**scope.values, **variables.first(called.variables)}
                found[step.place] = Scope(book, starting.handed_in(book, called, values))
        elif step.kind == "action" and step.state == "done":
            _give(found, step.place, step.results or {})
    return found


async def _book(
    house: Carrying, connection: Connection, response: Response, step: Step, called: Call
) -> Playbook | None:
    """Return the version that was called; what was noted before versions were is looked up anew."""
    _, _, modified = (step.reason or "").partition(" ")
    if modified:
        return await house.book(called.playbook, int(modified))
    kept = await starting.called(connection, called, response.lock)
    return None if kept is None else await house.book(kept.id, kept.modified)


def _give(scopes: dict[str, Scope], place: str, results: Values) -> None:
    """Note what a step gave, there and wherever calls pass it on."""
    given, at = dict(results), around(place)
    scopes[at].values.update(given)
    while at and given:
        outer = around(at)
        call = scopes[outer].playbook.steps[at.rpartition("/")[2]]
        names = call.out_args if isinstance(call, Call) else ()
        given = {name: one for name, one in given.items() if name in names}
        given = {name: one for name, one in given.items() if name not in call.variables}
        scopes[outer].values.update(given)
        at = outer
