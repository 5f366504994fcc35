"""Every indicator of the bundles that real teams published is read, or refused for a reason."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cybercoop.errors import Refused
from cybercoop.indicators.patterns import by_grammar, canonical

DATA = Path(
    os.environ.get("CYBERCOOP_TEST_DATA")
    or Path(__file__).resolve().parents[2].parent / "shared" / "data"
)
# One publisher wrote the word "domain" into the value; nobody can say what else was meant.
KNOWN_TO_BE_WRONG = {"'domain autuo.xicp.net' is not a domain name."}


def indicators() -> Iterator[dict[str, Any]]:
    """Yield the indicators of all bundles below the data folder."""
    for path in sorted((*DATA.rglob("*.json"), *DATA.rglob("*.stix2"))):
        if not path.is_file():
            continue
        content = json.loads(path.read_bytes())
        objects = content.get("objects") if isinstance(content, dict) else None
        for item in objects if isinstance(objects, list) else ():
            if isinstance(item, dict) and item.get("type") == "indicator" and "pattern" in item:
                yield item


@pytest.mark.skipif(not DATA.is_dir(), reason="there is no test data; set CYBERCOOP_TEST_DATA")
def test_real_indicators_are_read() -> None:
    reasons = set()
    seen = 0
    for item in indicators():
        seen += 1
        version = item.get("pattern_version") or ("2.1" if "spec_version" in item else "2.0")
        try:
            found = canonical(item["pattern"], item.get("pattern_type", "stix"), version)
        except Refused as refusal:
            reasons.add(refusal.reason)
        else:
            assert canonical(found.text, found.pattern_type) == found
    assert reasons <= KNOWN_TO_BE_WRONG
    assert seen


@pytest.mark.skipif(not DATA.is_dir(), reason="there is no test data; set CYBERCOOP_TEST_DATA")
def test_real_indicators_read_the_same_by_grammar() -> None:
    several = {item["pattern"] for item in indicators()}
    for pattern in sorted(several)[::7]:
        try:
            found = canonical(pattern)
        except Refused:
            continue
        assert by_grammar(pattern) == found
