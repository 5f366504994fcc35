"""Words for people: what severities, states and lines of a timeline are called."""

from functools import cache
from importlib import resources

import msgspec

from cybercoop.incidents.taxonomy import Language, Words


@cache
def words() -> dict[str, Words]:
    """Return every word by its name."""
    raw = resources.files(__package__).joinpath("words.toml").read_bytes()
    return msgspec.toml.decode(raw, type=dict[str, Words])


def word(name: str, language: Language) -> str:
    """Return a word for people, or the name itself where there is none."""
    found = words().get(name)
    return name if found is None else found.text(language)
