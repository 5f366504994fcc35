"""Tightening later: what had ended, moved or changed before it goes out of sight all the same."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cybercoop.collect import canary, leaving, reviewing
from cybercoop.members.organisations import Kind
from cybercoop.store import projection
from world import TLP, Seat, World, indicator, world

TOLD = "Seen in the town hall."
SECOND, THIRD = "2026-10-02T08:00:00.000Z", "2026-10-03T08:00:00.000Z"
AMBER = {"object_marking_refs": [TLP["amber"]]}


async def versions(center: World, reader: Seat) -> str:
    """Return all that ``reader`` finds, in every version, as one text."""
    await center.project()
    return str(await center.feed(reader, **{"match[version]": "all"}))


def green(kind: str, **said: Any) -> dict[str, Any]:
    """Return an object of this kind under GREEN."""
    common = indicator("evil-host.net", "green")
    names = ("spec_version", "created", "modified", "object_marking_refs")
    stix_id = f"{kind}--1d5c2b1e-55d0-4a0c-8a6e-2f3f9d0b7c11"
    return {name: common[name] for name in names} | {"type": kind, "id": stix_id} | said


@pytest.mark.parametrize("end", ["narrower", "revoked", "deleted"])
async def test_what_ended_with_what_it_referred_to(
    database_url: str, tmp_path: Path, end: str
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        about, seen = (
            green("malware", name="Emotet", is_family=True),
            indicator("evil.net", "green"),
        )
        ends = {"source_ref": seen["id"], "target_ref": about["id"]}
        tied = green("relationship", relationship_type="indicates", description=TOLD, **ends)
        note = green("note", content=TOLD, object_refs=[about["id"]])
        await center.push(county, [about, seen, tied, note], with_text="1")
        assert (await versions(center, partner)).count(TOLD) == len((tied, note))
        if end == "deleted":
            path = f"/taxii2/coop/collections/contributions/objects/{about['id']}/"
            await center.request("DELETE", path, county)
        else:
            change = AMBER if end == "narrower" else {"revoked": True}
            await center.push(county, [about | {"modified": SECOND} | change])
        assert TOLD not in await versions(center, partner)
        await center.push(county, [about | {"name": "Qakbot", "modified": THIRD}])
        assert (await versions(center, partner)).count(TOLD) == len((tied, note))
        later = {"modified": THIRD} | AMBER
        await center.push(county, [tied | later, note | later], with_text="1")
        assert TOLD not in await versions(center, partner)


@pytest.mark.parametrize("others", [False, True], ids=["alone", "with others"])
async def test_what_waited_for_the_canary_when_its_end_went(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, others: bool
) -> None:
    monkeypatch.setattr(canary, "FEWEST", 2)
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        partner = await center.org("partner", Kind.PARTNER)
        about = green("malware", name="Emotet", is_family=True)
        hosts = ("evil-host.net", "evil-more.net", "evil-third.net")
        seen, more, third = (indicator(host, "green") for host in hosts)
        ends = {"source_ref": seen["id"], "target_ref": about["id"]}
        tied = green("relationship", relationship_type="indicates", **ends)
        gone = {"modified": SECOND, "revoked": True}
        if others:
            await center.push(other, [about, seen, tied])
        await center.push(county, [about, seen, more, tied | {"description": TOLD}], with_text="1")
        await center.push(other, [third])
        assert TOLD in await versions(center, partner)
        await center.push(other, [third | gone])
        await center.push(county, [more | gone])
        await center.project()
        await center.push(county, [about | gone])
        assert TOLD in await versions(center, partner)
        await reviewing.decide(center.database, "community", "release", "test", center.clock.now)
        left = await versions(center, partner)
        assert TOLD not in left
        assert left.count("indicates") == 1


@pytest.mark.parametrize(("ends", "others"), [("green", "clear"), ("clear", "green")])
async def test_what_waited_for_the_canary_while_another_came_to_stand_there(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str, others: str
) -> None:
    monkeypatch.setattr(canary, "FEWEST", 2)
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        partner = await center.org("partner", Kind.PARTNER)
        mark = {"object_marking_refs": [TLP[ends]]}
        about = green("malware", name="Emotet", is_family=True) | mark
        seen, more = indicator("evil-host.net", ends), indicator("evil-more.net", "green")
        refs = {"source_ref": seen["id"], "target_ref": about["id"]}
        tied = green("relationship", relationship_type="indicates", **refs)
        gone = {"modified": SECOND, "revoked": True}
        third = indicator("evil-third.net", "green")
        await center.push(county, [about, seen, more, tied | {"description": TOLD}], with_text="1")
        await center.push(other, [third])
        assert TOLD in await versions(center, partner)
        for seat, one in ((other, third), (county, more)):
            await center.push(seat, [one | gone])
        await center.project()
        await center.push(county, [about | AMBER | {"modified": SECOND}])
        assert TOLD in await versions(center, partner)
        again = tied | {"object_marking_refs": [TLP[others]]}
        await center.push(other, [about, seen, again])
        assert TOLD in await versions(center, partner)
        await reviewing.decide(center.database, "community", "release", "test", center.clock.now)
        left = await versions(center, partner)
        assert TOLD not in left
        assert left.count("indicates") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"pattern": "[domain-name:value = 'other-host.net']"},
        {"revoked": True},
        {"indicator_types": ["anomalous-activity"]},
    ],
    ids=["pattern", "revoked", "types"],
)
async def test_versions_before_the_last_one(
    database_url: str, tmp_path: Path, change: dict[str, Any]
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        first = indicator("evil-host.net", "green", description=TOLD)
        await center.push(county, [first], named="1")
        assert "evil-host.net" in await versions(center, partner)
        await center.push(county, [first | {"modified": SECOND} | change])
        assert TOLD in await versions(center, partner)
        await center.push(county, [first | {"modified": THIRD} | AMBER])
        left = await versions(center, partner)
        assert TOLD not in left
        assert "evil-host.net" not in left


async def test_who_leaves_with_what_stayed_at_home_leaves_no_work(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        about = indicator("evil-host.net", "green")
        note = green("note", content=TOLD, object_refs=[about["id"]])
        note.pop("object_marking_refs")
        await center.push(county, [about, note])
        await center.project()
        export, now = tmp_path / "export", center.clock.now
        await leaving.leave(center.database, "county", export, now, withdraw=True)
        await center.project()
        async with center.database.read() as connection:
            assert not await projection.anything_to_do(connection, center.clock.now)


async def test_a_text_that_was_no_longer_cleared(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        about = indicator("evil-host.net", "green")
        note = green("note", content=TOLD, object_refs=[about["id"]])
        await center.push(county, [about, note], with_text="1")
        assert TOLD in await versions(center, partner)
        await center.push(county, [note | {"modified": SECOND}])
        assert TOLD in await versions(center, partner)
        await center.push(county, [note | {"modified": THIRD} | AMBER])
        assert TOLD not in await versions(center, partner)


async def test_what_another_id_of_the_same_county_had_replaced(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        first = indicator("evil-host.net", "green", description=TOLD)
        await center.push(county, [first], named="1")
        assert TOLD in await versions(center, partner)
        again = indicator("evil-host.net", "green", modified=SECOND)
        await center.push(county, [again])
        assert TOLD in await versions(center, partner)
        await center.push(county, [first | {"modified": THIRD} | AMBER])
        assert TOLD not in await versions(center, partner)
        assert await center.patterns(partner) == {"[domain-name:value = 'evil-host.net']"}


@pytest.mark.parametrize("values", [1, 3])
async def test_what_moved_with_an_end_that_became_another_value(
    values: int, database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        about = green("malware", name="Emotet", is_family=True)
        seen = indicator("evil-host.net", "green")
        ends = {"source_ref": seen["id"], "target_ref": about["id"]}
        tied = green("relationship", relationship_type="indicates", description=TOLD, **ends)
        await center.push(county, [about, seen, tied], with_text="1")
        assert (await versions(center, partner)).count(TOLD) == 1
        for number in range(values):
            pattern = {"pattern": f"[domain-name:value = 'evil-{number}.net']"}
            moment = {"modified": f"2026-10-0{number + 2}T08:00:00.000Z"}
            await center.push(county, [seen | moment | pattern])
            assert (await versions(center, partner)).count(TOLD) == 1
        later = {"modified": "2026-10-09T08:00:00.000Z"} | AMBER
        await center.push(county, [tied | later], with_text="1")
        assert TOLD not in await versions(center, partner)


async def test_what_refers_to_others_stands_still_with_the_lock_that_was_just_stopped(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "FEWEST", 2)
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        seen, more = indicator("evil-host.net", "green"), indicator("evil-more.net", "green")
        ends = {"source_ref": seen["id"], "target_ref": more["id"]}
        tied = green("relationship", relationship_type="related-to", **ends)
        await center.push(county, [seen, more, tied])
        before = await versions(center, partner)
        assert "related-to" in before
        gone = {"modified": SECOND, "revoked": True}
        await center.push(county, [seen | gone, more | gone])
        assert await versions(center, partner) == before


@pytest.mark.parametrize("released", [True, False])
async def test_what_was_undone_right_after_it_moved(
    database_url: str, tmp_path: Path, *, released: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        said, first = indicator("evil-host.net", "green", description=TOLD), str(uuid4())
        await center.push(county, [said], named="1", push_id=first)
        assert TOLD in await versions(center, partner)
        await center.push(county, [said | AMBER | {"modified": SECOND}], named="1")
        if released:
            await center.project()
        await center.request("DELETE", f"/api/v1/pushes/{first}", county)
        assert TOLD not in await versions(center, partner)


@pytest.mark.parametrize("end", ["undone", "replaced", "deleted"])
async def test_who_leaves_takes_along_what_had_ended_before(
    database_url: str, tmp_path: Path, end: str
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        said, first = indicator("evil-host.net", "green", description=TOLD), str(uuid4())
        await center.push(county, [said], named="1", push_id=first)
        assert TOLD in await versions(center, partner)
        path = f"/taxii2/coop/collections/contributions/objects/{said['id']}/"
        if end == "undone":
            await center.request("DELETE", f"/api/v1/pushes/{first}", county)
        else:
            other = {"modified": SECOND, "pattern": "[domain-name:value = 'other-host.net']"}
            await center.push(county, [said | other])
            await center.project()
            await center.request("DELETE", path, county, params={"match[version]": "last"})
        await center.project()
        if end == "deleted":
            await center.request("DELETE", path, county)
            await center.project()
        export, now = tmp_path / "export", center.clock.now
        await leaving.leave(center.database, "county", export, now, withdraw=True)
        assert TOLD not in await versions(center, partner)


@pytest.mark.parametrize("end", ["undone", "deleted", "its first version deleted"])
async def test_what_had_ended_when_its_object_came_back_under_a_narrower_lock(
    database_url: str, tmp_path: Path, end: str
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        said, first = indicator("evil-host.net", "green", description=TOLD), str(uuid4())
        await center.push(county, [said], named="1", push_id=first)
        assert TOLD in await versions(center, partner)
        path = f"/taxii2/coop/collections/contributions/objects/{said['id']}/"
        if end == "undone":
            await center.request("DELETE", f"/api/v1/pushes/{first}", county)
        elif end == "deleted":
            await center.request("DELETE", path, county)
        else:
            other = {"modified": SECOND, "pattern": "[domain-name:value = 'other-host.net']"}
            await center.push(county, [said | other], named="1")
            await center.project()
            await center.request("DELETE", path, county, params={"match[version]": "first"})
        assert TOLD in await versions(center, partner)
        await center.push(county, [said | AMBER | {"modified": THIRD}], named="1")
        left = await versions(center, partner)
        assert TOLD not in left
        assert "evil-host.net" not in left


async def test_what_had_ended_is_shut_once_and_tells_nothing_of_later_versions(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        partner = await center.org("partner", Kind.PARTNER)
        said, same = (indicator("evil-host.net", "green", name=name) for name in ("one", "other"))
        await center.push(county, [said])
        await center.project()
        path = f"/taxii2/coop/collections/contributions/objects/{said['id']}/"
        await center.request("DELETE", path, county)
        await center.push(county, [said | AMBER | {"modified": SECOND}])
        shut = await versions(center, partner)
        assert "evil-host.net" not in shut
        await center.push(county, [said | AMBER | {"modified": THIRD}])
        assert await versions(center, partner) == shut
        for change in {}, {"modified": SECOND, "indicator_types": ["anomalous-activity"]}:
            await center.push(other, [same | change])
            await center.project()
        found = await versions(center, partner)
        fourth = {"modified": "2026-10-04T08:00:00.000Z", "name": "Neu"}
        await center.push(county, [said | AMBER | fourth])
        assert await versions(center, partner) == found


@pytest.mark.parametrize("end", ["undone", "deleted"])
async def test_what_had_ended_goes_from_what_drew_on_it(
    database_url: str, tmp_path: Path, end: str
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        client = await center.org("client", Kind.CLIENT, of=other)
        said = indicator("evil-host.net", "green", name="Rathaus", description=TOLD)
        first = str(uuid4())
        await center.push(other, [indicator("evil-host.net", "amber")])
        await center.push(county, [said], named="1", push_id=first)
        assert TOLD in await versions(center, client)
        path = f"/taxii2/coop/collections/contributions/objects/{said['id']}/"
        ended = f"/api/v1/pushes/{first}" if end == "undone" else path
        await center.request("DELETE", ended, county)
        assert TOLD in await versions(center, client)
        strict = {"object_marking_refs": [TLP["amber+strict"]], "modified": SECOND}
        await center.push(county, [said | strict], named="1")
        assert TOLD not in await versions(center, client)


@pytest.mark.parametrize("end", ["undone", "deleted"])
async def test_what_had_ended_when_what_stayed_at_home_went_out(
    database_url: str, tmp_path: Path, end: str
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        said, second = indicator("evil-host.net", None), str(uuid4())
        later = indicator("evil-host.net", "green", description=TOLD, modified=SECOND)
        await center.push(county, [said])
        await center.push(county, [later | {"id": said["id"]}], named="1", push_id=second)
        assert TOLD in await versions(center, partner)
        path = f"/taxii2/coop/collections/contributions/objects/{said['id']}/"
        if end == "undone":
            await center.request("DELETE", f"/api/v1/pushes/{second}", county)
        else:
            await center.request("DELETE", path, county, params={"match[version]": "last"})
        await center.push(county, [said], tlp="amber", named="1")
        left = await versions(center, partner)
        assert TOLD not in left
        assert "evil-host.net" not in left
