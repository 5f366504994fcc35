"""Small sound objects that the tests change one property of."""

import json
from typing import Any

import pytest

from cybercoop import errors
from cybercoop.stix import observables, schema, times

NOW = times.micros("2026-06-01T12:00:00Z")
NUMBER = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
_OF_TYPE: dict[str, dict[str, Any]] = {
    "indicator": {
        "pattern": "[domain-name:value = 'bad.example']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
    },
    "domain-name": {"value": "bad.example"},
    "relationship": {
        "relationship_type": "indicates",
        "source_ref": f"indicator--{NUMBER}",
        "target_ref": f"malware--{NUMBER}",
    },
}


def example(kind: str = "indicator", **changes: Any) -> dict[str, Any]:
    """Return a sound STIX 2.1 object; a change to ``...`` leaves that property out."""
    made: dict[str, Any] = {"type": kind, "spec_version": "2.1", "id": f"{kind}--{NUMBER}"}
    if kind not in observables.SCHEMAS:
        made |= {"created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-02T00:00:00Z"}
    made |= _OF_TYPE.get(kind, {}) | changes
    return {key: value for key, value in made.items() if value is not ...}


def raw(**changes: Any) -> bytes:
    """Return a sound indicator as JSON."""
    return json.dumps(example(**changes)).encode()


def refused(obj: dict[str, Any]) -> errors.Refused:
    """Return the refusal of ``obj``."""
    with pytest.raises(errors.Refused) as caught:
        schema.check(obj, NOW)
    assert caught.value.reason.endswith(".")
    return caught.value
