"""The kinds of value that STIX 2.1 properties have, and what every object has in common.

``UNSET`` stands for an absent property; ``null`` is never allowed (STIX 2.1, section 2).
Empty lists are prohibited there too (2.9), and our own upper limits stand beside it.
"""

from functools import lru_cache
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from cybercoop import errors
from cybercoop.stix import times

# RFC 9562 versions and variant, lower case: the nil UUID and all looser forms stay out.
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
# Two hyphens would hide where the type of an id ends.
TYPE = "[a-z0-9]+(?:-[a-z0-9]+)*"

MIN_TYPE = 3
MAX_TYPE = 250
_MAX_ID = MAX_TYPE + 38
MAX_LIST = 1_000
MAX_OBJECT_REFS = 10_000


class Time(str):
    """A timestamp in the normal form of ``times``: comparing as text compares in time."""

    __slots__ = ()


def ref(*types: str) -> Meta:
    """Return what an id of one of ``types`` looks like; of any type without them."""
    return Meta(pattern=rf"\A(?:{'|'.join(types) or TYPE})--{UUID}\Z", max_length=_MAX_ID)


Ref = Annotated[str, ref()]
IdentityRef = Annotated[str, ref("identity")]
MarkingRef = Annotated[str, ref("marking-definition")]
_LIST = Meta(min_length=1, max_length=MAX_LIST)
Refs = Annotated[list[Ref], _LIST]
MarkingRefs = Annotated[list[MarkingRef], _LIST]
ObjectRefs = Annotated[list[Ref], Meta(min_length=1, max_length=MAX_OBJECT_REFS)]
Texts = Annotated[list[str], _LIST]
Labels = Annotated[list[Annotated[str, Meta(max_length=250)]], _LIST]
Vocabulary = Labels
Name = Annotated[str, Meta(max_length=1_000)]
Word = Annotated[str, Meta(min_length=1, max_length=250)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Count = Annotated[int, Meta(ge=0, le=999_999_999)]
Natural = Annotated[int, Meta(ge=0)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
Hex = Annotated[str, Meta(pattern=r"\A(?:[0-9a-fA-F]{2})*\Z")]
Base64 = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9+/\s]*={0,2}\s*\Z")]
Hashes = Annotated[dict[Word, Name], Meta(min_length=1, max_length=MAX_LIST)]
Open = dict[str, Any]
Extensions = dict[str, Open]

OptRef = Ref | UnsetType
OptRefs = Refs | UnsetType
OptTime = Time | UnsetType
OptText = str | UnsetType
OptTexts = Texts | UnsetType
OptName = Name | UnsetType
OptWord = Word | UnsetType
OptVocabulary = Vocabulary | UnsetType
OptHashes = Hashes | UnsetType
OptNatural = Natural | UnsetType
OptCount = Count | UnsetType
OptInt = int | UnsetType
OptBool = bool | UnsetType
OptOpen = Open | UnsetType


class ExternalReference(Struct):
    """Point at something outside of STIX (STIX 2.1, section 2.5)."""

    source_name: Name
    description: OptText = UNSET
    url: OptText = UNSET
    hashes: OptHashes = UNSET
    external_id: OptText = UNSET


class KillChainPhase(Struct):
    """Name a phase of a kill chain (STIX 2.1, section 2.11)."""

    kill_chain_name: Word
    phase_name: Word


class GranularMarking(Struct):
    """Mark parts of an object (STIX 2.1, section 7.2.3)."""

    selectors: Texts
    lang: OptWord = UNSET
    marking_ref: OptRef = UNSET


ExternalReferences = Annotated[list[ExternalReference], _LIST]
OptPhases = Annotated[list[KillChainPhase], _LIST] | UnsetType
GranularMarkings = Annotated[list[GranularMarking], _LIST]


class Common(Struct, kw_only=True, gc=False):
    """What any object may have (STIX 2.1, section 3.2); alone, the schema of custom types."""

    created: OptTime = UNSET
    modified: OptTime = UNSET
    created_by_ref: IdentityRef | UnsetType = UNSET
    revoked: OptBool = UNSET
    labels: Labels | UnsetType = UNSET
    confidence: Percent | UnsetType = UNSET
    lang: OptWord = UNSET
    external_references: ExternalReferences | UnsetType = UNSET
    object_marking_refs: MarkingRefs | UnsetType = UNSET
    granular_markings: GranularMarkings | UnsetType = UNSET
    extensions: Extensions | UnsetType = UNSET
    defanged: OptBool = UNSET

    def __post_init__(self) -> None:
        """Hold the object against its own rules."""
        if self.created and self.modified and self.created > self.modified:
            raise errors.Refused("The object was modified before it was created.", "modified")
        self._obey()

    def _obey(self) -> None:
        """Raise Refused where properties contradict each other."""


class Dated(Common, kw_only=True, gc=False):
    """What domain and relationship objects must have besides."""

    created: Time
    modified: Time


def read(kind: type, value: object) -> Time:
    """Return ``value`` as msgspec asks for it: the decoding hook of every schema."""
    if kind is not Time:
        raise NotImplementedError(kind)
    if not isinstance(value, str):
        raise ValueError("A timestamp is a text.")  # noqa: TRY004 - msgspec names the field
    return _time(value)


# The objects of one list mostly carry the same few times.
@lru_cache(maxsize=4_096)
def _time(value: str) -> Time:
    return Time(times.normal(value))


def need_one(thing: Common, *names: str) -> None:
    """Raise Refused unless ``thing`` has one of ``names``."""
    if all(getattr(thing, name) is UNSET for name in names):
        raise errors.Refused(f"One of {', '.join(names)} is required.", names[0])


def in_order(
    first: Time | UnsetType, last: Time | UnsetType, field: str, *, strictly: bool = False
) -> None:
    """Raise Refused for ``field``, the name of ``last``, when it lies before ``first``."""
    if not first or not last or first < last or (first == last and not strictly):
        return
    raise errors.Refused("The end lies before the beginning.", field)
