"""Find out what the columns of a table hold, and turn one row into what it says."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from cybercoop.collect.readers import _moments
from cybercoop.collect.readers._suffixes import is_registrable
from cybercoop.collect.readers._words import are_values, each, recognise
from cybercoop.collect.reading import KINDS, Found, Options, Passed, Value, bad
from cybercoop.errors import Refused
from cybercoop.indicators.values import shown

_HEADINGS = {
    "value": "value indicator ioc iocvalue observable artifact artefact indicatorvalue iocs wert "
    "indikator",
    "type": "type ioctype indicatortype entitytype kind typ art",
    "comment": "description comment comments note notes classification category threat malware "
    "malwareprintable title name reason app beschreibung kommentar bemerkung family",
    "confidence": "confidence confidencelevel konfidenz vertrauen",
    "valid_from": "firstseen firstseenutc validfrom detecteddate date dateadded created datum "
    "gueltigab",
    "valid_until": "validuntil expires expiration expirationtime expiry expirydate gueltigbis",
    "labels": "tags tag labels",
    "tlp": "tlp",
    "link": "url urls uri",
    "name": "domain domains hostname host fqdn",
    "address": "ip ips ipaddress dstip srcip ipv4 ipv6 address cidr network adresse",
    "mail": "email emailaddress sender mail",
    "hash": "hash filehash",
    "md5": "md5 md5hash hashmd5",
    "sha1": "sha1 sha1hash hashsha1",
    "sha256": "sha256 sha256hash hashsha256",
    "sha512": "sha512 sha512hash hashsha512",
    "meant": "toids",
    "harmless": "falsepositive isfalsepositive fp whitelisted iswhitelisted allowlisted "
    "isallowlisted benign isbenign harmless fehlalarm harmlos",
    "verdict": "verdict urteil bewertung",
}
_NO = frozenset(("0", "false", "no", "n", "nein"))
_YES = frozenset(("1", "true", "yes", "y", "ja"))
_GOOD = frozenset(
    (
        *("benign", "clean", "good", "goodware", "harmless", "falsepositive", "whitelisted"),
        *("allowlisted", "legitimate", "trusted", "fehlalarm", "gutartig", "harmlos"),
    )
)
# What a row says against its values: the role of a column, and the words that say it.
_AGAINST = {
    "meant": (_NO, "not meant for detection (to_ids is false)"),
    "harmless": (_YES, "said to be harmless"),
    "verdict": (_GOOD, "said to be harmless"),
}
_ROLE_OF = {word: role for role, words in _HEADINGS.items() for word in words.split()}
_TYPES = {
    **{word: "network" for role in ("link", "name", "address") for word in _HEADINGS[role].split()},
    **dict.fromkeys(
        ("domainname", "ipdst", "ipsrc", "ipv4addr", "ipv6addr", "ipport", "ipadresse"), "network"
    ),
    **dict.fromkeys(
        ("email", "emailaddr", "emailaddress", "emailsender", "emailsrc", "sender", "intelemail"),
        "mail",
    ),
    **dict.fromkeys(("file", "hash", "filehash", "intelfilehash"), "hash"),
    **dict.fromkeys(("inteladdr", "intelsubnet", "inteldomain", "intelurl"), "network"),
    **{f"file{kind}": kind for kind in ("md5", "sha1", "sha256", "sha512")},
    **{kind: kind for kind in ("md5", "sha1", "sha256", "sha512")},
    **{f"{kind}hash": kind for kind in ("md5", "sha1", "sha256", "sha512")},
    **{f"filehash{kind}": kind for kind in ("md5", "sha1", "sha256", "sha512")},
}
_NETWORK = ("link", "name", "address")
"""What says where a machine is, the narrowest first."""
_BOUND = frozenset(("value", *_NETWORK, "mail", "hash", *KINDS))
"""Roles of columns that hold values."""
_READ: Mapping[str, Callable[[str], Any]] = {
    "confidence": _moments.level_of_confidence,
    "valid_from": _moments.moment,
    "valid_until": _moments.moment,
    "tlp": _moments.tlp,
}
_SEVERAL = re.compile(r"[,;|\s]+").split
_ENOUGH = 0.6


class Columns(msgspec.Struct, frozen=True):
    """Hold where the values stand and what else is known about them, by column number."""

    values: tuple[tuple[int, str], ...]
    type: int | None = None
    comments: tuple[int, ...] = ()
    labels: int | None = None
    facts: tuple[tuple[int, str], ...] = ()
    against: tuple[tuple[int, str], ...] = ()


def plain(heading: str) -> str:
    """Return a heading in small letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", heading.lower().replace("ü", "ue"))


def is_heading(cells: Sequence[str], below: Sequence[str]) -> bool:
    """Say whether a row names columns: no value is in it, but a known word, or values below."""
    if any(map(looks, cells)):
        return False
    return any(plain(cell) in _ROLE_OF for cell in cells) or any(map(looks, below))


def looks(cell: str) -> bool:
    """Say whether a cell can only be meant as a value: a name must be one to be registered."""
    try:
        kind, spellings, _ = recognise(cell.strip())
    except Refused:
        parts = [part for part in _SEVERAL(cell.strip()) if part]
        return len(parts) > 1 and all(map(looks, parts))
    return kind != "domain" or is_registrable(spellings[0])


