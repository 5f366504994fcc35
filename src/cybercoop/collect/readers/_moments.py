"""Read the dates, levels of confidence and TLP marks that feeds write in their own ways."""

import re
from datetime import UTC, datetime
from functools import lru_cache

from cybercoop.errors import Refused
from cybercoop.indicators.values import shown
from cybercoop.sharing.marking import LEVELS
from cybercoop.stix import times

_SECOND = 1_000_000
_EPOCH = re.compile(r"[0-9]{9,11}").fullmatch
_GERMAN = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})(.*)").fullmatch
_WORDS = {"low": 15, "niedrig": 15, "medium": 50, "mittel": 50, "high": 85, "hoch": 85}
_MOST = 100


@lru_cache(maxsize=4096)  # a feed names few days, each a thousand times
def moment(text: str) -> int:
    """Return microseconds since 1970 of an ISO or German date, or of seconds since 1970.

    A date without zone is taken for UTC. Raises ``Refused`` for anything else.
    """
    if _EPOCH(text):
        return int(text) * _SECOND
    said = text.removesuffix(" UTC")
    if german := _GERMAN(said):
        day, month, year, rest = german.groups()
        said = f"{year}-{month:0>2}-{day:0>2}{rest}"
    try:
        when = datetime.fromisoformat(said)
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
        return times.micros(when.strftime("%04Y-%m-%dT%H:%M:%S.%fZ"))
    except (ValueError, OverflowError):
        raise Refused(f"{shown(text)} is no date that is known here.", "valid_from") from None


def level_of_confidence(text: str) -> int:
    """Return a confidence from 0 to 100; raise ``Refused`` for what is none."""
    word = text.lower().removesuffix("%").strip()
    if word in _WORDS:
        return _WORDS[word]
    if word.isdecimal() and word.isascii() and len(word) <= 3 and int(word) <= _MOST:  # noqa: PLR2004 - the digits of 100
        return int(word)
    raise Refused(f"{shown(text)} is no confidence from 0 to 100.", "confidence")


def tlp(text: str) -> str:
    """Return one of ``LEVELS``; raise ``Refused``, since an unknown mark may be a strict one."""
    word = text.strip().lower().removeprefix("tlp").lstrip(":- ")
    word = {"white": "clear", "amber-strict": "amber+strict"}.get(word, word)
    if word not in LEVELS:
        raise Refused(f"{shown(text)} is no level of TLP that is known here.", "tlp")
    return word


def strictest(levels: list[str]) -> str | None:
    """Return the narrowest of these levels; none where there is none."""
    return max(levels, key=LEVELS.index, default=None)
