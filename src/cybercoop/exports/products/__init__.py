"""How each device is set up: one TOML file per product, found by this folder.

Steps say ``{url}`` (of the list; for TAXII the API root), ``{user}``, ``{token}`` and ``{feed}``
(the list's ``zone``; for TAXII the id of the collection). ``verified = false`` means that
nobody has compared the names of the menus with the maker's documentation.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec

Kind = Literal["ipv4", "ipv6", "domain", "url", "email", "md5", "sha1", "sha256", "sha512"]
Language = Literal["de", "en"]
Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Words(_Strict, frozen=True, forbid_unknown_fields=True):
    """Promise one text in both languages."""

    de: Text
    en: Text


class Lines(_Strict, frozen=True, forbid_unknown_fields=True):
    """Promise as many texts in German as in English."""

    de: tuple[Text, ...] = ()
    en: tuple[Text, ...] = ()


class Limit(_Strict, frozen=True, forbid_unknown_fields=True):
    """Promise how many entries a model or version takes, and which."""

    entries: Annotated[int, msgspec.Meta(ge=1)]
    de: Text
    en: Text


class Product(_Strict, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Promise all that a county needs to connect one product, watching first, blocking later.

    ``format`` writes every kind except those that ``formats`` gives to another; products that
    speak TAXII have none. ``limit`` begins with the smallest: what a feed keeps to unless its
    owner says otherwise.
    """

    name: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]{1,30}$")]
    title: Text
    kinds: Annotated[tuple[Kind, ...], msgspec.Meta(min_length=1)]
    auth: Literal["basic", "path", "bearer", "taxii"]
    verified: bool
    steps: Lines
    test: Words
    format: str | None = None
    formats: dict[str, str] = {}
    limit: tuple[Limit, ...] = ()
    limits: Lines = Lines()
    warning: Words | None = None


@cache
def all() -> Mapping[str, Product]:  # noqa: A001 - read as products.all()
    """Return every product by name.

    Raise ``msgspec.ValidationError`` for a file with a field that is unknown, missing or wrong.
    """
    found = [
        msgspec.toml.decode(file.read_bytes(), type=Product)
        for file in resources.files(__name__).iterdir()
        if file.name.endswith(".toml")
    ]
    return MappingProxyType({product.name: product for product in sorted(found, key=_name)})


def _name(product: Product) -> str:
    return product.name


def format_for(product: Product, kind: str) -> str | None:
    """Return the name of the format that ``product`` takes values of ``kind`` in, if any."""
    if kind not in product.kinds:
        return None
    return product.formats.get(kind, product.format)


def steps(product: Product, language: Language, places: Mapping[str, str]) -> list[str]:
    """Return the numbered steps with ``places`` (url, user, token, feed) filled in."""
    lines = product.steps.de if language == "de" else product.steps.en
    return [f"{number}. {filled(line, places)}" for number, line in enumerate(lines, 1)]


def filled(text: str, places: Mapping[str, str]) -> str:
    """Return ``text`` with each ``{place}`` that is known filled in.

    Other braces stay: settings of devices are full of them.
    """
    for place, value in places.items():
        text = text.replace(f"{{{place}}}", value)
    return text
