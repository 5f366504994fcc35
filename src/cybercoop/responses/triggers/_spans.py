"""Spans of time and hours of the day as rules write them; the clock on the wall is Germany's."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from cybercoop.errors import Refused
from cybercoop.stix.times import WALL

LONGEST = 366 * 86_400_000_000

_SPAN = re.compile(r"([1-9][0-9]{0,4})(m|h|d)").fullmatch
_MICROS = {"m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_HOUR = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])").fullmatch
_DAY = timedelta(days=1)


def span(text: str, field: str) -> int:
    """Return the microseconds of ``30m``, ``24h`` or ``7d``; raise Refused for anything else."""
    found = _SPAN(text)
    micros = int(found[1]) * _MICROS[found[2]] if found else 0
    if not 0 < micros <= LONGEST:
        raise Refused("Write a span as 30m, 24h or 7d, a year at most.", field)
    return micros


def hour(text: str, field: str) -> time:
    """Return the time of day that ``08:30`` stands for; raise Refused for anything else."""
    found = _HOUR(text)
    if found is None:
        raise Refused("Write a time of day as 08:30.", field)
    return time(int(found[1]), int(found[2]))


def day_of(micros: int) -> date:
    """Return the day on the wall."""
    return datetime.fromtimestamp(micros / 1e6, WALL).date()


def moment(day: date, at: time) -> int:
    """Return when a time of day comes, in microseconds since 1970.

    An hour that the clocks leave out is the one behind it; of one that comes twice it is the first.
    """
    return round(datetime.combine(day, at, WALL).timestamp()) * 1_000_000


def days(since: int, until: int) -> Iterator[date]:
    """Yield the days on the wall from one moment to another."""
    day, last = day_of(since), day_of(until)
    while day <= last:
        yield day
        day += _DAY


def quiet_until(begins: time, ends: time, now: int) -> int | None:
    """Return when the quiet hours end that ``now`` lies in; nothing where it lies in none."""
    today = day_of(now)
    for day in (today - _DAY, today):
        end = moment(day if begins < ends else day + _DAY, ends)
        if moment(day, begins) <= now < end:
            return end
    return None
