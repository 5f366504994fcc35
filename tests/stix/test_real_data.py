"""Real public data is the measure of how strict the schema may be."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cybercoop import errors
from cybercoop.stix import schema, slices, strict, times

# Some publishers of the test data date their objects in the year 2026.
NOW = times.micros("2027-01-01T00:00:00Z")


def bundles(folder: Path) -> Iterator[tuple[Path, slices.Cut]]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".json", ".stix2"} and path.is_file():
            try:
                cut = slices.cut(path.read_bytes())
            except errors.Malformed:
                continue
            if cut.bundle:
                yield path, cut


def outcome(part: bytes, bundle_spec: str | None) -> str:
    try:
        schema.check(strict.parse(part), NOW, bundle_spec)
    except errors.Refused as refusal:
        return f"{refusal.field}: {refusal.reason}"
    return "accepted"


def test_public_bundles_are_accepted_whole(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found: Counter[tuple[str, str]] = Counter()
    cut_parts = 0
    for path, cut in bundles(data_dir):
        publisher = path.relative_to(data_dir).parts[0]
        cut_parts += len(cut.objects)
        found.update((publisher, outcome(part, cut.spec_version)) for part in cut.objects)
    with capsys.disabled():
        for (publisher, said), count in sorted(found.items()):
            print(f"\n{publisher}: {count} {said}", end="")  # noqa: T201 - for the reader
    assert sum(found.values()) == cut_parts > 0
    assert {said for _, said in found} == {"accepted"}


def test_cutting_changes_no_byte(data_dir: Path) -> None:
    for path, cut in bundles(data_dir):
        body = path.read_bytes()
        at = 0
        for part in cut.objects:
            at = body.index(part, at) + len(part)
            assert part.startswith(b"{")
            assert part.endswith(b"}")
        assert body[at:].strip().startswith(b"]"), path


def test_the_slow_cut_agrees_with_the_fast_one(data_dir: Path) -> None:
    for path, cut in bundles(data_dir):
        # The same objects once more, with one beside them that fails the fast way.
        spoiled = b'{"objects": [' + b",\n".join([*cut.objects, b"NaN"]) + b"]}"
        assert slices.cut(spoiled).objects == [*cut.objects, b"NaN"], path
