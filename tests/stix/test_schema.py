"""Each rule of STIX, and each of ours, names the field that broke it."""

from typing import Any

import pytest

from cybercoop import errors
from cybercoop.stix import domain, meta, observables, schema
from stix.examples import NOW, NUMBER, example, refused

REF = f"indicator--{NUMBER}"
DATE = "2026-01-01T00:00:00Z"
LATER = "2026-01-02T00:00:00Z"

# The least that STIX 2.1 asks of each type beyond the common properties.
LEAST: dict[str, dict[str, Any]] = {
    "attack-pattern": {"name": "a"},
    "campaign": {"name": "a"},
    "course-of-action": {"name": "a"},
    "grouping": {"context": "suspicious-activity", "object_refs": [REF]},
    "identity": {"name": "a"},
    "incident": {"name": "a"},
    "indicator": {"pattern": "[a:b = 1]", "pattern_type": "stix", "valid_from": DATE},
    "infrastructure": {"name": "a"},
    "intrusion-set": {"name": "a"},
    "location": {"country": "de"},
    "malware": {"is_family": False},
    "malware-analysis": {"product": "a", "result": "benign"},
    "note": {"content": "a", "object_refs": [REF]},
    "observed-data": {
        "first_observed": DATE,
        "last_observed": DATE,
        "number_observed": 1,
        "object_refs": [REF],
    },
    "opinion": {"opinion": "agree", "object_refs": [REF]},
    "report": {"name": "a", "published": DATE, "object_refs": [REF]},
    "threat-actor": {"name": "a"},
    "tool": {"name": "a"},
    "vulnerability": {"name": "a"},
    "relationship": {"relationship_type": "uses", "source_ref": REF, "target_ref": REF},
    "sighting": {"sighting_of_ref": REF},
    "artifact": {"payload_bin": "YQ=="},
    "autonomous-system": {"number": 1},
    "directory": {"path": "/"},
    "domain-name": {"value": "a"},
    "email-addr": {"value": "a"},
    "email-message": {"is_multipart": False},
    "file": {"name": "a"},
    "ipv4-addr": {"value": "a"},
    "ipv6-addr": {"value": "a"},
    "mac-addr": {"value": "00:0A:ff:00:00:00"},
    "mutex": {"name": "a"},
    "network-traffic": {"protocols": ["tcp"], "src_ref": REF},
    "process": {"pid": 1},
    "software": {"name": "a"},
    "url": {"value": "a"},
    "user-account": {},
    "windows-registry-key": {"key": "a"},
    "x509-certificate": {},
    "extension-definition": {
        "created_by_ref": f"identity--{NUMBER}",
        "name": "a",
        "schema": "a",
        "version": "1",
        "extension_types": ["new-sdo"],
    },
    "language-content": {"object_ref": REF, "contents": {"de": {"name": "a"}}},
    "marking-definition": {"definition_type": "statement", "definition": {"statement": "a"}},
}


def bare(kind: str, **changes: Any) -> dict[str, Any]:
    return example(kind, **(LEAST[kind] | changes))


def test_every_type_of_stix_is_known() -> None:
    assert LEAST.keys() == {**domain.SCHEMAS, **observables.SCHEMAS, **meta.SCHEMAS}.keys()
    assert len(LEAST) == 42


@pytest.mark.parametrize("kind", LEAST)
def test_the_least_object_of_each_type_is_taken(kind: str) -> None:
    checked = schema.check(bare(kind), NOW)
    assert (checked.type, checked.spec_version) == (kind, "2.1")
    assert (checked.version is None) == (kind in observables.SCHEMAS)


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, least in LEAST.items() for field in least]
)
def test_each_required_property_is_missed_by_name(kind: str, field: str) -> None:
    instead = {
        ("location", "country"): "region",
        ("malware-analysis", "result"): "result",
        ("observed-data", "object_refs"): "object_refs",
        ("file", "name"): "hashes",
        ("artifact", "payload_bin"): "payload_bin",
        ("marking-definition", "definition_type"): "definition_type",
    }
    without = {key: value for key, value in bare(kind).items() if key != field}
    assert refused(without).field == instead.get((kind, field), field)


