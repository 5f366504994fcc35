"""The clock: at a time of day, on some days of the week or one of the month, in Germany."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from cybercoop.responses.triggers import Given, Happened, Met, Scene
from cybercoop.responses.triggers._locks import check_lock
from cybercoop.responses.triggers._spans import days, hour, moment
from cybercoop.sharing import locks
from cybercoop.stix import times

NAME = "schedule"
SOURCE = "clock"
GIVES = frozenset({"day"})
TOUCHES = False

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEK: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOK_BACK = 32 * 86_400_000_000


class When(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Name when it is time; without days and day of the month that is every day."""

    at: str = "08:00"
    days: tuple[Day, ...] = ()
    day_of_month: Annotated[int, Meta(ge=1, le=31)] | None = None
    lock: str = locks.group("members")


def check(when: When) -> None:
    """Raise Refused for what is no time of day and no lock."""
    hour(when.at, "at")
    check_lock(when.lock)


async def happened(
    _: Scene, asked: Mapping[str, When], after: int, until: int, _most: int
) -> tuple[list[tuple[Happened, None]], int]:
    """Return for each rule the last time that has come; what was missed before is not made up."""
    found: list[tuple[Happened, None]] = []
    for name, when in asked.items():
        last = _last(when, max(after, until - _LOOK_BACK), until)
        if last is not None:
            found.append((_event(name, when, *last), None))
    return found, until if found else after


def _last(when: When, after: int, until: int) -> tuple[date, int] | None:
    at, last = hour(when.at, "at"), None
    for day in days(after, until):
        if _is_meant(when, day) and after < (come := moment(day, at)) <= until:
            last = (day, come)
    return last


def _is_meant(when: When, day: date) -> bool:
    if when.days and _WEEK[day.weekday()] not in when.days:
        return False
    return when.day_of_month in {None, day.day}


def _event(name: str, when: When, day: date, at: int) -> Happened:
    return Happened(
        subject=f"schedule:{times.text(at)}",
        lock=when.lock,
        at=at,
        gives={"day": day.isoformat()},
        rule=name,
    )


async def met(_: Scene, _when: When, events: Sequence[tuple[Happened, None]]) -> list[Met]:
    """Return all of it: that it is time is the condition."""
    return [Met(event=event) for event, _ in events]


def said(gives: Mapping[str, Given]) -> tuple[str, str]:
    """Say that it was time."""
    return f"Es war an der Zeit ({gives.get('day')}).", f"It was time ({gives.get('day')})."
