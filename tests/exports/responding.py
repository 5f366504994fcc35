"""Responses as the tests of lists need them: rows of the store, put there by its own functions."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert

from cybercoop.collect import guarding
from cybercoop.collect.device_feeds import Blocking, blocking
from cybercoop.store import blocks
from cybercoop.store.response_tables import responses, runs
from exports.devices import Devices
from world import SECOND, Seat

HOUR = 3_600_000_000


@dataclass
class Response:
    """One response of the center, with a run for each county that it blocks something at."""

    device: Devices
    id: str
    runs: dict[str, str] = field(default_factory=dict)
    made: int = 0

    async def block(
        self, seat: Seat, kind: str, value: str, hours: int = 24, place: str = ""
    ) -> str:
        """Block a value at a county; return the id of the block."""
        center = self.device.center
        center.clock.forward(SECOND)
        async with center.database.write() as connection:
            if seat.org.id not in self.runs:
                self.runs[seat.org.id] = center.chance.uuid()
                await connection.execute(insert(runs), self._run(seat))
            self.made += 1
            row: dict[str, Any] = {
                "id": center.chance.uuid(),
                "response_id": self.id,
                "run_id": self.runs[seat.org.id],
                "org_id": seat.org.id,
                "place": place or f"place {self.made}",
                "kind": kind,
                "value": value,
                "since": center.clock.now,
                "until": center.clock.now + hours * HOUR,
            }
            await blocks.add(connection, row)
        return str(row["id"])

    def _run(self, seat: Seat) -> dict[str, Any]:
        now = self.device.center.clock.now
        run = {"id": self.runs[seat.org.id], "response_id": self.id, "org_id": seat.org.id}
        run |= {"attempt": 1, "latest": True, "state": "running"}
        return run | {"invited_at": now, "changed_at": now}

    async def end(self, *ids: str) -> None:
        """End some blocks, or all."""
        center = self.device.center
        async with center.database.write() as connection:
            if ids:
                await blocks.end(connection, ids, center.clock.now, "unblocked")
            else:
                await blocks.end_of_response(connection, self.id, center.clock.now, "rolled back")

    async def states(self) -> list[Blocking]:
        """Return what is known of its blocks, oldest first."""
        center = self.device.center
        async with center.database.read() as connection:
            rules = await guarding.load(connection, center.center.org_id, center.clock.now, None)
            return await blocking(connection, rules, self.id, center.clock.now)


async def begun(
    device: Devices, lock: str = "group:members", *, exercise: bool = False
) -> Response:
    """Begin a response."""
    center = device.center
    now, new = center.clock.now, Response(device, center.chance.uuid())
    row = {
        "id": new.id,
        "playbook_id": "playbook--1",
        "playbook_modified": now,
        "title": "Sperrung",
        "lock": lock,
        "state": "running",
        "exercise": exercise,
        "variables": "{}",
        "why": "{}",
        "approvals_needed": 0,
        "approvals_since": now,
        "known_at": now,
        "created_at": now,
        "changed_at": now,
        "turn": 1,
    }
    async with center.database.write() as connection:
        await connection.execute(insert(responses), row)
    return new
