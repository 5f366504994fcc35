"""Previewing: what a source would bring, without a database and without taking anything in."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from cybercoop.collect import definitions, indicating
from cybercoop.collect.checking import Rules, Verdict, check_all
from cybercoop.collect.definitions import Source
from cybercoop.collect.portions import found_in, parts, tallied
from cybercoop.collect.reading import Bad, Tally
from cybercoop.collect.sources import Portion, kinds
from cybercoop.errors import CoopError, Malformed
from cybercoop.stix.slices import cut


@dataclass(slots=True)
class Preview:
    """Hold what readers and the center would say of all that was looked at."""

    portions: int = 0
    values: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    examples: list[Bad] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    failure: str = ""

    def counts(self) -> dict[str, Mapping[str, int]]:
        """Return the counts under the words that people know them by."""
        said: dict[str, Mapping[str, int]] = {"value": self.values}
        if self.duplicates:
            said |= {"duplicate": {"in the same file": self.duplicates}}
        return said | {"passed": self.passed, "refused": self.refused}

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON."""
        return {
            "portions": self.portions,
            "values": dict(self.values),
            "duplicates": self.duplicates,
            "passed": dict(self.passed),
            "refused": dict(self.refused),
            "broken": self.broken,
            "reason": self.failure or None,
        }


async def preview(source: Source, variables: Mapping[str, str], now: int, most: int) -> Preview:
    """Fetch at most ``most`` portions from the beginning and say what is in them."""
    found = Preview()
    try:
        credentials = definitions.credentials_of(source, variables)
        fetching = kinds()[source.kind].fetch(source, {}, definitions.rules_of(source), credentials)
        async with aclosing(fetching) as portions:
            async for portion in portions:
                if portion.trouble:
                    found.broken[portion.name] = portion.trouble
                elif portion.data:
                    await _look(source, portion, now, found)
                if found.portions >= most:
                    break
    except CoopError as error:
        found.failure = str(error)
    return found


async def _look(source: Source, portion: Portion, now: int, found: Preview) -> None:
    found.portions += 1
    try:
        tally = await tallied(source, portion)
    except Malformed as error:
        found.broken[portion.name] = str(error)
        return
    _add(found, tally)
    rules = Rules(now, source.catalogue, with_text=False)

    def refuse(one: Bad) -> None:
        found.refused[one.reason] += 1

    async for part in parts(found_in(source, portion)):
        for batch in indicating.envelopes(part, now, refuse):
            checked = await asyncio.to_thread(check_all, cut(batch.body), rules)
            found.refused.update(one.reason for one in checked if isinstance(one, Verdict))


def _add(found: Preview, tally: Tally) -> None:
    found.values += tally.values
    found.duplicates += tally.duplicates
    found.passed += tally.passed
    found.refused += tally.refused
    found.examples += tally.examples[: 20 - len(found.examples)]