@pytest.mark.parametrize("field", ["created", "modified"])
def test_domain_objects_are_dated(field: str) -> None:
    without: dict[str, Any] = {field: ...}
    assert refused(example(**without)).field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": ...}, "type"),
        ({"type": 1}, "type"),
        ({"type": "ab"}, "type"),
        ({"type": "Indicator"}, "type"),
        ({"type": "x" * 251}, "type"),
        ({"type": "x--y"}, "type"),
        ({"type": "bundle"}, "type"),
        ({"id": ...}, "id"),
        ({"id": 1}, "id"),
        ({"id": f"malware--{NUMBER}"}, "id"),
        ({"id": NUMBER}, "id"),
        ({"id": f"indicator--{NUMBER.upper()}"}, "id"),
        ({"id": f"indicator--{NUMBER}\n"}, "id"),
        ({"id": f"indicator--{NUMBER}0"}, "id"),
        ({"id": "indicator--00000000-0000-0000-0000-000000000000"}, "id"),
        ({"id": "indicator--8e2e2d2b-17d4-0cbf-938f-98ee46b3cd3f"}, "id"),
        ({"id": "indicator--8e2e2d2b-17d4-4cbf-738f-98ee46b3cd3f"}, "id"),
        ({"spec_version": "3.0"}, "spec_version"),
        ({"spec_version": 2.1}, "spec_version"),
        ({"spec_version": None}, "spec_version"),
        ({"spec_version": ["2.1"]}, "spec_version"),
        ({"created": "2026-01-03T00:00:00Z"}, "modified"),
        ({"created": "2026-02-30T00:00:00Z"}, "created"),
        ({"modified": 17}, "modified"),
        ({"modified": "2026-06-02T12:00:00.000001Z"}, "modified"),
        ({"modified": "9999-12-31T23:59:59Z"}, "modified"),
        ({"modified": "0001-01-01T00:00:00Z"}, "modified"),
        ({"modified": "2026-01-02T00:00:00.1234567890Z"}, "modified"),
        ({"modified": "2016-12-31T23:59:60Z"}, "modified"),
        ({"valid_until": "2026-01-01T00:00:00Z"}, "valid_until"),
        ({"valid_until": "2025-01-01T00:00:00Z"}, "valid_until"),
        ({"confidence": -1}, "confidence"),
        ({"confidence": 101}, "confidence"),
        ({"confidence": 50.0}, "confidence"),
        ({"confidence": True}, "confidence"),
        ({"confidence": "50"}, "confidence"),
        ({"confidence": None}, "confidence"),
        ({"revoked": "true"}, "revoked"),
        ({"labels": []}, "labels"),
        ({"labels": ["a"] * 1_001}, "labels"),
        ({"labels": ["a" * 251]}, "labels[0]"),
        ({"labels": "a"}, "labels"),
        ({"name": "a" * 1_001}, "name"),
        ({"name": 5}, "name"),
        ({"pattern": ["a"]}, "pattern"),
        ({"created_by_ref": REF}, "created_by_ref"),
        ({"created_by_ref": "county"}, "created_by_ref"),
        ({"object_marking_refs": [REF]}, "object_marking_refs[0]"),
        ({"object_marking_refs": []}, "object_marking_refs"),
        ({"kill_chain_phases": []}, "kill_chain_phases"),
        (
            {"kill_chain_phases": [{"kill_chain_name": "a", "phase_name": "b"}] * 1_001},
            "kill_chain_phases",
        ),
        ({"kill_chain_phases": [{"phase_name": "b"}]}, "kill_chain_phases[0].kill_chain_name"),
        ({"external_references": [{"url": "a"}]}, "external_references[0].source_name"),
        ({"granular_markings": [{"marking_ref": REF}]}, "granular_markings[0].selectors"),
        ({"extensions": {"a": 1}}, "extensions[...]"),
        ({"extensions": []}, "extensions"),
    ],
)
def test_a_broken_indicator_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    assert refused(example(**changes)).field == field


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("report", {"object_refs": []}, "object_refs"),
        ("report", {"object_refs": [REF] * 10_001}, "object_refs"),
        ("report", {"object_refs": [REF, "nothing"]}, "object_refs[1]"),
        ("report", {"published": "soon"}, "published"),
        ("opinion", {"opinion": "maybe"}, "opinion"),
        ("observed-data", {"number_observed": 0}, "number_observed"),
        ("observed-data", {"objects": {"0": {}}}, "objects"),
        ("observed-data", {"first_observed": LATER}, "last_observed"),
        ("campaign", {"first_seen": LATER, "last_seen": DATE}, "last_seen"),
        ("malware", {"is_family": True}, "name"),
        ("malware", {"first_seen": LATER, "last_seen": DATE}, "last_seen"),
        ("location", {"latitude": 1.5}, "latitude"),
        ("location", {"latitude": 91, "longitude": 1}, "latitude"),
        ("location", {"precision": 1}, "precision"),
        (
            "malware-analysis",
            {"analysis_started": LATER, "analysis_ended": DATE},
            "analysis_ended",
        ),
        ("relationship", {"source_ref": "nothing"}, "source_ref"),
        ("relationship", {"start_time": DATE, "stop_time": DATE}, "stop_time"),
        ("relationship", {"relationship_type": "\u202euses"}, "relationship_type"),
        ("sighting", {"count": 1_000_000_000}, "count"),
        ("sighting", {"where_sighted_refs": [REF]}, "where_sighted_refs[0]"),
        ("sighting", {"observed_data_refs": [REF]}, "observed_data_refs[0]"),
        ("artifact", {"url": "a"}, "url"),
        ("artifact", {"url": "a", "payload_bin": ...}, "hashes"),
        ("artifact", {"payload_bin": "%"}, "payload_bin"),
        ("autonomous-system", {"number": -1}, "number"),
        ("domain-name", {"value": ""}, "value"),
        ("mac-addr", {"value": "00-00-00-00-00-00"}, "value"),
        ("email-message", {"is_multipart": True, "body": "a"}, "body"),
        ("email-message", {"body_multipart": [{}]}, "body_multipart"),
        ("file", {"hashes": {}}, "hashes"),
        ("file", {"magic_number_hex": "abc"}, "magic_number_hex"),
        ("network-traffic", {"src_port": 65_536}, "src_port"),
        ("network-traffic", {"start": LATER, "end": DATE}, "end"),
        ("network-traffic", {"is_active": True, "end": DATE}, "end"),
        ("network-traffic", {"src_ref": ...}, "src_ref"),
        ("windows-registry-key", {"values": [{"data_type": "REG_X"}]}, "values[0].data_type"),
        ("domain-name", {"spec_version": "2.0"}, "spec_version"),
        ("note", {"spec_version": "2.0"}, "spec_version"),
        ("extension-definition", {"extension_types": ["other"]}, "extension_types[0]"),
        ("language-content", {"contents": {}}, "contents"),
        ("marking-definition", {"definition": "a"}, "definition"),
    ],
)
def test_other_types_are_refused_by_field(kind: str, changes: dict[str, Any], field: str) -> None:
    assert refused(bare(kind, **changes)).field == field


