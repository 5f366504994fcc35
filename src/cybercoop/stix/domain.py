"""Domain and relationship objects of STIX 2.1 (sections 4 and 5)."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from cybercoop import errors
from cybercoop.stix.fields import (
    Dated,
    Name,
    ObjectRefs,
    Open,
    OptCount,
    OptName,
    OptPhases,
    OptRef,
    OptRefs,
    OptText,
    OptTexts,
    OptTime,
    OptVocabulary,
    OptWord,
    Ref,
    Time,
    Word,
    in_order,
    need_one,
    ref,
)

_Observed = Annotated[
    list[Annotated[str, ref("observed-data")]], Meta(min_length=1, max_length=1_000)
]
_Places = Annotated[
    list[Annotated[str, ref("identity", "location")]], Meta(min_length=1, max_length=1_000)
]
_Latitude = Annotated[float, Meta(ge=-90, le=90)]
_Longitude = Annotated[float, Meta(ge=-180, le=180)]


class _Seen(Dated, kw_only=True, gc=False):
    """What was first and last seen at some time."""

    first_seen: OptTime = UNSET
    last_seen: OptTime = UNSET

    def _obey(self) -> None:
        in_order(self.first_seen, self.last_seen, "last_seen")


class AttackPattern(Dated, kw_only=True, gc=False):
    """Section 4.1."""

    name: Name
    description: OptText = UNSET
    aliases: OptTexts = UNSET
    kill_chain_phases: OptPhases = UNSET


class Campaign(_Seen, kw_only=True, gc=False):
    """Section 4.2."""

    name: Name
    description: OptText = UNSET
    aliases: OptTexts = UNSET
    objective: OptText = UNSET


class CourseOfAction(Dated, kw_only=True, gc=False):
    """Section 4.3."""

    name: Name
    description: OptText = UNSET


class Grouping(Dated, kw_only=True, gc=False):
    """Section 4.4."""

    context: Word
    object_refs: ObjectRefs
    name: OptName = UNSET
    description: OptText = UNSET


class Identity(Dated, kw_only=True, gc=False):
    """Section 4.5."""

    name: Name
    description: OptText = UNSET
    roles: OptTexts = UNSET
    identity_class: OptWord = UNSET
    sectors: OptVocabulary = UNSET
    contact_information: OptText = UNSET


class Incident(Dated, kw_only=True, gc=False):
    """Section 4.6."""

    name: Name
    description: OptText = UNSET
    kill_chain_phases: OptPhases = UNSET


class Indicator(Dated, kw_only=True, gc=False):
    """Section 4.7."""

    pattern: str
    pattern_type: Word
    valid_from: Time
    valid_until: OptTime = UNSET
    name: OptName = UNSET
    description: OptText = UNSET
    indicator_types: OptVocabulary = UNSET
    pattern_version: OptWord = UNSET
    kill_chain_phases: OptPhases = UNSET

    def _obey(self) -> None:
        in_order(self.valid_from, self.valid_until, "valid_until", strictly=True)


class Infrastructure(_Seen, kw_only=True, gc=False):
    """Section 4.8."""

    name: Name
    description: OptText = UNSET
    infrastructure_types: OptVocabulary = UNSET
    aliases: OptTexts = UNSET
    kill_chain_phases: OptPhases = UNSET


class IntrusionSet(_Seen, kw_only=True, gc=False):
    """Section 4.9."""

    name: Name
    description: OptText = UNSET
    aliases: OptTexts = UNSET
    goals: OptTexts = UNSET
    resource_level: OptWord = UNSET
    primary_motivation: OptWord = UNSET
    secondary_motivations: OptVocabulary = UNSET


class Location(Dated, kw_only=True, gc=False):
    """Section 4.10; a city alone is let through, as several platforms write it."""

    name: OptName = UNSET
    description: OptText = UNSET
    latitude: _Latitude | UnsetType = UNSET
    longitude: _Longitude | UnsetType = UNSET
    precision: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    region: OptWord = UNSET
    country: OptWord = UNSET
    administrative_area: OptText = UNSET
    city: OptText = UNSET
    street_address: OptText = UNSET
    postal_code: OptText = UNSET

    def _obey(self) -> None:
        need_one(self, "region", "country", "latitude", "administrative_area", "city")
        if (self.latitude is UNSET) != (self.longitude is UNSET):
            raise errors.Refused("Latitude and longitude come together.", "latitude")
        if self.precision is not UNSET and self.latitude is UNSET:
            raise errors.Refused("A precision needs latitude and longitude.", "precision")


class Malware(_Seen, kw_only=True, gc=False):
    """Section 4.11."""

    is_family: bool
    name: OptName = UNSET
    description: OptText = UNSET
    malware_types: OptVocabulary = UNSET
    aliases: OptTexts = UNSET
    kill_chain_phases: OptPhases = UNSET
    operating_system_refs: OptRefs = UNSET
    architecture_execution_envs: OptVocabulary = UNSET
    implementation_languages: OptVocabulary = UNSET
    capabilities: OptVocabulary = UNSET
    sample_refs: OptRefs = UNSET

    def _obey(self) -> None:
        super()._obey()
        if self.is_family:
            need_one(self, "name")


class MalwareAnalysis(Dated, kw_only=True, gc=False):
    """Section 4.12."""

    product: Name
    version: OptText = UNSET
    host_vm_ref: OptRef = UNSET
    operating_system_ref: OptRef = UNSET
    installed_software_refs: OptRefs = UNSET
    configuration_version: OptText = UNSET
    modules: OptTexts = UNSET
    analysis_engine_version: OptText = UNSET
    analysis_definition_version: OptText = UNSET
    submitted: OptTime = UNSET
    analysis_started: OptTime = UNSET
    analysis_ended: OptTime = UNSET
    result_name: OptText = UNSET
    result: OptWord = UNSET
    analysis_sco_refs: OptRefs = UNSET
    sample_ref: OptRef = UNSET

    def _obey(self) -> None:
        need_one(self, "result", "analysis_sco_refs")
        in_order(self.analysis_started, self.analysis_ended, "analysis_ended")


class Note(Dated, kw_only=True, gc=False):
    """Section 4.13."""

    content: str
    object_refs: ObjectRefs
    abstract: OptText = UNSET
    authors: OptTexts = UNSET


class ObservedData(Dated, kw_only=True, gc=False):
    """Section 4.14."""

    first_observed: Time
    last_observed: Time
    number_observed: Annotated[int, Meta(ge=1, le=999_999_999)]
    objects: Annotated[dict[str, Open], Meta(min_length=1, max_length=10_000)] | UnsetType = UNSET
    object_refs: ObjectRefs | UnsetType = UNSET

    def _obey(self) -> None:
        need_one(self, "object_refs", "objects")
        if self.objects is not UNSET and self.object_refs is not UNSET:
            raise errors.Refused("Only one of objects and object_refs may be there.", "objects")
        in_order(self.first_observed, self.last_observed, "last_observed")


class Opinion(Dated, kw_only=True, gc=False):
    """Section 4.15."""

    opinion: Literal["strongly-disagree", "disagree", "neutral", "agree", "strongly-agree"]
    object_refs: ObjectRefs
    explanation: OptText = UNSET
    authors: OptTexts = UNSET


class Report(Dated, kw_only=True, gc=False):
    """Section 4.16."""

    name: Name
    published: Time
    object_refs: ObjectRefs
    description: OptText = UNSET
    report_types: OptVocabulary = UNSET


class ThreatActor(_Seen, kw_only=True, gc=False):
    """Section 4.17."""

    name: Name
    description: OptText = UNSET
    threat_actor_types: OptVocabulary = UNSET
    aliases: OptTexts = UNSET
    roles: OptVocabulary = UNSET
    goals: OptTexts = UNSET
    sophistication: OptWord = UNSET
    resource_level: OptWord = UNSET
    primary_motivation: OptWord = UNSET
    secondary_motivations: OptVocabulary = UNSET
    personal_motivations: OptVocabulary = UNSET


class Tool(Dated, kw_only=True, gc=False):
    """Section 4.18."""

    name: Name
    description: OptText = UNSET
    tool_types: OptVocabulary = UNSET
    aliases: OptTexts = UNSET
    kill_chain_phases: OptPhases = UNSET
    tool_version: OptText = UNSET


class Vulnerability(Dated, kw_only=True, gc=False):
    """Section 4.19."""

    name: Name
    description: OptText = UNSET


class Relationship(Dated, kw_only=True, gc=False):
    """Section 5.1; types of MISP with underscores and spaces are let through."""

    relationship_type: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9 _-]{1,250}\Z")]
    source_ref: Ref
    target_ref: Ref
    description: OptText = UNSET
    start_time: OptTime = UNSET
    stop_time: OptTime = UNSET

    def _obey(self) -> None:
        in_order(self.start_time, self.stop_time, "stop_time", strictly=True)


class Sighting(_Seen, kw_only=True, gc=False):
    """Section 5.2."""

    sighting_of_ref: Ref
    description: OptText = UNSET
    count: OptCount = UNSET
    observed_data_refs: _Observed | UnsetType = UNSET
    where_sighted_refs: _Places | UnsetType = UNSET
    summary: bool | UnsetType = UNSET


SCHEMAS: dict[str, type[Dated]] = {
    "attack-pattern": AttackPattern,
    "campaign": Campaign,
    "course-of-action": CourseOfAction,
    "grouping": Grouping,
    "identity": Identity,
    "incident": Incident,
    "indicator": Indicator,
    "infrastructure": Infrastructure,
    "intrusion-set": IntrusionSet,
    "location": Location,
    "malware": Malware,
    "malware-analysis": MalwareAnalysis,
    "note": Note,
    "observed-data": ObservedData,
    "opinion": Opinion,
    "relationship": Relationship,
    "report": Report,
    "sighting": Sighting,
    "threat-actor": ThreatActor,
    "tool": Tool,
    "vulnerability": Vulnerability,
}
