"""What the center collects from: TOML files, one per source, read and checked.

The name of the file is the name of the source. A definition holds no secret: ``credentials``
names one, and the secret itself is the variable ``CYBERCOOP_SECRET_<NAME>``, or the content of
the file that ``CYBERCOOP_SECRET_<NAME>_FILE`` names.
"""

import base64
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from yarl import URL

from cybercoop.collect import sources
from cybercoop.egress import Credentials, Rules
from cybercoop.egress.rules import MIB, checked
from cybercoop.errors import Forbidden, Misused, Refused

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?").fullmatch
_EVERY = re.compile(r"every ([1-9][0-9]{0,4})(m|h|d)").fullmatch
_SECONDS = {"m": 60, "h": 3600, "d": 86400}
_SHORTEST, _LONGEST = 5 * 60, 31 * 86400
_SECRET = re.compile(r"[A-Z][A-Z0-9_]{0,63}").fullmatch
_SEND_AS = re.compile(r"bearer|basic|(?:header|query):[A-Za-z0-9_-]{1,64}").fullmatch
_FIELD = re.compile(r"\$\.(\w+)|field `(\w+)`").search
_VISIBLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?").fullmatch

Text = Annotated[str, Meta(min_length=1, max_length=2000)]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hold one definition; it is off, and its terms count as unread, until somebody says so.

    ``schedule`` is ``every`` with a number and ``m``, ``h`` or ``d``. ``tlp`` marks what carries
    no mark of its own; ``group`` addresses ``amber`` and ``amber+strict``. ``reader`` and
    ``options`` are handed to the reader. ``snapshot`` overrides what the kind says,
    ``catalogue`` lets the objects keep their ids. ``page_size`` is how many objects TAXII is
    asked for at once: a server that counts requests needs it large. ``send_as`` is ``bearer``,
    ``basic`` (the secret is ``user:password``), ``header:NAME`` or ``query:NAME``.
    """

    name: str
    title: Text
    kind: str
    licence: Text
    terms: Text
    attribution: Text
    tlp: Literal["clear", "green", "amber", "amber+strict"]
    confidence: Annotated[int, Meta(ge=0, le=100)]
    schedule: str
    url: str = ""
    path: str = ""
    files: str = "*"
    collection: str = ""
    reader: str = "auto"
    options: dict[str, Any] = {}
    group: str = ""
    lifetime_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    snapshot: bool | None = None
    catalogue: bool = False
    enabled: bool = False
    verified: bool = False
    internal: bool = False
    allow_http: bool = False
    ports: tuple[Annotated[int, Meta(ge=1, le=65535)], ...] = ()
    page_size: Annotated[int, Meta(ge=1, le=50_000)] = 1000
    max_mib: Annotated[int, Meta(ge=1, le=1024)] = 64
    ca_file: str = ""
    credentials: str = ""
    send_as: str = "bearer"
    note: str = ""

    @property
    def interval(self) -> int:
        """Return the seconds between two collections."""
        found = _EVERY(self.schedule)
        return int(found[1]) * _SECONDS[found[2]] if found else _LONGEST

    @property
    def is_snapshot(self) -> bool:
        """Say whether values that a portion no longer lists are withdrawn."""
        return sources.kinds()[self.kind].SNAPSHOT if self.snapshot is None else self.snapshot


def read(folder: Path) -> list[Source]:
    """Return the definitions of a folder by name; raise ``Misused`` for one that is wrong.

    Relative paths in a definition begin at that folder.
    """
    found = []
    for file in sorted(folder.glob("*.toml")):
        try:
            source = parse(file.read_bytes(), file.stem)
        except (Refused, OSError) as error:
            field = getattr(error, "field", "")
            msg = f"{file.name}: {field + ': ' if field else ''}{error}"
            raise Misused(msg) from error
        paths = {"path": source.path, "ca_file": source.ca_file}
        found.append(
            msgspec.structs.replace(
                source, **{field: str(folder / path) for field, path in paths.items() if path}
            )
        )
    return found


def parse(data: bytes, name: str) -> Source:
    """Read one definition; raise ``Refused`` with the field that is wrong."""
    try:
        table = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("The file is no TOML in UTF-8.") from error
    if "name" in table:
        raise Refused("The name of a source is the name of its file.", "name")
    try:
        source = msgspec.convert(table | {"name": name}, Source)
    except msgspec.ValidationError as error:
        found = _FIELD(str(error))
        raise Refused(f"{error}.", (found[1] or found[2]) if found else "") from error
    for check in _CHECKS:
        check(source)
    return source


def rules_of(source: Source) -> Rules:
    """Return what egress may do for ``source``; the port of its own URL counts as declared."""
    url = _url(source.url) if source.url else None
    own = {url.port} if url is not None and url.port else set[int]()
    host = url.raw_host if url is not None else None
    return Rules(
        schemes=frozenset({"https", "http"} if source.allow_http else {"https"}),
        ports=frozenset({80, 443, *own, *source.ports}),
        internal=frozenset({host} if source.internal and host else set[str]()),
        max_bytes=source.max_mib * MIB,
        ca_file=Path(source.ca_file) if source.ca_file else None,
    )


def credentials_of(source: Source, variables: Mapping[str, str]) -> Credentials | None:
    """Return what ``source`` is asked with; raise ``Misused`` when the secret is not there."""
    if not source.credentials:
        return None
    secret = _secret(source, variables)
    origin = str(URL(source.url).origin())
    way, _, name = source.send_as.partition(":")
    if way == "query":
        return Credentials(origin, query={name: secret})
    if way == "header":
        return Credentials(origin, {name: secret})
    if way == "basic":
        packed = base64.b64encode(secret.encode()).decode()
        return Credentials(origin, {"Authorization": f"Basic {packed}"})
    return Credentials(origin, {"Authorization": f"Bearer {secret}"})


def _secret(source: Source, variables: Mapping[str, str]) -> str:
    variable = f"CYBERCOOP_SECRET_{source.credentials}"
    secret = variables.get(variable, "")
    if file := variables.get(f"{variable}_FILE"):
        try:
            secret = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{source.name}: the file that {variable}_FILE names cannot be read."
            raise Misused(msg) from error
    if not _VISIBLE(secret):
        msg = f"{source.name} needs a secret; set {variable} or {variable}_FILE."
        raise Misused(msg)
    return secret


def _url(text: str) -> URL:
    try:
        return URL(text)
    except ValueError:
        raise Refused("That is no URL.", "url") from None


def _check_names(source: Source) -> None:
    if not _SLUG(source.name):
        raise Refused("A name is made of a to z, 0 to 9 and hyphens.", "name")
    if source.kind not in sources.kinds():
        known = ", ".join(sorted(sources.kinds()))
        msg = f"There is no kind {source.kind!r}; there are {known}."
        raise Refused(msg, "kind")
    if source.group and not source.tlp.startswith("amber"):
        raise Refused("Only amber and amber+strict address a group.", "group")


def _check_schedule(source: Source) -> None:
    if not _EVERY(source.schedule) or not _SHORTEST <= source.interval <= _LONGEST:
        raise Refused("Write every 5m to every 31d, for example every 6h.", "schedule")


def _check_place(source: Source) -> None:
    if source.kind == "directory":
        if source.url or not source.path:
            raise Refused("A directory has a path and no url.", "path")
        _check_path(source.path, "path")
    elif source.path or not source.url:
        raise Refused(f"A source of kind {source.kind} has a url and no path.", "url")
    else:
        try:
            checked(source.url, rules_of(source))
        except Forbidden as error:
            raise Refused(str(error), "url") from error
    _check_path(source.ca_file, "ca_file")


def _check_path(path: str, field: str) -> None:
    if ".." in PurePath(path).parts or "\0" in path:
        raise Refused("A path does not climb out with two dots.", field)


def _check_credentials(source: Source) -> None:
    if not _SEND_AS(source.send_as):
        raise Refused("Write bearer, basic, header:NAME or query:NAME.", "send_as")
    if not source.credentials:
        return
    if not _SECRET(source.credentials):
        raise Refused(
            "Name a secret with A to Z, 0 to 9 and _; never write it here.", "credentials"
        )
    if not source.url:
        raise Refused("Only what has a url is asked with credentials.", "credentials")
    if URL(source.url).scheme != "https" and not source.internal:
        raise Refused("Credentials leave the house under TLS only.", "credentials")


_CHECKS: tuple[Callable[[Source], None], ...] = (
    _check_names,
    _check_schedule,
    _check_place,
    _check_credentials,
)
