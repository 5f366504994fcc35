"""The canary: a lock whose blocklists change implausibly stands still until somebody confirms.

A source that answers with an empty list, or a contributor that takes everything back by
mistake, would open every firewall at once; one far too wide network would close it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from cybercoop.collect.writing import Change
from cybercoop.store import guarding, projection
from cybercoop.store.database import Connection

WINDOW = 3_600_000_000
"""Microseconds within which entries that vanish are counted together."""

FEWEST = 100
"""Entries that have to vanish before their share is looked at; small lists change all at once."""

_WIDEST = {4: 16, 6: 32}
_VANISHED = "{} of {} blocklist entries vanished within an hour."
_WIDE = "The network {} appeared, which covers too many addresses."


@dataclass(frozen=True, slots=True)
class Canary:
    """Watch what one cycle changes on the lists of one lock at time ``now`` (microseconds)."""

    connection: Connection
    now: int

    async def stops(self, lock: str, changes: Iterable[Change]) -> bool:
        """Say whether ``changes`` must not be written, and remember why."""
        changes = list(changes)
        said = await self._wide(changes) or await self._vanishing(lock, changes)
        if said is None:
            return False
        before = await guarding.canary(self.connection, lock)
        if before is not None and self._is_confirmed(before["confirmed_at"]):
            return False
        row = dict(before or {"since": self.now, "stood": 0, "vanished": 0})
        row.pop("lock", None)
        row |= {"stopped_at": self.now, "reason": said, "confirmed_at": None}
        await guarding.remember_canary(self.connection, lock, row)
        await guarding.changed(self.connection)
        return True

    def _is_confirmed(self, at: int | None) -> bool:
        return at is not None and self.now < at + WINDOW

    async def _wide(self, changes: Iterable[Change]) -> str | None:
        for change in changes:
            content = change.content
            if (
                content is not None
                and content.kind in {"ipv4", "ipv6"}
                and "/" in str(content.value)
            ):
                network = ip_network(str(content.value))
                if network.prefixlen < _WIDEST[network.version]:
                    return _WIDE.format(network)
        return None

    async def _vanishing(self, lock: str, changes: Iterable[Change]) -> str | None:
        gone = sum(one.content is None and one.head is not None for one in changes if _lists(one))
        if not gone:
            return None
        held = await guarding.canary(self.connection, lock)
        row = {name: held[name] for name in _REMEMBERED} if held else {}
        if not row or row["since"] + WINDOW <= self.now:
            stood = await projection.entries(self.connection, lock)
            row |= {"since": self.now, "stood": stood, "vanished": 0}
        row["vanished"] += gone
        await guarding.remember_canary(self.connection, lock, row)
        if row["vanished"] >= FEWEST and row["vanished"] * 2 >= row["stood"]:
            return _VANISHED.format(row["vanished"], row["stood"])
        return None


_REMEMBERED = ("since", "stood", "vanished", "stopped_at", "reason", "confirmed_at", "confirmed_by")


def _lists(change: Change) -> bool:
    return change.head is not None and change.head.kind is not None and not change.head.revoked
