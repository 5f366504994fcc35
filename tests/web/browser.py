"""A browser without scripts: cookies, links, and forms that are filled in as they were served."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp

from world import World


@dataclass
class Form:
    """One form of a page: where it goes, and what it holds."""

    action: str
    multipart: bool
    fields: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)

    def filled(self, **said: str | Sequence[str]) -> list[tuple[str, str]]:
        """Return what would be sent, with fields said otherwise."""
        kept = [(name, value) for name, value in self.fields if name not in said]
        for name, value in said.items():
            kept += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        return kept


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.tags.append((tag, said))
        if tag == "form":
            kind = said.get("enctype") == "multipart/form-data"
            self.forms.append(Form(said["action"] or "", kind))
        name, value = said.get("name"), said.get("value") or ""
        if tag == "textarea":
            self._textarea = name
        if tag != "input" or name is None:
            return
        if said.get("type") in {"checkbox", "radio"}:
            self.forms[-1].choices.setdefault(name, []).append(value)
            if "checked" not in said:
                return
        if said.get("type") != "file":
            self.forms[-1].fields.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._textarea is not None:
            self.forms[-1].fields.append((self._textarea, data.removeprefix("\n")))


@dataclass(frozen=True)
class Page:
    """What came back."""

    status: int
    headers: Any
    source: str
    forms: list[Form]
    tags: list[tuple[str, dict[str, str | None]]]
    text: str

    def form(self, action: str) -> Form:
        return next(one for one in self.forms if one.action == action)


class Browser:
    """One person at one browser."""

    def __init__(self, center: World, **headers: str) -> None:
        self.center = center
        jar = aiohttp.CookieJar(unsafe=True)  # servers of tests have no name
        headers = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "de-DE,de;q=0.9"} | headers
        self.session = aiohttp.ClientSession(cookie_jar=jar, headers=headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def get(self, path: str, **headers: str) -> Page:
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, fields: Sequence[tuple[str, str]], **options: Any) -> Page:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self.ask("POST", path, data=urlencode(fields), headers=kind, **options)

    async def send(self, form: Form, file: tuple[str, bytes] | None = None, **said: Any) -> Page:
        """Send a form as it was served, with fields said otherwise."""
        if not form.multipart:
            return await self.post(form.action, form.filled(**said))
        data = aiohttp.FormData(default_to_multipart=True)
        for name, value in form.filled(**said):
            data.add_field(name, value)
        name, content = file or ("", b"")
        data.add_field(
            "file", io.BytesIO(content), filename=name, content_type="application/octet-stream"
        )
        return await self.ask("POST", form.action, data=data)

    async def sign_in(self, token: str) -> Page:
        page = await self.get("/signin")
        return await self.send(page.form("/signin"), token=token)

    def cookie(self) -> str:
        """Return the value of the session's cookie."""
        return next((one.value for one in self.session.cookie_jar if "session" in one.key), "")

    async def ask(self, method: str, path: str, **options: Any) -> Page:
        """Send one request and return the page that it leads to."""
        options.setdefault("headers", {})
        async with self.session.request(method, self.center.address + path, **options) as answer:
            source = await answer.text()
            reader = _Reader()
            reader.feed(source)
            words = " ".join(" ".join(reader.words).split())
            headers = answer.headers
            return Page(answer.status, headers, source, reader.forms, reader.tags, words)
