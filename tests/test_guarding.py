"""Harmless and own values stay out of releases; what the guard holds, the center decides."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cybercoop import guard
from cybercoop.collect import assets, reviewing
from cybercoop.collect.assets import Told
from cybercoop.collect.guarding import Keeper, built_in, starting
from cybercoop.collect.projector import cycle
from cybercoop.errors import Misused, Refused
from cybercoop.guard import Level
from cybercoop.members.assets import AssetKind
from cybercoop.members.tokens import Scope
from world import TLP, Seat, World, indicator, world

NEVER = [one for one in guard.built_in() if one.verdict.level is Level.NEVER]
DAY = 86_400_000_000
_NAME = "domain-name--0b7c1f8e-9d1e-4b57-8a52-0e6a6a0d6f11"


def _spellings(value: str) -> Iterator[str]:
    """Yield patterns that would have a device block a protected network or name."""
    if "." not in value.partition("/")[0] and ":" not in value:
        yield f"[domain-name:value = '{value}']"
        return
    if ":" in value:
        yield f"[ipv6-addr:value = '{value}']"
        yield f"[ipv6-addr:value = '{value.partition('/')[0].upper()}']"
    elif value.replace(".", "").replace("/", "").isdigit():
        address = value.partition("/")[0]
        yield f"[ipv4-addr:value = '{value}']"
        yield f"[ipv4-addr:value = '{address}/8']"
        yield f"[ipv4-addr:value = '{address.replace('.', '[.]', 1)}']"
        yield f"[url:value = 'http://{address}:8080/x']"
        yield f"[ipv6-addr:value = '::ffff:{address}']"
    else:
        yield f"[domain-name:value = '{value.upper()}.']"
        yield f"[domain-name:value = '{value.replace('.', '[.]')}']"
        yield f"[url:value = 'hxxps://{value}/anmeldung']"
        yield f"[domain-name:value = 'x.invalid-name.net' OR domain-name:value = '{value}']"


async def _rows(center: World, query: str) -> list[Any]:
    async with center.database.read() as connection:
        return list((await connection.execute(text(query))).all())


async def test_no_protected_value_reaches_a_release_in_any_spelling(
    database_url: str, tmp_path: Path
) -> None:
    values = [one.value for one in NEVER if one.kind in {"network", "domain", "host"}]
    patterns = [pattern for value in values[:700] for pattern in _spellings(value)]
    assert len(values) >= 500
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        accepted = 0
        for start in range(0, len(patterns), 1000):
            objects = [indicator(one, "green") for one in patterns[start : start + 1000]]
            for foretold in await center.push(county, objects, dry_run="1"):
                assert foretold["outcome"] != "accepted" or foretold["reason"]
            verdicts = await center.push(county, objects)
            accepted += sum(one["outcome"] == "accepted" for one in verdicts)
        await center.project()
        assert accepted > 500
        assert await center.patterns(county) == set()
        assert await _rows(center, "SELECT bytes FROM releases WHERE type = 'indicator'") == []


async def test_a_dry_run_says_what_the_guard_would_hold_and_nothing_of_what_others_gave(
    database_url: str, tmp_path: Path
) -> None:
    given = [
        indicator("Amt.GOV.cz.", "green"),
        indicator("EVIL.example.", "green"),
        indicator("amt.gov.cz", "green", indicator_types=["benign"]),
        {"type": "domain-name", "spec_version": "2.1", "id": _NAME, "value": "amt[.]gov.cz"}
        | {"object_marking_refs": [TLP["green"]]},
    ]
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        before = await center.push(county, given, dry_run="1")
        assert [bool(one["reason"]) for one in before] == [True, False, False, True]
        await center.push(other, [given[0]])
        await center.project()
        ((held,),) = await _rows(center, "SELECT id FROM holds")
        await reviewing.decide(center.database, held, "release", "test", center.clock.now)
        await center.project()
        assert await center.push(county, given, dry_run="1") == before
        await center.push(county, [given[0], given[3]])
        await center.project()
        kept = (await center.get("/api/v1/unreleased", county)).json["unreleased"]
        assert [one["reason"] for one in kept] == [before[3]["reason"]]


async def test_the_owner_is_told_why_and_strangers_nothing(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        await center.push(county, [indicator("bund.de", "green")])
        await center.project()
        mine = (await center.get("/api/v1/unreleased", county)).json["unreleased"]
        assert [(one["id"], "administration" in one["reason"]) for one in mine] == [
            (indicator("bund.de", "green")["id"], True)
        ]
        assert (await center.get("/api/v1/unreleased", other)).json["unreleased"] == []


async def test_what_a_county_has_is_taken_back_and_explained_as_protected_only(
    database_url: str, tmp_path: Path
) -> None:
    inside, around_it = "[ipv4-addr:value = '194.8.7.6']", "[ipv4-addr:value = '194.8.7.0/24']"
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("owner"), await center.org("other")
        await center.push(other, [indicator(inside, "green"), indicator(around_it, "green")])
        await center.project()
        assert await center.patterns(owner) == {inside, around_it}
        told = [Told(AssetKind.NETWORK, "194.8.7.0/28")]
        (mine,) = await assets.add(center.database, owner.org.id, told, center.surroundings)
        await center.project()
        assert await center.patterns(owner) == set()
        answer = await center.get("/api/v1/unreleased", other)
        reasons = {one["reason"] for one in answer.json["unreleased"]}
        assert len(reasons) == 1
        assert "protected" in reasons.pop()
        assert b"own" not in answer.body
        assert b"194.8.7.0/28" not in answer.body
        await assets.drop(center.database, mine.id, owner.org.id)
        await center.project()
        assert await center.patterns(owner) == {inside, around_it}


@pytest.mark.parametrize("value", ["0.0.0.0/0", "de", "co.uk", "::/0"])
async def test_nobody_owns_what_everybody_needs(
    database_url: str, tmp_path: Path, value: str
) -> None:
    kind = AssetKind.DOMAIN if value[0].isalpha() else AssetKind.NETWORK
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        with pytest.raises(Refused):
            await assets.add(
                center.database, county.org.id, [Told(kind, value)], center.surroundings
            )


async def test_an_exception_of_the_center_takes_a_value_out_and_ends_by_itself(
    database_url: str, tmp_path: Path
) -> None:
    listed = "[url:value = 'http://portal.cybercoop-test.net/x']"
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        await center.push(county, [indicator(listed, "green")])
        await center.project()
        until = center.clock.now + DAY
        await assets.except_for(
            center.database,
            center.center,
            center.center.org_id,
            "portal.cybercoop-test[.]net",
            "citizen portal",
            until,
            center.surroundings,
        )
        await center.project()
        assert await center.patterns(county) == set()
        center.clock.forward(2 * DAY)
        await center.push(county, [indicator("other.cybercoop-test.net", "green")])
        await center.project()
        assert listed in await center.patterns(county)


async def test_a_held_value_is_released_kept_and_undone(database_url: str, tmp_path: Path) -> None:
    wide = "[ipv4-addr:value = '45.12.0.0/20']"
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        await center.push(county, [indicator(wide, "green")])
        await center.project()
        assert await center.patterns(county) == set()
        (held,) = await _rows(center, "SELECT id FROM holds")
        for decision, seen in (("release", {wide}), ("undo", set()), ("keep", set())):
            center.clock.forward(DAY)
            await reviewing.decide(center.database, held.id, decision, "test", center.clock.now)
            await center.project()
            assert await center.patterns(county) == seen


async def test_no_decision_releases_what_is_never_released(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        await center.push(county, [indicator("bund.de", "green")])
        await center.project()
        (held,) = await _rows(center, "SELECT id FROM holds")
        with pytest.raises(Misused):
            await reviewing.decide(center.database, held.id, "release", "test", center.clock.now)


async def _vanish(center: World, county: Seat, count: int, gone: int) -> list[dict[str, Any]]:
    objects = [indicator(f"v{number}.cybercoop-test.net", "green") for number in range(count)]
    await center.push(county, objects)
    await center.project()
    center.clock.forward(DAY)
    later = {"modified": "2026-11-01T00:00:00.000Z", "revoked": True}
    taken = [objects[number] | later for number in range(gone)]
    await center.push(county, taken)
    await center.project()
    return objects


async def test_a_canary_stops_a_lock_whose_entries_vanish_until_somebody_confirms(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county", scope=Scope.WRITE)
        objects = await _vanish(center, county, 210, 150)
        assert len(await center.patterns(county)) == len(objects)
        await center.push(county, [indicator("late.cybercoop-test.net", "green")])
        await center.push(county, [indicator("public.cybercoop-test.net", "clear")])
        await center.project()
        seen = await center.patterns(county)
        assert "[domain-name:value = 'public.cybercoop-test.net']" in seen
        assert "[domain-name:value = 'late.cybercoop-test.net']" not in seen
        await reviewing.decide(center.database, "community", "release", "test", center.clock.now)
        await center.project()
        seen = await center.patterns(county)
        assert "[domain-name:value = 'late.cybercoop-test.net']" in seen
        assert len(seen) == 60 + 2


async def test_an_exception_of_the_center_counts_under_a_lock_that_stands_still(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        objects = await _vanish(center, county, 210, 150)
        said = (center.center.org_id, "v200.cybercoop-test.net", "citizen portal", None)
        await assets.except_for(center.database, center.center, *said, center.surroundings)
        await center.project()
        seen = await center.patterns(county)
        assert "[domain-name:value = 'v200.cybercoop-test.net']" not in seen
        assert len(seen) == len(objects) - 1


async def test_a_canary_lets_usual_changes_pass(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        await _vanish(center, county, 210, 90)
        assert len(await center.patterns(county)) == 120


async def test_further_warning_lists_hold_what_they_name(
    database_url: str, tmp_path: Path, data_dir: Path
) -> None:
    folder = data_dir / "MISP__misp-warninglists" / "lists"
    guarded = Keeper(starting(folder))
    held = next(
        one.value
        for one in guard.warninglists(folder).entries
        if one.kind in {"domain", "host"}
        and one.verdict.level >= Level.HOLD
        and built_in().verdict("domain", one.value).level is Level.ALLOW
    )
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        await center.push(county, [indicator(held, "green")])
        await center.push(county, [indicator("evil.cybercoop-test.net", "green")])
        center.clock.forward(DAY)
        await cycle(center.database, center.center, center.clock.now, keeper=guarded)
        assert await center.patterns(county) == {"[domain-name:value = 'evil.cybercoop-test.net']"}
