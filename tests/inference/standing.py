"""What stands in the end, told apart from when and in how many steps it came to that."""

import json
from collections.abc import Iterable
from typing import Any

from cybercoop.collect.projector import cycle
from cybercoop.store import projection
from inference import papers
from world import SECOND, World

_LIVE = (
    "SELECT lock, hex(key), stix_id, bytes FROM releases WHERE latest AND NOT revoked "
    "ORDER BY lock, key"
)
_MADE = ("id", "created", "modified", "valid_from")
"""What tells when it was released, and as which generation."""

Standing = list[tuple[str, str, Any]]
"""Lock and key of all that is live, and what it says; each id in that is lock and key again."""


async def settle(center: World) -> None:
    """Run cycles until nothing is left to do; raise ``AssertionError`` where that has no end."""
    for _ in range(12):
        async with center.database.read() as connection:
            if not await projection.anything_to_do(connection, center.clock.now):
                return
        center.clock.forward(SECOND)
        await cycle(center.database, center.center, center.clock.now)
    raise AssertionError("The projector finds no end.")


def standing(center: World) -> Standing:
    """Return what stands now."""
    rows = papers.rows(center.database.url, _LIVE)
    places = {stix_id: f"{lock} {key}" for lock, key, stix_id, _ in rows}

    def said(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: said(one) for name, one in value.items() if name not in _MADE}
        if isinstance(value, list):
            return sorted(map(said, value), key=str)
        return places.get(value, value)

    return [(lock, key, said(json.loads(raw))) for lock, key, _, raw in rows]


def readable(center: World, locks: Iterable[str]) -> str:
    """Return all that is served under some locks, in every version."""
    query = "SELECT bytes FROM releases WHERE lock = ?"
    rows = [row for lock in locks for row in papers.rows(center.database.url, query, lock)]
    return "\n".join(raw.decode() for (raw,) in rows)
