"""The sample contributions are what the demo needs and what may be published."""

import ipaddress
import json
import re
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from stix2patterns.validator import run_validator

SAMPLES = Path(__file__).parent.parent / "feeds" / "samples"
COUNTIES = ("bernkastel-wittlich", "bitburg-pruem", "cochem-zell", "vulkaneifel")
FILES = sorted(path.name for path in SAMPLES.glob("*.json"))
SOURCES = re.findall(
    r"\| \[([\w/.-]+)\]\(https://github\.com/", (SAMPLES / "README.md").read_text(encoding="utf-8")
)
COMPARISON = re.compile(r"([\w:.'-]+)\s*(?:=|IN)\s*(\([^)]*\)|'[^']*'|\d+)")
ADDRESS = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")


def objects(name: str, kind: str | None = None) -> list[dict[str, Any]]:
    bundle = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    return [thing for thing in bundle["objects"] if kind in (None, thing["type"])]


def plain_value(path: str, value: str) -> str:
    value = value.strip().replace("[.]", ".")
    if path == "domain-name:value":
        return value.rstrip(".").encode("idna").decode("ascii").lower()
    if path == "url:value":
        url = urlsplit(re.sub("^hxxp", "http", value, flags=re.IGNORECASE))
        port = None if url.port == {"http": 80, "https": 443}.get(url.scheme) else url.port
        return f"{url.scheme}://{url.hostname}:{port}{url.path or '/'}?{url.query}"
    if path == "email-addr:value":
        local, _, domain = value.rpartition("@")
        return f"{local}@{domain.lower()}"
    return value.lower() if "hashes." in path else value.removesuffix("/32")


def plain_path(path: str) -> str:
    start, hashes, algorithm = path.partition("hashes.")
    return start + hashes + re.sub("[^a-z0-9]", "", algorithm.lower()) if hashes else path


def key(pattern: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """Say what the pattern means, well enough for the few shapes that the samples use."""
    operator = next((word for word in ("FOLLOWEDBY", "AND") if f" {word} " in pattern), "OR")
    return operator, frozenset(
        (plain_path(path), plain_value(plain_path(path), value))
        for path, values in COMPARISON.findall(pattern)
        for value in (re.findall(r"'([^']*)'", values) or [values])
    )


def test_a_name_or_a_spelling_does_not_change_the_key() -> None:
    assert key("[ file:hashes.sha256='AB' ]") == key("[file:hashes.'SHA-256' = 'ab']")
    assert key("[url:value = 'HXXP://A[.]b:80']") == key("[url:value = 'http://a.b/']")
    assert key("[a:b = 'x' AND a:c = 1]") == key("[a:c = 1 AND a:b = 'x']") != key("[a:b = 'x']")


@pytest.mark.parametrize("name", FILES)
def test_a_sample_is_tidy_valid_and_says_where_it_comes_from(name: str) -> None:
    text = (SAMPLES / name).read_bytes().decode("utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"
    assert max(Counter(thing["id"] for thing in objects(name)).values()) == 1
    for thing in objects(name):
        assert thing["type"] not in {"identity", "marking-definition"}
        assert "2026-01" <= thing["created"] <= thing["modified"] < "2026-11", thing["id"]
        named = {reference["source_name"] for reference in thing["external_references"]}
        assert named <= {*SOURCES, "mitre-attack"}, thing["id"]
        ends = [thing[end] for end in ("source_ref", "target_ref") if end in thing]
        assert {*ends, *thing.get("object_refs", ())} <= {other["id"] for other in objects(name)}
    for thing in objects(name, "indicator"):
        assert thing["external_references"][0]["source_name"] in SOURCES
        assert not run_validator(thing["pattern"], stix_version="2.1"), thing["pattern"]


@pytest.mark.parametrize("name", FILES)
def test_no_sample_blocks_a_private_address(name: str) -> None:
    for thing in objects(name, "indicator"):
        for address in ADDRESS.findall(thing["pattern"].replace("[.]", ".")):
            assert ipaddress.ip_address(address).is_global, thing["pattern"]


def test_the_samples_are_enough_for_a_demo_and_not_more() -> None:
    assert len(FILES) <= 8
    assert 300 <= sum(len(objects(name, "indicator")) for name in FILES) <= 420
    for county in COUNTIES:
        indicators = objects(f"{county}.json", "indicator")
        assert 70 <= len(indicators) <= 120
        assert len([thing for thing in indicators if "object_marking_refs" not in thing]) >= 5
        assert len([thing for thing in indicators if thing.get("revoked")]) == 1
        assert len([thing for thing in indicators if "benign" in thing["indicator_types"]]) == 1
    assert objects("stix20-bernkastel-wittlich.json")[0]["labels"]


def test_counties_hold_the_same_values_in_different_spellings() -> None:
    spellings: dict[Any, dict[str, str]] = defaultdict(dict)
    for county in COUNTIES:
        for thing in objects(f"{county}.json", "indicator"):
            counts = "object_marking_refs" in thing and not thing.get("revoked")
            if counts and "benign" not in thing["indicator_types"]:
                spellings[key(thing["pattern"])][county] = thing["pattern"]
    shared = [by_county for by_county in spellings.values() if len(by_county) > 1]
    assert len(shared) >= 60
    assert all(a != b for by in shared for a, b in combinations(by.values(), 2))