def test_what_stix_lets_everybody_add_is_let_through() -> None:
    sent = example(x_county={"a": [None, 1.5]}, foreign=[], extensions={"x": {"a": 1}})
    assert schema.check(sent, NOW).body is sent


@pytest.mark.parametrize("kind", ["x-mitre-tactic", "county", "0x0", "x" * 250])
def test_custom_types_keep_the_common_rules(kind: str) -> None:
    assert schema.check(example(kind), NOW).type == kind
    assert refused(example(kind, confidence=101)).field == "confidence"
    undated = schema.check(example(kind, created=..., modified=...), NOW)
    assert undated.version is None


def test_the_version_is_as_sent_and_its_normal_form_sorts() -> None:
    checked = schema.check(example(modified="2026-01-02T00:00:00.5Z"), NOW)
    assert checked.version == "2026-01-02T00:00:00.5Z"
    assert checked.modified == "2026-01-02T00:00:00.500000000Z"


def test_a_marking_is_its_creation() -> None:
    checked = schema.check(bare("marking-definition", modified=...), NOW)
    assert checked.version == "2026-01-01T00:00:00.000Z"
    future = bare("marking-definition", created="2026-06-03T00:00:00Z", modified=...)
    assert refused(future).field == "created"


def test_a_day_of_a_wrong_clock_is_forgiven() -> None:
    schema.check(example(modified="2026-06-02T12:00:00Z"), NOW)
    schema.check(example(), 253_402_300_799_999_999)


