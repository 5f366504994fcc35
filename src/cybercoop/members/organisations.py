"""Organisations, their groups and people: plain data, frozen."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from cybercoop.errors import Misused

_UMLAUTS: dict[int, str] = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"}

MEMBERS = "members"
"""The group that holds every member and the center."""

MOST_TAGS = 20

_TAG = re.compile(r"[a-z0-9äöüß](?:[a-z0-9äöüß-]{0,30}[a-z0-9äöüß])?").fullmatch


class Kind(StrEnum):
    """Name what part an organisation takes; a source is collected from and reads nothing."""

    CENTER = "center"
    MEMBER = "member"
    CLIENT = "client"
    PARTNER = "partner"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Organisation:
    """Hold one organisation and the groups that it, and its county, are in."""

    id: str
    name: str
    kind: Kind
    community: bool
    contributions_id: str
    parent_id: str | None = None
    default_tlp: str | None = None
    default_group: str | None = None
    named: bool = False
    catalogue: bool = False
    groups: frozenset[str] = frozenset()
    parent_groups: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Group:
    """Hold a named set of organisations that share under a common agreement."""

    id: str
    title: str
    marking_id: str
    lane: int


@dataclass(frozen=True, slots=True)
class Person:
    """Hold one person of an organisation, and who stands in for that person."""

    id: str
    org_id: str
    name: str
    mail: str
    phones: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    deputy_id: str | None = None


def slug(title: str) -> str:
    """Return the group's name on the wire: lower case ASCII, digits and hyphens, at most 48.

    Raises ``Misused`` when nothing is left to name the group by.
    """
    plain = (
        unicodedata.normalize("NFKD", title.lower().translate(_UMLAUTS))
        .encode("ascii", "ignore")
        .decode()
    )
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-")
    if not name or name in {"public", "community"} or name.endswith("-strict"):
        msg = f"{title!r} cannot name a group; use letters or digits, and not a reserved name"
        raise Misused(msg)
    return name


def is_tag(word: str) -> bool:
    """Say whether a word can be a tag: lower case, at most 32 letters, digits and hyphens."""
    return _TAG(word) is not None


def checked_tags(words: Iterable[str]) -> frozenset[str]:
    """Return tags, in lower case; raise ``Misused`` for what is none and for too many."""
    tags = frozenset(unicodedata.normalize("NFC", word).strip().lower() for word in words)
    for tag in sorted(tags):
        if not is_tag(tag):
            msg = f"{tag!r} is no tag; write one word of at most 32 letters, digits and hyphens."
            raise Misused(msg)
    if len(tags) > MOST_TAGS:
        msg = f"An organisation carries at most {MOST_TAGS} tags."
        raise Misused(msg)
    return tags


def checked_mail(mail: str) -> str:
    """Return the address, trimmed; raise ``Misused`` unless it looks like one."""
    if not re.fullmatch(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+", mail.strip()):
        msg = f"{mail!r} is not a mail address; write it as name@example.org"
        raise Misused(msg)
    return mail.strip()


def goes_by(person: Person, named: str) -> bool:
    """Say whether an id or a mail address, in whatever letter case, means a person."""
    return named == person.id or named.lower() == person.mail.lower()


def changed(
    person: Person,
    *,
    name: str | None = None,
    mail: str | None = None,
    phones: tuple[str, ...] | None = None,
    roles: tuple[str, ...] | None = None,
    deputy_id: str | None = None,
) -> Person:
    """Return a person with what is named instead of what was; an empty ``deputy_id`` means nobody.

    Raises ``Misused`` for what is no mail address, and where somebody would stand in for himself.
    """
    if deputy_id == person.id:
        raise Misused("Nobody stands in for himself or herself.")
    return replace(
        person,
        name=person.name if name is None else name,
        mail=person.mail if mail is None else checked_mail(mail),
        phones=person.phones if phones is None else phones,
        roles=person.roles if roles is None else roles,
        deputy_id=person.deputy_id if deputy_id is None else deputy_id or None,
    )
