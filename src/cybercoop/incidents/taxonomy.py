"""What kind of incident it is: classes and types of a published taxonomy, as data beside this file.

Reference Security Incident Taxonomy (ENISA, TF-CSIRT), which grew out of that of eCSIRT.net.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from cybercoop.errors import Refused

Language = Literal["de", "en"]
UNDETERMINED = ("other", "undetermined")
"""What an incident is until somebody knows better."""


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold what people read, in both languages."""

    de: str
    en: str

    def text(self, language: Language) -> str:
        """Return the words of one language."""
        return self.de if language == "de" else self.en


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold a class of incidents with its types by name."""

    de: str
    en: str
    types: dict[str, Words]


class Taxonomy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold a published taxonomy: which one, in which version, and its classes by name."""

    name: str
    namespace: str
    version: str
    source: str
    categories: dict[str, Category]


@cache
def taxonomy() -> Taxonomy:
    """Return the taxonomy that incidents are classed by."""
    raw = resources.files(__package__).joinpath("taxonomy.toml").read_bytes()
    return msgspec.toml.decode(raw, type=Taxonomy)


def check(category: str, kind: str) -> None:
    """Refuse a class or type that the taxonomy does not have."""
    found = taxonomy().categories.get(category)
    if found is None:
        known = ", ".join(taxonomy().categories)
        raise Refused(f"There is no such category; there are {known}.", "category")
    if kind not in found.types:
        raise Refused(f"{category} has the types {', '.join(found.types)}.", "type")


def title(category: str, kind: str, language: Language) -> str:
    """Return class and type as people read them."""
    found = taxonomy().categories[category]
    head = found.de if language == "de" else found.en
    return f"{head}: {found.types[kind].text(language)}"


def tag(category: str, kind: str) -> str:
    """Return class and type as a machine tag (``namespace:predicate="value"``)."""
    return f'{taxonomy().namespace}:{category}="{kind}"'


def types() -> Mapping[str, tuple[str, ...]]:
    """Return the names of the types of every class."""
    return {name: tuple(one.types) for name, one in taxonomy().categories.items()}
