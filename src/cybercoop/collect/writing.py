"""Writing releases: ids, times, creator and marks around what a merge says."""

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from cybercoop.indicators.statements import Content
from cybercoop.sharing import marking
from cybercoop.stix import times
from cybercoop.store import projection
from cybercoop.store.members import Center
from cybercoop.store.projection import Head, Place

_NAMESPACE = uuid.UUID("8a4f6c1e-3d0b-5a57-9a1c-6f0c8d1e2b47").bytes
_BLANKS = {
    "pattern": "[x-withdrawn:value = 'withdrawn']",
    "pattern_type": "stix",
    "name": "withdrawn",
    "content": "withdrawn",
    "context": "unspecified",
    "opinion": "neutral",
}
"""What stands where STIX demands a text, and the one that was there must not stay."""

_MOMENTS = ("valid_from", "published")
_REFS = ("source_ref", "target_ref", "sighting_of_ref", "object_refs")
_DEMANDED = frozenset((*_BLANKS, *_MOMENTS, *_REFS, "is_family", "relationship_type"))
"""Properties that STIX 2.1 requires (sections 4 and 5) of what is released."""

_encode = msgspec.json.Encoder().encode


class Change(msgspec.Struct, frozen=True, gc=False):
    """Hold what is to happen at one place; ``content`` is None where a release ends.

    ``shut`` says that a contributor moved to a narrower lock: earlier versions go out of sight.
    Generation 0 keeps the version that stands and only moves when blocklists drop it.
    """

    place: Place
    kind: str
    head: Head | None
    content: Content | None
    stix_id: str
    generation: int
    digest: bytes
    shut: bool = False

    @property
    def keeps_version(self) -> bool:
        """Say whether readers see nothing new."""
        return self.content is not None and self.generation == 0

    @property
    def ends_without_version(self) -> bool:
        """Say whether the release just goes: observables and catalogues are never revoked."""
        return self.content is None and self.head is not None and self.head.shared_id

    @property
    def has_shared_id(self) -> bool:
        """Say whether its id is known without the release: an observable, or of a catalogue."""
        return self.content is not None and self.content.own_id is not None

    @property
    def comes_back(self) -> bool:
        """Say whether it takes the place of what ended there under another id."""
        return self.head is not None and self.head.stix_id != self.stix_id

    @property
    def appears_or_ends(self) -> bool:
        """Say whether what refers to this place must look again."""
        return self.content is None or self.head is None or self.head.revoked

    def as_prolonging(self) -> dict[str, Any]:
        """Return what ``projection.prolong`` takes."""
        return {"b_date_added": self.head.date_added if self.head else None} | listed(self.content)


def digest_of(content: Content) -> bytes:
    """Return what differs only when something differs that a consumer acts on."""
    if content.verbatim is not None:
        return hashlib.sha256(content.verbatim).digest()
    said = {name: value for name, value in content.body.items() if name not in content.passing}
    return hashlib.sha256(_encode(said)).digest()


def released_id(center: Center, kind: str, place: Place, generation: int) -> str:
    """Return the id of a release: a UUIDv5 of an HMAC of lock, key and generation."""
    lock, key = place
    message = b"|".join((lock.encode(), key, str(generation).encode()))
    secret = hmac.digest(center.secret, message, "sha256").hex()
    return f"{kind}--{_uuid5(secret)}"


def earlier_ids(center: Center, change: Change) -> list[str]:
    """Return the ids that a place has had in all generations up to this change."""
    generation = change.head.generation if change.head else 0
    given = [
        released_id(center, change.kind, change.place, number + 1)
        for number in range(max(generation, change.generation))
    ]
    return [*given, change.stix_id]


def _uuid5(name: str) -> str:
    """Return the text of ``uuid.uuid5`` (RFC 9562, section 5.5), in a third of its time."""
    digest = hashlib.sha1(_NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def row_of(
    change: Change, stamp: int, center: Center, groups: Mapping[str, str], before: bytes | None
) -> dict[str, Any]:
    """Return the row of one new version, stamped; ``before`` are the bytes it revokes.

    ``groups`` maps group names to the ids of their marking-definitions.
    """
    lock, key = change.place
    now = times.text(stamp)
    content, verbatim = change.content, change.content.verbatim if change.content else None
    going_on = change.head is not None and change.head.generation == change.generation
    created = change.head.created if change.head is not None and going_on else stamp
    if verbatim is not None and content is not None:
        version = content.body.get("modified", content.body.get("created", now))
        raw = verbatim
    elif content is not None and content.own_id is not None:
        version = now
        raw = _encode(_observable(change, content, marking.marks_of(lock, groups)))
    else:
        version = now
        head = _common(change, times.text(created), now, center)
        said = content.body if content else _last_words(before or b"{}", shut=change.shut)
        marks = {"object_marking_refs": marking.marks_of(lock, groups)}
        raw = _encode(head | said | marks)
    return {
        "date_added": stamp,
        "lock": lock,
        "key": key,
        "generation": change.generation,
        "stix_id": change.stix_id,
        "type": change.kind,
        "spec_version": "2.1",
        "created": created,
        "modified": times.normal(version) if verbatim is not None else f"{now[:-1]}000Z",
        "version": version,
        "digest": change.digest,
        "revoked": content is None,
        "latest": True,
        "head": True,
        "shared_id": content is not None and content.own_id is not None,
        "bytes": raw,
        **listed(content),
    }


def listed(content: Content | None) -> dict[str, Any]:
    """Return what lists for devices say of a content: the columns ``projection.LISTED``."""
    if content is None:
        return dict.fromkeys(projection.LISTED) | {"warned": False}
    return {
        "effective_until": content.effective_until,
        "kind": content.kind,
        "value": content.value,
        "confidence": content.body.get("confidence") if content.kind else None,
        "warned": content.warned,
    }


def _common(change: Change, created: str, modified: str, center: Center) -> dict[str, Any]:
    common = {
        "type": change.kind,
        "spec_version": "2.1",
        "id": change.stix_id,
        "created_by_ref": center.identity_id,
        "created": created,
        "modified": modified,
    }
    return common | ({"revoked": True} if change.content is None else {})


def _observable(change: Change, content: Content, marks: list[str]) -> dict[str, Any]:
    common = {"type": change.kind, "spec_version": "2.1", "id": change.stix_id}
    return common | content.body | {"object_marking_refs": marks}


def _last_words(before: bytes, *, shut: bool) -> dict[str, Any]:
    """Return what a revoked version repeats: all of it, or only what STIX demands.

    Where the contributor moved to a narrower lock the wider one must not keep what was said.
    """
    body: dict[str, Any] = msgspec.json.decode(before)
    own = ("type", "spec_version", "id", "created_by_ref", "created", "modified", "revoked")
    said = {name: value for name, value in body.items() if name not in own}
    if not shut:
        return said
    blank = _BLANKS | dict.fromkeys(_MOMENTS, body.get("created"))
    return {name: blank.get(name, value) for name, value in said.items() if name in _DEMANDED}
