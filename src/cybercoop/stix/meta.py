"""Objects of STIX 2.1 about other objects (section 7)."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from cybercoop import errors
from cybercoop.stix.fields import (
    Common,
    Dated,
    IdentityRef,
    Name,
    Open,
    OptName,
    OptOpen,
    OptText,
    OptTime,
    OptWord,
    Ref,
    Time,
    Word,
    need_one,
)

_Kind = Literal[
    "new-sdo", "new-sco", "new-sro", "property-extension", "toplevel-property-extension"
]


class ExtensionDefinition(Dated, kw_only=True, gc=False):
    """Section 7.3."""

    created_by_ref: IdentityRef
    name: Name
    schema: str
    version: Annotated[str, Meta(max_length=250)]
    extension_types: Annotated[list[_Kind], Meta(min_length=1, max_length=5)]
    description: OptText = UNSET
    extension_properties: Annotated[list[str], Meta(min_length=1, max_length=1_000)] | UnsetType = (
        UNSET
    )


class LanguageContent(Dated, kw_only=True, gc=False):
    """Section 7.1."""

    object_ref: Ref
    contents: Annotated[dict[Word, Open], Meta(min_length=1, max_length=1_000)]
    object_modified: OptTime = UNSET


class MarkingDefinition(Common, kw_only=True, gc=False):
    """Section 7.2.1; it should have no ``modified``, but real tools write one."""

    created: Time
    name: OptName = UNSET
    definition_type: OptWord = UNSET
    definition: OptOpen = UNSET

    def _obey(self) -> None:
        need_one(self, "definition_type", "extensions")
        if (self.definition_type is UNSET) != (self.definition is UNSET):
            raise errors.Refused("A definition comes with its definition_type.", "definition")


SCHEMAS: dict[str, type[Common]] = {
    "extension-definition": ExtensionDefinition,
    "language-content": LanguageContent,
    "marking-definition": MarkingDefinition,
}
