"""Block a value at a county: onto its response feed, until it ends, after guard and exceptions."""

from typing import Any

from cybercoop.collect import guarding
from cybercoop.collect.recognising import recognised
from cybercoop.errors import Refused
from cybercoop.guard import Level, as_others_see
from cybercoop.playbooks import templates, variables
from cybercoop.playbooks.duties import LONGEST_BLOCK_HOURS
from cybercoop.responses.carrying import Stopped, is_stopped
from cybercoop.responses.commands import Doing, Values
from cybercoop.responses.walking import Failed
from cybercoop.store import blocks, responses
from cybercoop.store.database import Connection

KINDS = ("block",)
IS_EFFECT = True

_MOST = 1_000
"""Blocks of one county in force at once; more of them are no response but a mistake."""


async def carry_out(doing: Doing) -> Values:
    """Put the value onto the county's response feed; the same place of a run does it once."""
    kind, value = value_of(doing)
    house, now = doing.house, doing.house.around.now()
    row = _row(doing, kind, value, now)

    async def put(connection: Connection) -> str:
        await _require_going(connection, doing, now)
        guard = await guarding.current(connection, house.center.org_id, now, house.keeper.guard)
        house.keeper.guard = guard
        said = guard.of_values([(kind, value)])
        if said.level > Level.WARN:
            seen = as_others_see(said)
            return f"{seen.reason_de} / {seen.reason_en}"
        if await blocks.in_force_count(connection, doing.run.org_id, now) >= _MOST:
            return f"More than {_MOST} values would be blocked at once."
        if not doing.response.exercise:
            await blocks.add(connection, row)
        await responses.note(
            connection,
            doing.response.id,
            now,
            "engine",
            "blocked",
            doing.run.org_id,
            value=templates.shown(value),
            until=row["until"],
        )
        return ""

    if reason := await house.record.do(put):
        raise Failed(f"{templates.shown(value)} is not blocked: {reason}")
    return {}


def _row(doing: Doing, kind: str, value: str, now: int) -> dict[str, Any]:
    return {
        "id": doing.key,
        "response_id": doing.response.id,
        "run_id": doing.run.id,
        "org_id": doing.run.org_id,
        "place": doing.place,
        "kind": kind,
        "value": value,
        "since": now,
        "until": now + hours_of(doing) * 3_600_000_000,
    }


async def _require_going(connection: Connection, doing: Doing, now: int) -> None:
    """Raise Stopped where the county has declined, or all is taken back, since it was looked at.

    Both end blocks: holding these, one comes before them or sees what they did.
    """
    await blocks.hold(connection, now)
    run = await responses.run(connection, doing.run.id)
    if is_stopped(run, await responses.response(connection, run.response_id), doing.place):
        raise Stopped


def value_of(doing: Doing) -> tuple[str, str]:
    """Return kind and normal form of the value that a command is about; raise Failed."""
    name = templates.whole(str(doing.step.duty.arguments["value"])) or ""
    if name not in doing.values:
        raise Failed(f"The variable {name} has no value.")
    try:
        return recognised(variables.text(doing.values[name]))
    except Refused as refused:
        raise Failed(f"{name}: {refused.reason}") from None


def hours_of(doing: Doing) -> int:
    """Return for how long a block is meant; raise Failed where the variable does not say."""
    given = doing.step.duty.arguments["hours"]
    name = templates.whole(str(given))
    found = doing.values.get(name) if name else given
    if not isinstance(found, int) or not 1 <= found <= LONGEST_BLOCK_HOURS:
        raise Failed(f"A block lasts from one to {LONGEST_BLOCK_HOURS} hours.")
    return found
