"""The schema verdict is that of the published schemas, read as what they declare to be."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop.playbooks import schema
from playbooks import documents


@pytest.fixture(scope="session")
def published(data_dir: Path) -> Any:
    """Lend the published schemas as a validator."""
    return documents.oracle(data_dir)


def fits(document: Any) -> bool:
    return not any(finding.grade == "schema" for finding in schema.check(document))


def test_the_public_files_get_the_verdict_of_the_schemas(published: Any, data_dir: Path) -> None:
    verdicts = {}
    for folder in ("COSSAS__SOARCA", "pan-unit42__playbook_viewer"):
        for file in sorted((data_dir / folder).rglob("*.json")):
            document = json.loads(file.read_bytes())
            assert fits(document) is published.is_valid(document), file.name
            verdicts[file.name] = fits(document)
    assert [name for name, good in verdicts.items() if good] == [
        *("http-playbook.json", "manual-playbook.json", "openc2-playbook.json"),
        *("powershell-playbook.json", "ssh-playbook.json"),
    ]
    assert len(verdicts) == 22  # those of the playbook viewer are STIX bundles, not CACAO


def test_a_document_with_everything_fits(published: Any) -> None:
    assert list(schema.check(documents.rich())) == []
    assert published.is_valid(documents.rich())


@given(st.data(), st.integers(1, 4))
def test_broken_documents_get_the_verdict_of_the_schemas(
    published: Any, chance: st.DataObject, times: int
) -> None:
    document = documents.broken(documents.rich(), chance, times)
    assert fits(document) is published.is_valid(document), list(schema.check(document))


def test_every_place_left_out_or_replaced_gets_the_verdict_of_the_schemas(published: Any) -> None:
    values: list[Any] = [None, True, 5, 1.0, "", "x", [], [1], {}, {"x": 1}]
    for path in [place for place in documents.places(documents.rich()) if place]:
        document = documents.changed(documents.rich(), path, lambda holder, key: holder.pop(key))
        assert fits(document) is published.is_valid(document), path
        for value in values:

            def put(holder: Any, key: Any, value: Any = value) -> None:
                holder[key] = value

            document = documents.changed(documents.rich(), path, put)
            assert fits(document) is published.is_valid(document), (path, value)


@given(documents.LEAVES)
def test_what_is_no_playbook_at_all_gets_the_verdict_of_the_schemas(
    published: Any, value: Any
) -> None:
    assert fits(value) is published.is_valid(value)


ADDRESS = st.text("0123456789abcdefABF:.%fe80xg()/-@ \n", max_size=24)


@given(ADDRESS | st.ip_addresses().map(str), st.sampled_from(["url", "ipv4", "ipv6", "l2mac"]))
def test_addresses_get_the_verdict_of_the_schemas(published: Any, text: str, kind: str) -> None:
    document = documents.rich()
    document["target_definitions"][f"ssh--{documents.number(1)}"]["address"][kind] = [text]
    assert fits(document) is published.is_valid(document)
