"""Problems (RFC 9457): a stable code for every kind of refusal, and its title in two languages."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:cybercoop:problem:"
_FAULT = 500


class Kind(NamedTuple):
    """Hold the HTTP status of a code, and what it is called."""

    status: int
    title: str
    title_de: str


KINDS: Final[Mapping[str, Kind]] = {
    "malformed": Kind(400, "Bad request", "Unlesbare Anfrage"),
    "misused": Kind(400, "Bad request", "Angabe passt nicht"),
    "unauthenticated": Kind(401, "Credentials needed", "Anmeldung nötig"),
    "forbidden": Kind(403, "Not allowed", "Nicht erlaubt"),
    "not-found": Kind(404, "Not found", "Nicht gefunden"),
    "method-not-allowed": Kind(405, "Method not allowed", "Methode nicht erlaubt"),
    "not-acceptable": Kind(406, "Not acceptable", "Format nicht verfügbar"),
    "too-slow": Kind(408, "Too slow", "Zu langsam"),
    "conflict": Kind(409, "Conflict with another request", "Widerspruch zu anderer Anfrage"),
    "too-large": Kind(413, "Too large", "Zu groß"),
    "unsupported": Kind(415, "Unsupported media type", "Medientyp nicht unterstützt"),
    "refused": Kind(422, "Refused", "Abgelehnt"),
    "failed": Kind(500, "Internal error", "Interner Fehler"),
    "unreachable": Kind(502, "Other server out of reach", "Anderer Server nicht erreichbar"),
    "away": Kind(503, "Not available", "Nicht verfügbar"),
}
"""Codes never change their meaning; texts may become better."""

_BY_STATUS: Mapping[int, str] = {KINDS[code].status: code for code in reversed(list(KINDS))}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Say what is wrong with a request: by a code for programs and by texts for people."""

    type: str
    code: str
    title: str
    title_de: str
    status: int
    detail: str
    field: str = ""


def problem(code: str, detail: str, field: str = "") -> Problem:
    """Return the problem of a known code; ``field`` names what is at fault, where that is known."""
    kind = KINDS[code]
    return Problem(
        f"{_TYPE}{code}", code, kind.title, kind.title_de, kind.status, detail, field[:250]
    )


def of_status(status: int, detail: str) -> Problem:
    """Return the problem of an HTTP status that the library below gave."""
    code = _BY_STATUS.get(status)
    if code is not None:
        return problem(code, detail)
    title = HTTPStatus(status).phrase
    code = "failed" if status >= _FAULT else "malformed"
    return Problem(f"{_TYPE}{code}", code, title, KINDS[code].title_de, status, detail)
