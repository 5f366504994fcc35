"""STIX timestamps: one normal form that sorts as text, whole microseconds, and spans of them.

A timestamp is RFC 3339 in UTC with a capital T and Z (STIX 2.1, section 2.16). Up to nine
digits of a second are kept.
"""

import calendar
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

WALL = ZoneInfo("Europe/Berlin")
"""The clock on the wall of every county."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_WIDTH = 19  # of YYYY-MM-DDTHH:MM:SS
_DIGITS = 9
_LAST_YEAR = 9998
_MICRO = timedelta(microseconds=1)
FIRST = -62_135_596_800 * _SECOND  # 0001-01-01T00:00:00Z
LAST = 253_402_300_800 * _SECOND - 1  # 9999-12-31T23:59:59.999999Z
_LOOSE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:([0-9]{2})(\.[0-9]+)?([Zz]|[+-][0-9:]+)?"
)


def normal(text: str) -> str:
    """Return ``text`` as ``YYYY-MM-DDTHH:MM:SS.fffffffffZ``; text order is time order.

    Raises ValueError with a sentence that says what is wrong.
    """
    head, fraction, _ = _parts(text)
    return f"{head}.{fraction}Z"


def micros(text: str) -> int:
    """Return the microseconds since 1970 of ``text``, cut off, negative before 1970."""
    _, fraction, day = _parts(text)
    seconds = (day.toordinal() - _EPOCH_DAY) * 86_400
    seconds += day.hour * 3_600 + day.minute * 60 + day.second
    return seconds * _SECOND + int(fraction[:6])


def text(micros: int) -> str:
    """Return microseconds since 1970 as a timestamp with six digits of a second."""
    if not FIRST <= micros <= LAST:
        raise ValueError("The time lies outside the years 1 to 9999.")
    seconds, rest = divmod(micros, _SECOND)
    return f"{_second(seconds)}.{rest:06d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    moment = _EPOCH + timedelta(seconds=seconds)
    return moment.replace(tzinfo=None).isoformat()


def day_floor(micros: int) -> int:
    """Return when the UTC day of ``micros`` begins."""
    return max(micros - micros % _DAY, FIRST)


def day_ceil(micros: int) -> int:
    """Return the first beginning of a UTC day that is not before ``micros``.

    There is no day after the year 9999: its last microsecond stands for it.
    """
    return min(micros + -micros % _DAY, LAST)


def later(moment: int, zone: ZoneInfo, *, months: int = 0, days: int = 0, minutes: int = 0) -> int:
    """Return ``moment`` and so much later, in microseconds since 1970.

    Months and days are of the calendar in ``zone`` at the same time of day: a month after
    31 January is the last day of February. A time that a change of clocks leaves out becomes the
    one an hour later, of one that comes twice the first counts. Minutes are minutes that pass.
    """
    begins = _EPOCH + moment * _MICRO
    if months or days:
        there = _months_later(begins.astimezone(zone), months) + timedelta(days=days)
        # fold 0: what comes twice is meant the first time, what is left out moves forward.
        begins = there.replace(fold=0).astimezone(UTC)
    return (begins + timedelta(minutes=minutes) - _EPOCH) // _MICRO


def _months_later(moment: datetime, months: int) -> datetime:
    years, month = divmod(moment.month - 1 + months, 12)
    year = min(moment.year + years, _LAST_YEAR)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _parts(text: str) -> tuple[str, str, datetime]:
    head = text[:_WIDTH]
    try:
        day = datetime.fromisoformat(head)
    except ValueError:
        raise ValueError(_why(text)) from None
    # fromisoformat takes a dozen other spellings; none of them has all five marks in place.
    if head[4::3] != "--T::":
        raise ValueError(_why(text))
    tail = text[_WIDTH:]
    if tail == "Z":
        return head, "000000000", day
    digits = tail[1:-1]
    if tail[0:1] == "." and tail[-1] == "Z" and digits.isdigit() and digits.isascii():
        if len(digits) <= _DIGITS:
            return head, digits.ljust(_DIGITS, "0"), day
        raise ValueError("The timestamp has more than nine digits of a second.")
    raise ValueError(_why(text))


def _why(text: str) -> str:
    loose = _LOOSE.fullmatch(text)
    if loose is None:
        return "The timestamp is not written like 2026-01-31T08:30:00Z."
    second, _, zone = loose.groups()
    if zone != "Z":
        return "The timestamp does not end with Z: only UTC is taken."
    if "T" not in text:
        return "The timestamp needs a capital T between date and time."
    if second == "60":
        return "The timestamp names a leap second, which STIX does not know."
    return "The timestamp names a date or time that does not exist."
