"""Find the parts of a pasted mail that tell about its sender: headers and signatures."""

import re
from collections.abc import Sequence

from cybercoop.collect.readers._suffixes import registered

HEADERS = "the headers"
SIGNATURE = "the signature"

_QUOTED = re.compile(r"[>\s]*(?=\S)")
_HEADER = re.compile(
    r"(?:from|to|cc|bcc|reply-to|sender|return-path|message-id|in-reply-to|references|received"
    r"|dkim-signature|authentication-results|list-[a-z-]+|x-[a-z-]+|delivered-to|envelope-to"
    r"|von|an|kopie|blindkopie|antwort an)\s*:",
    re.IGNORECASE,
).match
_PEOPLE = re.compile(r"(?:from|to|cc|bcc|reply-to|sender|von|an|kopie)\s*:", re.IGNORECASE).match
_ADDRESS = re.compile(r"[\w.%+-]{1,64}@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,20})").findall
_GOODBYE = re.compile(
    r"--|(?:mit (?:freundlichen|besten|vielen) |(?:viele|beste|freundliche|liebe|schöne) )"
    r"gr(?:ü|ue)(?:ß|ss)en?\b.*|(?:(?:kind|best|warm) )?regards\b.*|(?:yours )?sincerely\b.*"
    r"|mfg\b.*|vg\b.*",
    re.IGNORECASE,
).fullmatch
_RESUMES = re.compile(
    r"-{3,}.*|begin forwarded message.*|(?:iocs?|indicators?|indikatoren|anhang|anlage|appendix)"
    r"\b.*",
    re.IGNORECASE,
).fullmatch


def zones(text: Sequence[str]) -> tuple[list[str], frozenset[str]]:
    """Return for each line the part of a mail that it is of, and the names of its people.

    A signature goes from a line of two hyphens, or a greeting, to the next header, forwarded
    mail or list of indicators.
    """
    found: list[str] = []
    own: set[str] = set()
    zone = ""
    for line in text:
        zone = _zone(line, zone)
        found.append(zone)
        bare = _QUOTED.sub("", line, count=1)
        if zone == HEADERS and (_PEOPLE(bare) or line[:1] in (" ", "\t")):
            own.update(registered(name.lower()) for name in _ADDRESS(line))
    return found, frozenset(own)


def _zone(line: str, before: str) -> str:
    bare = _QUOTED.sub("", line, count=1).rstrip()
    if _HEADER(bare):
        return HEADERS
    if before == HEADERS and line[:1] in (" ", "\t") and bare:
        return HEADERS  # a long header goes on where the line is indented (RFC 5322, 2.2.3)
    if _GOODBYE(bare):
        return SIGNATURE
    if before == SIGNATURE and not _RESUMES(bare):
        return SIGNATURE
    return ""
