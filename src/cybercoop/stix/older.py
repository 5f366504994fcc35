"""Objects of STIX 2.0, as far as they are needed to lift them to 2.1.

Real 2.0 data leaves out labels and confuses it with the fields of 2.1, which does no harm:
only what the center works with is held to the specification, of either version.
"""

from typing import Annotated

from msgspec import UNSET, Meta

from cybercoop.stix import domain
from cybercoop.stix.fields import (
    Common,
    Count,
    Dated,
    Name,
    ObjectRefs,
    Open,
    OptName,
    OptOpen,
    OptPhases,
    OptText,
    OptTexts,
    OptTime,
    OptVocabulary,
    OptWord,
    Time,
    Word,
    in_order,
)


class Named(Dated, kw_only=True, gc=False):
    """What most 2.0 objects are: a name, and text about it."""

    name: Name
    description: OptText = UNSET
    kill_chain_phases: OptPhases = UNSET
    aliases: OptTexts = UNSET
    threat_actor_types: OptVocabulary = UNSET
    tool_types: OptVocabulary = UNSET


class Indicator(Dated, kw_only=True, gc=False):
    """STIX 2.0 part 2, section 2.5."""

    pattern: str
    valid_from: Time
    valid_until: OptTime = UNSET
    name: OptName = UNSET
    description: OptText = UNSET
    kill_chain_phases: OptPhases = UNSET
    indicator_types: OptVocabulary = UNSET
    pattern_type: OptWord = UNSET
    pattern_version: OptWord = UNSET

    def _obey(self) -> None:
        in_order(self.valid_from, self.valid_until, "valid_until", strictly=True)


class ObservedData(Dated, kw_only=True, gc=False):
    """STIX 2.0 part 2, section 2.8."""

    first_observed: Time
    last_observed: Time
    number_observed: Count
    objects: Annotated[dict[str, Open], Meta(min_length=1, max_length=10_000)]

    def _obey(self) -> None:
        in_order(self.first_observed, self.last_observed, "last_observed")


class Report(Dated, kw_only=True, gc=False):
    """STIX 2.0 part 2, section 2.9."""

    name: Name
    published: Time
    object_refs: ObjectRefs
    description: OptText = UNSET
    report_types: OptVocabulary = UNSET


class MarkingDefinition(Common, kw_only=True, gc=False):
    """STIX 2.0 part 1, section 4.1."""

    created: Time
    definition_type: Word
    definition: OptOpen


SCHEMAS: dict[str, type[Common]] = {
    "attack-pattern": Named,
    "campaign": Named,
    "course-of-action": Named,
    "identity": Named,
    "indicator": Indicator,
    "intrusion-set": Named,
    "malware": Named,
    "marking-definition": MarkingDefinition,
    "observed-data": ObservedData,
    "relationship": domain.Relationship,
    "report": Report,
    "sighting": domain.Sighting,
    "threat-actor": Named,
    "tool": Named,
    "vulnerability": Named,
}