def columns(
    headings: Sequence[str], sample: Sequence[Sequence[str]], options: Options
) -> Columns | None:
    """Return what the columns hold by mapping, heading and content; none without values."""
    width = max((len(row) for row in (headings, *sample)), default=0)
    roles = [_said(number, headings, options) for number in range(width)]
    if not options.mapping:
        cells = [
            [row[number].strip() for row in sample if number < len(row)] for number in range(width)
        ]
        roles = [_checked(role, column) for role, column in zip(roles, cells, strict=True)]
        if not _BOUND & set(roles):
            roles = [
                "value" if role != "type" and _share(looks, column) >= _ENOUGH else role
                for role, column in zip(roles, cells, strict=True)
            ]
        roles = _with_type(roles, cells)
    if "value" in roles and not options.mapping:
        # A column that is named the value is all of it: other columns tell where it was seen.
        roles = [role if role == "value" or role not in _BOUND else "comment" for role in roles]
    return _arranged(roles) if _BOUND & set(roles) else None


def _said(number: int, headings: Sequence[str], options: Options) -> str:
    heading = headings[number] if number < len(headings) else ""
    if options.mapping:
        mapping = options.mapping
        return mapping.get(heading.strip(), mapping.get(str(number + 1), "ignore"))
    return _ROLE_OF.get(plain(heading), "ignore" if heading else "")


def _checked(role: str, cells: Sequence[str]) -> str:
    """Return the role unless its column says something that the role cannot hold."""
    if role in _READ and any(cells) and _share(_reads(_READ[role]), cells) < 1:
        return "ignore"
    return role


def _with_type(roles: list[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Find the column of types, and that of comments, in a table without headings."""
    if "" not in roles:
        return roles
    for number, role in enumerate(roles):
        if (
            not role
            and "type" not in roles
            and _share(lambda c: plain(c) in _TYPES, cells[number]) == 1
        ):
            roles[number] = "type"
        elif not role:
            roles[number] = "comment"
    return roles


def _reads(form: Callable[[str], Any]) -> Callable[[str], bool]:
    def holds(cell: str) -> bool:
        try:
            form(cell)
        except Refused:
            return False
        return True

    return holds


def _share(holds: Callable[[str], bool], cells: Sequence[str]) -> float:
    filled = [cell for cell in cells if cell]
    return sum(map(holds, filled)) / len(filled) if filled else 0


def _arranged(roles: Sequence[str]) -> Columns:
    at = {role: number for number, role in reversed(list(enumerate(roles)))}
    return Columns(
        values=tuple((number, role) for number, role in enumerate(roles) if role in _BOUND),
        type=at.get("type"),
        comments=tuple(number for number, role in enumerate(roles) if role == "comment"),
        labels=at.get("labels"),
        facts=tuple((at[role], role) for role in _READ if role in at),
        against=tuple((number, role) for number, role in enumerate(roles) if role in _AGAINST),
    )


def row(where: str, cells: Sequence[str], shape: Columns, kind: str = "") -> Iterator[Found]:
    """Yield each value of a row with what the row says about it, or why there is none."""
    filled = [
        (cells[number].strip(), role)
        for number, role in shape.values
        if number < len(cells) and cells[number].strip()
    ]
    # An address beside a name is where the name led to: it serves thousands of other names, and
    # nobody asked to block them.
    narrowest = min(
        (role for _, role in filled if role in _NETWORK), key=_NETWORK.index, default=""
    )
    filled = [one for one in filled if one[1] not in _NETWORK or one[1] == narrowest]
    if not filled:
        yield Passed(where, "no value in this row" if any(cells) else "blank")
        return
    if reason := _against(cells, shape):
        yield Passed(where, reason)
        return
    try:
        facts = _facts(cells, shape)
        hint = _hint(_cell(cells, shape.type))
    except Refused as refusal:
        yield bad(where, filled[0][0], refusal.reason)
        return
    comment = "; ".join(said for number in shape.comments if (said := _cell(cells, number)))
    for cell, role in filled:
        wanted = kind or (hint if role == "value" else "network" if role in _NETWORK else role)
        for found in _of_cell(where, cell, comment, wanted):
            known = facts and isinstance(found, Value)
            yield msgspec.structs.replace(found, **facts) if known else found


def _against(cells: Sequence[str], shape: Columns) -> str:
    """Return what a row says against its values: lists tell what is harmless, too."""
    for number, role in shape.against:
        words, reason = _AGAINST[role]
        if plain(_cell(cells, number)) in words:
            return reason
    return ""


def _of_cell(where: str, cell: str, comment: str, kind: str) -> list[Found]:
    found: list[Found] = list(each(where, cell, comment, kind))
    if are_values(found):
        return found
    parts = [part for part in _SEVERAL(cell) if part]
    several: list[Found] = [one for part in parts for one in each(where, part, comment, kind)]
    return several if any(isinstance(one, Value) for one in several) else found


def _facts(cells: Sequence[str], shape: Columns) -> dict[str, Any]:
    facts = {
        role: _READ[role](said) for number, role in shape.facts if (said := _cell(cells, number))
    }
    if labels := [label for label in _SEVERAL(_cell(cells, shape.labels)) if label]:
        facts["labels"] = tuple(labels)
    if facts.get("valid_until") and facts["valid_until"] <= facts.get("valid_from", 0):
        raise Refused("It ends before it begins.", "valid_until")
    return facts


def _cell(cells: Sequence[str], number: int | None) -> str:
    return cells[number].strip() if number is not None and number < len(cells) else ""


def _hint(said: str) -> str:
    if not said:
        return ""
    hint = _TYPES.get(plain(said))
    if hint is None:
        raise Refused(f"The type {shown(said)} is none that a device can block by.", "type")
    return hint
