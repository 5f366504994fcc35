"""Sightings and votes: "seen here", and "harmless for us", about a value or a released id."""

import uuid
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from cybercoop.collect import intake
from cybercoop.collect.checking import Verdict
from cybercoop.collect.indicating import pattern_of
from cybercoop.collect.reading import Value
from cybercoop.collect.recognising import recognised
from cybercoop.errors import Forbidden, NotFound, Refused
from cybercoop.indicators.patterns import canonical
from cybercoop.members.organisations import MEMBERS, Organisation
from cybercoop.sharing import Addressed, keys_of, locks
from cybercoop.stix import times
from cybercoop.store import projection, releases
from cybercoop.store.database import Database
from cybercoop.store.members import Center
from cybercoop.store.paging import Filters

_NAMESPACE = uuid.UUID("3f5d1c0a-1f0e-5a6b-8a53-6f2f6f1f9a10")
_LEVELS = {"group": "amber", "strict": "amber+strict"}
_MOST = 999_999_999


class Opinion(StrEnum):
    """Name what an organisation can say of a value that others listed."""

    SEEN = "seen"
    FALSE_POSITIVE = "false-positive"


@dataclass(frozen=True, slots=True)
class Told:
    """Hold what somebody says of a value, or of a released id: when and how often it was seen."""

    about: str
    opinion: Opinion
    count: int = 1
    first_seen: int | None = None
    last_seen: int | None = None


async def sight(
    database: Database, center: Center, org: Organisation, told: Told, now: int
) -> Verdict:
    """Take a sighting or vote in under the lock of what it is about, and say what became of it.

    The widest release that the organisation reads is meant, so that as many as possible learn
    of it. Raises ``NotFound`` where it reads none, ``Refused`` for what is no value, ``Forbidden``
    where it may read what a group shares but is not in it.
    """
    if not 0 < told.count <= _MOST:
        raise Refused(f"A value is seen 1 to {_MOST} times.", "count")
    stix_id, lock, pattern = await _meant(database, org, told.about)
    addressed = _addressed(lock)
    if (
        addressed.group is not None
        and org.id != center.org_id
        and addressed.group not in org.groups
    ):
        raise Forbidden(
            "You read this through your county, which is in its group; tell your county."
        )
    if told.opinion is Opinion.SEEN:
        said = _sighting(stix_id, org, told, now)
    else:
        said = _vote(pattern, now)
    push = intake.Push(addressed)
    body = msgspec.json.encode({"objects": [said]})
    return (await intake.accept(database, center, org, body, push, now))[0]


async def _meant(database: Database, org: Organisation, about: str) -> tuple[str, str, str]:
    """Return id, lock and pattern of the release that is meant."""
    async with database.read() as connection:
        ids: tuple[str, ...] = (about,)
        if not about.startswith("indicator--"):
            ids = tuple(one.stix_id for one in await projection.heads(connection, [_key(about)]))
        asked = Filters(ids=ids, types=("indicator",))
        columns = ("stix_id", "lock", "bytes")
        rows = (await releases.read(connection, keys_of(org), asked, columns)).rows if ids else ()
    live = [(msgspec.json.decode(raw), lock, stix_id) for *_, stix_id, lock, raw in rows]
    live = [one for one in live if not one[0].get("revoked")]
    if not live:
        raise NotFound("No release that you may read lists this; push it instead.")
    body, lock, stix_id = min(live, key=lambda one: (len(locks.wider(one[1])), one[1]))
    return stix_id, lock, body["pattern"]


def _key(about: str) -> bytes:
    kind, value = recognised(about)
    return canonical(pattern_of(Value("", kind, value))).key


def _addressed(lock: str) -> Addressed:
    if lock == locks.PUBLIC:
        return Addressed("clear")
    if lock == locks.COMMUNITY:
        return Addressed("green")
    kind, _, group = lock.partition(":")
    return Addressed(_LEVELS[kind], None if group == MEMBERS else group)


def _sighting(stix_id: str, org: Organisation, told: Told, now: int) -> dict[str, object]:
    last = told.last_seen or now
    seed = f"{org.id}|{stix_id}|{told.first_seen or last}|{last}"
    moment = times.text(now)
    return {
        "type": "sighting",
        "spec_version": "2.1",
        "id": f"sighting--{uuid.uuid5(_NAMESPACE, seed)}",
        "created": moment,
        "modified": moment,
        "sighting_of_ref": stix_id,
        "first_seen": times.text(told.first_seen or last),
        "last_seen": times.text(last),
        "count": told.count,
    }


def _vote(pattern: str, now: int) -> dict[str, object]:
    """Return an indicator of type ``benign``: a vote against the pattern, and nothing to block."""
    moment = times.text(now)
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid5(_NAMESPACE, pattern)}",
        "created": moment,
        "modified": moment,
        "indicator_types": ["benign"],
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": moment,
    }
