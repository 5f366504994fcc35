"""Systems that playbooks may send requests to: a list that the operator keeps, and nobody else.

A TOML file with a table for each system::

    [firewall]
    origin = "https://firewall.example:8443"
    counties = ["NAME OR ID"]              # whose runs may use it; without it all
    methods = ["POST", "DELETE"]           # POST where it is left out
    internal = true                        # it may have a private address
    header = "X-Api-Key"                   # carries the secret
    secret = "CYBERCOOP_SECRET_…"            # the environment variable that holds it
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from yarl import URL

from cybercoop.egress import Rules
from cybercoop.egress.rules import is_same_origin
from cybercoop.errors import Misused, Refused

_SECONDS = 30


class Target(Struct, frozen=True, forbid_unknown_fields=True):
    """Hold one system, and what may be sent to it."""

    origin: Annotated[str, Meta(pattern=r"^https?://[^/?#\s]+$")]
    counties: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("POST",)
    internal: bool = False
    header: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$")] = "Authorization"
    secret: Annotated[str, Meta(pattern=r"^CYBERCOOP_SECRET_[A-Z0-9_]+$")] | None = None
    ca_file: str | None = None

    @property
    def rules(self) -> Rules:
        """Return the rules of the way out to this system; plain HTTP only inside."""
        url = URL(self.origin)
        schemes = {"https", "http"} if self.internal else {"https"}
        return Rules(
            schemes=frozenset(schemes),
            ports=frozenset({url.port or 443}),
            internal=frozenset({url.raw_host or ""}) if self.internal else frozenset(),
            seconds=_SECONDS,
            silence=_SECONDS,
            redirects=0,
            ca_file=Path(self.ca_file) if self.ca_file else None,
        )

    def headers(self) -> Mapping[str, str]:
        """Return the header with the secret; raise Misused where the variable is not set."""
        if self.secret is None:
            return {}
        found = os.environ.get(self.secret)
        if not found:
            raise Misused(f"The variable {self.secret} is not set; a target needs it.")
        return {self.header: found}


def read(file: Path | None) -> list[Target]:
    """Return all targets; raise Misused where the file is none of this form."""
    if file is None:
        return []
    try:
        found = tomllib.loads(file.read_text())
        return list(msgspec.convert(found, dict[str, Target]).values())
    except (OSError, ValueError) as error:
        raise Misused(f"CYBERCOOP_TARGETS: {file.name}: {error}.") from error


def allowed(targets: list[Target], url: str, method: str, counties: set[str]) -> Target:
    """Return the target that a request goes to; raise Refused where none may take it."""
    try:
        wanted = URL(url)
    except ValueError:
        raise Refused("That is no address.", "targets") from None
    for target in targets:
        if not is_same_origin(wanted, URL(target.origin)):
            continue
        if target.counties and not counties & set(target.counties):
            continue
        if method in target.methods:
            return target
    raise Refused(f"No target of the operator's list takes {method} from this county.", "targets")
