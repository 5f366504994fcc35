"""Reporting clocks: from when a duty runs, when it is due, and when to remind of it.

Hours are hours that pass. Days and months are those of the calendar where the duty holds, at the
same time of day: a month after 31 January is the last day of February. A time that a change of
clocks leaves out becomes the one an hour later; of a time that comes twice the first counts.
Weekends and holidays move nothing, for whoever reports too early has done no harm.
"""

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cybercoop.errors import Refused
from cybercoop.stix import times

KNOWLEDGE = "knowledge"
"""A stage that runs from when the organisation came to know of the incident."""

DONE, WAIVED = "done", "waived"
"""How a clock ends: what it asks for was done, or was found not to hold here."""

SOON = 4
"""The last such part of a span is when people are reminded: a quarter."""

_SPAN = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,2})M)?(?:([0-9]{1,3})D)?(?:T(?=[0-9])(?:([0-9]{1,3})H)?(?:([0-9]{1,4})M)?)?"
)


@dataclass(frozen=True, slots=True)
class Span:
    """Hold a span of time: months and days of the calendar, then minutes that pass."""

    months: int = 0
    days: int = 0
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """Hold one stage of one duty of one incident; times are microseconds since 1970.

    ``since`` is what it runs from, ``due_at`` is None for a duty without a number, and
    ``outcome`` is empty while it is open.
    """

    incident_id: str
    profile: str
    stage: str
    since: int
    due_at: int | None
    outcome: str = ""
    ended_at: int | None = None
    ended_by: str = ""
    reason: str = ""

    def is_overdue(self, now: int) -> bool:
        """Say whether it should have been done."""
        return not self.outcome and self.due_at is not None and self.due_at < now

    def is_soon(self, now: int) -> bool:
        """Say whether people should be reminded; what has no number is due at once."""
        if self.outcome or now < self.since:
            return False
        return self.due_at is None or now >= self.due_at - (self.due_at - self.since) // SOON


def span(text: str) -> Span:
    """Return the span that ``text`` writes (ISO 8601 without years, weeks and seconds)."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise Refused("A span is written like PT72H, P2D or P1M.", "within")
    months, days, hours, minutes = (int(part or 0) for part in match.groups())
    return Span(months, days, hours * 60 + minutes)


def after(moment: int, length: Span, zone: ZoneInfo) -> int:
    """Return when a span that begins at ``moment`` has passed, in microseconds since 1970."""
    return times.later(moment, zone, months=length.months, days=length.days, minutes=length.minutes)
