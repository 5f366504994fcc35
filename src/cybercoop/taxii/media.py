"""Media types: what a client sends and what it can read (TAXII 2.1 section 1.6.8, RFC 9110)."""

import re

from cybercoop.errors import NotAcceptable, Unsupported

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a token of RFC 9110, no secret
_PARAMETER = re.compile(rf"\s*({_TOKEN})\s*=\s*(?:({_TOKEN})|\"([^\"]*)\")\s*")


def _parse(text: str) -> tuple[str, dict[str, str]]:
    """Return type and parameters; one that cannot be read makes the type unknown."""
    kind, *rest = text.split(";")
    found = [_PARAMETER.fullmatch(one) for one in rest if one.strip()]
    if None in found:
        return "", {}
    parameters = {one[1].lower(): one[2] or one[3] or "" for one in found if one}
    return kind.strip().lower(), parameters


def require_acceptable(accept: str | None) -> None:
    """Raise ``NotAcceptable`` unless TAXII 2.1 is among what the client can read."""
    if accept is None or not accept.strip():
        return
    if not any(_takes(*_parse(one)) for one in accept.split(",")):
        raise NotAcceptable("Only application/taxii+json;version=2.1 is served here.")


def _takes(kind: str, parameters: dict[str, str]) -> bool:
    if _quality(parameters.get("q", "1")) == 0:
        return False
    if kind in {"*/*", "application/*"}:
        return True
    return kind == "application/taxii+json" and parameters.get("version", "2.1") == "2.1"


def _quality(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 1.0


def require_taxii_body(content_type: str | None) -> None:
    """Raise ``Unsupported`` unless a POST says that it carries a TAXII 2.1 envelope."""
    kind, parameters = _parse(content_type or "")
    if kind != "application/taxii+json" or parameters.get("version", "2.1") != "2.1":
        raise Unsupported("Send the envelope as application/taxii+json;version=2.1.")
