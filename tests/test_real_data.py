"""Real public files, pushed by different counties: nothing lost, merged as they should be."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import text

from cybercoop.client import batches
from cybercoop.indicators.patterns import canonical
from cybercoop.stix import times
from world import Clock, World, world

NOW = times.micros("2027-01-01T00:00:00Z")
SOURCES = (
    "mvt-project__mvt-indicators",
    "AmnestyTech__investigations",
    "pan-unit42__iocs",
    "oasis-open__cti-documentation",
    "MISP__misp-stix",
    "splunk__ctis-taxii-splunk-app",
    "mitre-attack__attack-stix-data",
    "pan-unit42__playbook_viewer",
)


def bundles(folder: Path) -> list[Path]:
    """Return the STIX files below a folder."""
    found = []
    for file in sorted(folder.rglob("*")):
        if file.suffix in {".json", ".stix2"} and file.is_file():
            content = json.loads(file.read_bytes())
            if isinstance(content, dict) and content.get("type") == "bundle":
                found.append(file)
    return found


async def push_file(center: World, name: str, content: bytes) -> list[dict[str, Any]]:
    """Push a file as ``cybercoop push --tlp green`` does."""
    verdicts = []
    for batch in batches(name, content):
        verdicts += await center.push(center.seats[name], batch.body, tlp="green")
    return verdicts


async def test_every_real_file_is_taken_explained_and_merged(
    database_url: str, tmp_path: Path, data_dir: Path
) -> None:
    async with world(database_url, tmp_path, Clock(NOW)) as center:
        pushed, outcomes = 0, Counter[str]()
        refused: Counter[str] = Counter()
        for source in SOURCES:
            await center.org(source)
            for file in bundles(data_dir / source):
                verdicts = await push_file(center, source, file.read_bytes())
                count = len(json.loads(file.read_bytes())["objects"])
                assert len(verdicts) == count, file
                pushed += count
                outcomes.update(one["outcome"] for one in verdicts)
                for one in verdicts:
                    if one["outcome"] == "refused":
                        assert one["reason"]
                        assert one["field"]
                        refused[one["reason"].split(";")[0][:60]] += 1
        await center.project()
        sys.stdout.write(f"{pushed} objects: {dict(outcomes)}; refused: {dict(refused)}\n")
        assert outcomes.total() == pushed
        assert outcomes["refused"] < pushed / 50
        await _stored(center, outcomes["accepted"])
        await _one_live_release_per_key(center)
        await _readable_by_all(center)


async def _stored(center: World, accepted: int) -> None:
    query = "SELECT count(*) FROM contributions c JOIN organisations o ON o.id = c.org_id"
    async with center.database.read() as connection:
        rows = await connection.execute(text(f"{query} WHERE o.kind <> 'center'"))
        assert rows.scalar_one() == accepted
        aside = await connection.execute(
            text("SELECT count(*) FROM contributions WHERE pending <> 0")
        )
        assert aside.scalar_one() == 0


async def _one_live_release_per_key(center: World) -> None:
    """Compare the live releases with what a plain reading of the contributions gives."""
    async with center.database.read() as connection:
        rows = (
            await connection.execute(
                text(
                    "SELECT lock, bytes FROM contributions WHERE type = 'indicator'"
                    " AND latest AND NOT revoked AND lock <> '' AND key IS NOT NULL"
                )
            )
        ).all()
        live = (
            await connection.execute(
                text(
                    "SELECT lock, bytes FROM releases WHERE type = 'indicator'"
                    " AND latest AND NOT revoked"
                )
            )
        ).all()
    wanted = {
        (row.lock, canonical(body["pattern"], body.get("pattern_type", "stix"), _version(body)).key)
        for row in rows
        if "benign" not in (body := json.loads(row.bytes)).get("indicator_types", ())
        and "benign" not in body.get("labels", ())
    }
    found = Counter(
        (row.lock, canonical(body["pattern"], body["pattern_type"]).key)
        for row in live
        for body in [json.loads(row.bytes)]
    )
    held = await _held(center)
    assert len(held) < len(wanted) / 50
    assert set(found) == wanted - set(held)
    assert set(found.values()) == {1}


async def _held(center: World) -> dict[tuple[str, bytes], str]:
    """Return the places that the guard keeps out of releases, with what stands there."""
    async with center.database.read() as connection:
        rows = await connection.execute(text("SELECT lock, key, value FROM holds WHERE standing"))
        return {(row.lock, bytes(row.key)): row.value for row in rows}


def _version(body: dict[str, Any]) -> str | None:
    return body.get("pattern_version") or (None if "spec_version" in body else "2.0")


async def _readable_by_all(center: World) -> None:
    reader = await center.org("reader")
    objects = await center.feed(reader)
    ids = [one["id"] for one in objects]
    assert len(ids) == len(set(ids))
    known = set(ids)
    for one in objects:
        for ref in (one.get("source_ref"), one.get("target_ref"), *one.get("object_refs", ())):
            assert ref is None or ref in known


async def test_six_versions_with_new_ids_leave_one_release_per_pattern(
    database_url: str, tmp_path: Path, data_dir: Path
) -> None:
    folder = data_dir / "mvt-project__mvt-indicators" / "history" / "predator.stix2"
    async with world(database_url, tmp_path, Clock(NOW)) as center:
        await center.org("mvt")
        reader = await center.org("reader")
        patterns: set[str] = set()
        for file in bundles(folder):
            await push_file(center, "mvt", file.read_bytes())
            await center.project()
            patterns |= {
                canonical(one["pattern"]).text
                for one in json.loads(file.read_bytes())["objects"]
                if one["type"] == "indicator"
            }
        released = [one for one in await center.feed(reader) if one["type"] == "indicator"]
        assert len(bundles(folder)) == 6
        # A bare name without a dot, which would block whatever ends with it.
        assert set((await _held(center)).values()) == {"despachosnegocios"}
        patterns.remove("[domain-name:value = 'despachosnegocios']")
        assert sorted(one["pattern"] for one in released) == sorted(patterns)


async def test_a_county_reads_its_real_files_back_byte_for_byte(
    database_url: str, tmp_path: Path, data_dir: Path
) -> None:
    async with world(database_url, tmp_path, Clock(NOW)) as center:
        await center.org("mvt")
        sent: list[bytes] = []
        for file in bundles(data_dir / "mvt-project__mvt-indicators" / "history")[-2:]:
            for batch in batches(file.name, file.read_bytes()):
                await center.push(center.seats["mvt"], batch.body)
                sent.append(batch.body)
        path = "/taxii2/coop/collections/contributions/objects/"
        got, params = b"", {"match[version]": "all"}
        while True:
            answer = await center.get(path, center.seats["mvt"], **params)
            got += answer.body[answer.body.index(b'"objects":[') + 11 : -2] + b","
            if not answer.json["more"]:
                break
            params = {"next": answer.json["next"]}
        assert got == b"".join(one[one.index(b'"objects":[') + 11 : -2] + b"," for one in sent)
