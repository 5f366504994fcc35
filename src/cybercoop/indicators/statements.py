"""Statements: what stands of the contributions to one key, one per contributor."""

from collections.abc import Iterable
from typing import Any

import msgspec

from cybercoop.stix import times

DAY = 86_400_000_000
LIFETIMES = {
    "ipv4": 30,
    "ipv6": 30,
    "url": 60,
    "domain": 90,
    "email": 90,
    "md5": 365,
    "sha1": 365,
    "sha256": 365,
    "sha512": 365,
}
"""Days for which a value without ``valid_until`` stays on blocklists, by kind."""

OTHER_LIFETIME = 180
"""The same for all other patterns."""


class Statement(msgspec.Struct, frozen=True, gc=False):
    """Hold one standing contribution; ``place`` orders statements of one contributor."""

    org_id: str
    org_name: str
    lock: str
    place: tuple[str, int]
    body: dict[str, Any]
    raw: bytes
    spec_version: str
    named: bool
    with_text: bool
    effective_until: int | None


class Content(msgspec.Struct, frozen=True, gc=False):
    """Hold what a release says; the projector adds id, times, creator and marks.

    ``passing`` names properties whose change alone makes no new version. A content with an
    ``own_id`` keeps that id, and one with ``verbatim`` bytes is served just so. ``kind`` and
    ``value`` stand where a device can block by it, ``warned`` where the guard warns of it.
    """

    body: dict[str, Any]
    passing: frozenset[str] = frozenset()
    own_id: str | None = None
    verbatim: bytes | None = None
    effective_until: int | None = None
    kind: str | None = None
    value: str | None = None
    warned: bool = False


def per_contributor(statements: Iterable[Statement]) -> list[Statement]:
    """Return the newest statement of each contributor, in an order that tells nothing."""
    newest: dict[str, Statement] = {}
    for one in statements:
        held = newest.get(one.org_id)
        if held is None or one.place > held.place:
            newest[one.org_id] = one
    return sorted(newest.values(), key=lambda one: one.place)


def effective_until(body: dict[str, Any], kind: str | None, accepted: int) -> int:
    """Return when a value leaves the blocklists, in microseconds since 1970.

    The source's ``valid_until`` counts; without it a lifetime per kind from acceptance.
    """
    if "valid_until" in body:
        return times.micros(body["valid_until"])
    return accepted + LIFETIMES.get(kind or "", OTHER_LIFETIME) * DAY


def union(bodies: Iterable[dict[str, Any]], name: str) -> list[Any]:
    """Return the sorted values that lists of this name hold in any of the bodies."""
    return sorted({value for body in bodies for value in body.get(name, ())})


def kill_chains(bodies: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the kill chain phases that any of the bodies names, sorted."""
    phases = {
        (phase["kill_chain_name"], phase["phase_name"])
        for body in bodies
        for phase in body.get("kill_chain_phases", ())
    }
    return [{"kill_chain_name": chain, "phase_name": phase} for chain, phase in sorted(phases)]


def named_references(statements: Iterable[Statement]) -> list[dict[str, str]]:
    """Return an external reference for each contributor who chose to be named."""
    return [
        {"source_name": one.org_name, "external_id": one.body["id"]}
        | ({"description": text} if (text := _text(one.body)) else {})
        for one in sorted(statements, key=lambda one: one.org_name)
        if one.named
    ]


def _text(body: dict[str, Any]) -> str:
    return "\n".join(body[name] for name in ("name", "description") if body.get(name))


def filled(body: dict[str, Any]) -> dict[str, Any]:
    """Return the body without empty lists, which STIX forbids (2.1, section 2.9), and None."""
    return {name: value for name, value in body.items() if value is not None and value != []}
