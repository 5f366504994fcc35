"""Reviewing: what the center decides about values that the guard holds, and about canaries."""

from cybercoop.errors import Misused, NotFound
from cybercoop.guard import Level
from cybercoop.store import contributions, guarding, projection
from cybercoop.store.database import Connection, Database

RELEASE, KEEP, UNDO = "release", "keep", "undo"
DECISIONS = (RELEASE, KEEP, UNDO)


async def decide(database: Database, hold_id: str, decision: str, by: str, now: int) -> None:
    """Release a held value, keep it back, or take a decision back.

    ``hold_id`` may also name a lock that its canary stopped: there ``release`` confirms the
    change, and the lock moves on. Raises ``NotFound`` for unknown ids, ``Misused`` for a value
    that no decision may release.
    """
    if decision not in DECISIONS:
        msg = f"A decision is one of {', '.join(DECISIONS)}."
        raise Misused(msg)
    async with database.write() as connection:
        # A cycle writes the same: it would put its own back over what is decided here.
        await contributions.hold_projector(connection)
        if await guarding.canary(connection, hold_id) is not None:
            await _confirm(connection, hold_id, decision, by, now)
        else:
            await _decide(connection, hold_id, decision, by, now)
        await guarding.changed(connection)


async def _decide(connection: Connection, hold_id: str, decision: str, by: str, now: int) -> None:
    held = await guarding.find(connection, hold_id)
    if held is None:
        raise NotFound(f"The guard holds nothing under the id {hold_id}.")
    if decision == RELEASE and held["level"] == Level.NEVER.name.lower():
        msg = f"{held['value']} is never released ({held['rule']}); the rule has to change first."
        raise Misused(msg)
    said = None if decision == UNDO else decision
    await guarding.decide(connection, hold_id, said, by, now)
    await projection.queue(connection, [(held["lock"], held["key"])])


async def _confirm(connection: Connection, lock: str, decision: str, by: str, now: int) -> None:
    if decision != RELEASE:
        return
    stood = await projection.entries(connection, lock)
    await guarding.remember_canary(
        connection,
        lock,
        {
            "since": now,
            "stood": stood,
            "vanished": 0,
            "stopped_at": None,
            "reason": None,
            "confirmed_at": now,
            "confirmed_by": by,
        },
    )
