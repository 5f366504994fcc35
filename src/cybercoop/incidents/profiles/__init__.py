"""Duties to report: a file each, found by this folder.

A profile says whom it binds and where a report goes; its stages say until when, and hold a draft in
German. ``within`` is a span (``clocks.span``) from ``since``: knowledge of the incident, or an
earlier stage. Without it the law names no number. With ``fixed = false`` the span is our proposal.
``verified = false`` means that nobody has compared the profile with the law as it stands. Nothing
here is legal advice, and nothing is ever filed by the center.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from cybercoop.errors import Refused
from cybercoop.incidents.clocks import DONE, KNOWLEDGE, Clock, Span, after, span
from cybercoop.incidents.taxonomy import Words

NOTE = Words(
    "Keine Rechtsberatung; ob und wie zu melden ist, entscheidet Ihre Stelle.",
    "No legal advice; whether and how to report is for your office to decide.",
)

Text = Annotated[str, msgspec.Meta(min_length=1)]
Name = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9-]{0,39}\Z")]
Kind = Literal["member", "client", "partner"]


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hold one report that a duty asks for."""

    name: Name
    title: Words
    draft: Text
    within: str = ""
    since: str = KNOWLEDGE
    fixed: bool = True

    @property
    def span(self) -> Span | None:
        """Return how long there is, or None where there is no number."""
        return span(self.within) if self.within else None


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hold one duty to report; ``proposed_for`` are kinds of organisation that begin with it."""

    name: Name
    country: Literal["DE", "AT", "CH"]
    zone: str
    role: Name
    kinds: tuple[Kind, ...]
    proposed_for: tuple[Kind, ...]
    verified: bool
    title: Words
    source: Words
    to: Words
    who: Words
    stages: Annotated[tuple[Stage, ...], msgspec.Meta(min_length=1)]

    def stage(self, name: str) -> Stage:
        """Return one stage; raise ``Refused`` where the duty has none of that name."""
        for one in self.stages:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.stages)
        raise Refused(f"{self.name} has the stages {known}.", "stage")


@cache
def profiles() -> Mapping[str, Profile]:
    """Return every duty by its name."""
    found = {}
    for file in sorted(resources.files(__name__).iterdir(), key=lambda one: one.name):
        if file.name.endswith(".toml"):
            one = msgspec.toml.decode(file.read_bytes(), type=Profile)
            found[one.name] = one
    return MappingProxyType(found)


def find(name: str) -> Profile:
    """Return the duty of that name; raise ``Refused`` where there is none."""
    found = profiles().get(name)
    if found is None:
        raise Refused(f"There is no such profile; there are {', '.join(profiles())}.", "profile")
    return found


def applying(kind: str, chosen: Mapping[str, bool]) -> list[Profile]:
    """Return the duties that incidents of an organisation begin with.

    ``chosen`` says of duties by name whether they hold; of the others those that are proposed
    for the ``kind`` of organisation do.
    """
    return [one for name, one in profiles().items() if chosen.get(name, kind in one.proposed_for)]


def clocks_of(
    incident_id: str, profile: Profile, known_at: int, ended: Iterable[Clock] = ()
) -> list[Clock]:
    """Return the clocks of a duty, at the times that are sure by now; ``ended`` ones stay.

    A stage that runs from an earlier one counts from when that was done, until then from when
    it is due.
    """
    found = {one.stage: one for one in ended}
    for stage in profile.stages:
        if stage.name not in found:
            earlier = found.get(stage.since)
            begins = known_at if earlier is None else _done_at(earlier)
            found[stage.name] = _started(incident_id, profile, stage, begins)
    return [found[stage.name] for stage in profile.stages]


def _done_at(clock: Clock) -> int:
    if clock.outcome == DONE and clock.ended_at is not None:
        return clock.ended_at
    return clock.due_at or clock.since


def _started(incident_id: str, profile: Profile, stage: Stage, since: int) -> Clock:
    length = stage.span
    due = None if length is None else after(since, length, ZoneInfo(profile.zone))
    return Clock(incident_id, profile.name, stage.name, since, due)