@pytest.mark.parametrize(
    ("kind", "bundle_spec", "spec"),
    [
        ("indicator", None, "2.0"),
        ("indicator", "2.1", "2.1"),
        ("indicator", "2.0", "2.0"),
        ("domain-name", None, "2.1"),
        ("domain-name", "2.0", "2.1"),
        ("location", None, "2.1"),
        ("x-county", None, "2.0"),
    ],
)
def test_a_missing_version_is_told_by_bundle_and_type(
    kind: str, bundle_spec: str | None, spec: str
) -> None:
    sent = example(kind, **LEAST.get(kind, {}), spec_version=...)
    assert schema.check(sent, NOW, bundle_spec).spec_version == spec


def test_a_bundle_of_an_unknown_version_does_not_help() -> None:
    with pytest.raises(errors.Refused) as caught:
        schema.check(example(spec_version=...), NOW, "3.0")
    assert caught.value.field == "spec_version"


@pytest.mark.parametrize(
    ("kind", "least", "field"),
    [
        ("indicator", {"pattern": "[a:b = 1]", "valid_from": DATE}, "pattern"),
        ("indicator", {"pattern": "[a:b = 1]", "valid_from": DATE}, "valid_from"),
        ("report", {"name": "a", "published": DATE, "object_refs": [REF]}, "object_refs"),
        ("relationship", LEAST["relationship"], "source_ref"),
        ("malware", {"name": "a"}, "name"),
        (
            "observed-data",
            {
                "first_observed": DATE,
                "last_observed": DATE,
                "number_observed": 1,
                "objects": {"0": {}},
            },
            "objects",
        ),
        (
            "marking-definition",
            {"definition_type": "tlp", "definition": {"tlp": "white"}},
            "definition",
        ),
    ],
)
def test_objects_of_stix_2_0_need_what_2_0_asks(
    kind: str, least: dict[str, Any], field: str
) -> None:
    sent = example(kind, spec_version="2.0", pattern_type=..., **least)
    assert schema.check(sent, NOW).spec_version == "2.0"
    assert refused({key: value for key, value in sent.items() if key != field}).field == field


def test_references_are_found_in_order() -> None:
    body = {
        "object_marking_refs": [f"marking-definition--{NUMBER}"],
        "created_by_ref": f"identity--{NUMBER}",
        "target_ref": f"malware--{NUMBER}",
        "x_other_refs": [f"tool--{NUMBER}", 5, "nothing"],
        "source_ref": REF,
        "object_refs": "nothing",
        "some_ref": None,
        "refs": [REF],
    }
    expected = [f"malware--{NUMBER}", f"tool--{NUMBER}", REF]
    assert schema.refs_of(body) == expected


def test_reasons_are_sentences_that_people_understand() -> None:
    said: dict[str, dict[str, Any]] = {
        "The number is greater than 100.": {"confidence": 101},
        "The value is true or false and should be an integer.": {"confidence": True},
        "It is empty, which STIX does not allow.": {"labels": []},
        "It has more than 1000 items.": {"labels": ["a"] * 1_001},
        "The text is longer than 1000 characters.": {"name": "a" * 1_001},
        "The id is not of the right type and form.": {"created_by_ref": "a"},
        "A required property is missing.": {"pattern": ...},
        "The object was modified before it was created.": {"created": "2026-02-01T00:00:00Z"},
    }
    assert {refused(example(**changes)).reason for changes in said.values()} == said.keys()
