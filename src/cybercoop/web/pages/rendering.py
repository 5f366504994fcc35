"""Rendering pages: two languages, everything escaped, and headers that forbid all but a style."""

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any, Literal

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from cybercoop.web.pages import reasons

Language = Literal["de", "en"]
LANGUAGES: tuple[Language, ...] = ("de", "en")

CSP = (
    "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_LINE = re.compile(r"\Aline ([0-9]+)\Z")


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Return every text of the pages by ``room.name`` and language."""
    raw = resources.files(__package__).joinpath("texts.toml").read_text("utf-8")
    rooms: dict[str, dict[str, dict[str, str]]] = tomllib.loads(raw)
    return {f"{room}.{name}": said for room, some in rooms.items() for name, said in some.items()}


def text(language: Language, name: str, **values: object) -> str:
    """Return a text of the pages with ``{values}`` filled in."""
    said = texts()[name][language]
    return said.format_map(values) if values else said


def known_text(language: Language, name: str, otherwise: str) -> str:
    """Return a text of the pages, or what is said where there is none of that name."""
    return texts().get(name, {}).get(language, otherwise)


def visible(value: object) -> object:
    """Return a text with what cannot be seen, or turns a line around, as its escape.

    Templates say so themselves where line breaks are meant (``lines``).
    """
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in value)


def lines(value: str) -> Markup:
    """Return a text that keeps its line breaks, escaped."""
    return escape(value)


def why(reason: str, language: Language) -> Markup:
    """Return a reason in the language of the page; one that has no German is marked as English."""
    said = reasons.german(reason) if language == "de" else reason
    if said is None:
        return Markup('<span lang="en">{}</span>').format(visible(reason))
    return escape(visible(said))


def moment(micros: int | None, language: Language) -> str:
    """Return a time to the minute as people write it; nothing for none."""
    if micros is None:
        return ""
    at = datetime.fromtimestamp(micros // 1_000_000, UTC)
    return at.strftime("%d.%m.%Y %H:%M UTC" if language == "de" else "%Y-%m-%d %H:%M UTC")


def place(where: str, language: Language) -> str:
    """Return where something stands in a file, in words of the language."""
    found = _LINE.match(where)
    return text(language, "push.line", number=found[1]) if found else where


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader(__package__ or __name__),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["lines"] = lines
    return made


def page(template: str, language: Language, status: int = 200, **values: Any) -> web.Response:
    """Return a page; ``t`` in a template says a text, ``known`` one that may not be there."""
    words: dict[str, Any] = {
        "language": language,
        "t": lambda name, **more: text(language, name, **more),
        "known": lambda name, otherwise: known_text(language, name, otherwise),
        "place": lambda where: place(where, language),
        "why": lambda reason: why(reason, language),
    }
    body = _environment().get_template(template).render(values | words)
    return web.Response(status=status, text=body, content_type="text/html", headers=HEADERS)


@cache
def style() -> bytes:
    """Return the one style sheet."""
    return resources.files(__package__).joinpath("style.css").read_bytes()
