"""Looking values up: what is listed under the asker's keys, what covers it, what speaks against."""

from pathlib import Path
from typing import Any

import pytest

from cybercoop.collect import assets, looking_up
from cybercoop.collect.assets import Told
from cybercoop.collect.indicating import pattern_of
from cybercoop.collect.reading import Value
from cybercoop.collect.recognising import recognised
from cybercoop.indicators.patterns import canonical
from cybercoop.members.assets import AssetKind
from cybercoop.members.organisations import Kind
from cybercoop.members.tokens import Scope
from exports.devices import devices
from world import SECOND, Seat, World, indicator, world

PATH = "/api/v1/lookup"
DAY = 86_400 * SECOND


async def lookup(center: World, seat: Seat, *values: str) -> list[dict[str, Any]]:
    answer = await center.request("POST", PATH, seat, json={"values": list(values)})
    assert answer.status == 200, answer.body
    return answer.json["values"]


async def test_a_value_is_found_however_it_is_spelled(database_url: str, tmp_path: Path) -> None:
    digest = "0F" * 32
    patterns = {
        "Böse-seite.net.": "[domain-name:value = 'xn--bse-seite-07a.net']",
        "hxxps://evil-host[.]net:443/a?b": "[url:value = 'https://evil-host.net/a?b']",
        "45.66.77.88/32": "[ipv4-addr:value = '45.66.77.88']",
        "2A00:0:0::1": "[ipv6-addr:value = '2a00::1']",
        digest: f"[file:hashes.'SHA-256' = '{digest.lower()}']",
        "Eve[@]evil-host.net": "[email-addr:value = 'Eve@evil-host.net']",
    }
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        objects = [indicator(one, "green", confidence=80) for one in patterns.values()]
        await center.push(county, objects, named="1")
        await center.project()
        found = await lookup(center, other, *patterns)
    assert [one["asked"] for one in found if not one["listed"]] == []
    for one in found:
        (listing,) = one["listings"]
        assert (listing["tlp"], listing["contributors"]) == ("green", ["county"])
        assert listing["since"].startswith("2026-11-01T12:00:")
        assert listing["until"] > listing["since"]
        assert listing["confidence"] == 80


@pytest.mark.parametrize(
    "text",
    [
        "1.2.3.4",
        "1.2.3.0/24",
        "2a00::1",
        "2a00::/48",
        "evil-host.net",
        "http://evil-host.net/a'b\\c",
        "a@evil-host.net",
        "ab" * 16,
        "ab" * 20,
        "ab" * 32,
        "ab" * 64,
    ],
)
def test_the_key_of_a_value_is_that_of_its_pattern(text: str) -> None:
    kind, value = recognised(text)
    pattern = canonical(pattern_of(Value("", kind, value)))
    assert looking_up.key_of((kind, value)) == pattern.key


async def test_only_what_the_asker_may_read_is_found(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("p", Kind.PARTNER)
        await center.push(county, [indicator("evil-host.net", "amber+strict")])
        await center.push(county, [indicator("evil-own.net")])
        before = await lookup(center, partner, "evil-host.net", "evil-own.net")
        await center.project()
        assert await lookup(center, partner, "evil-host.net", "evil-own.net") == before
        mine = await lookup(center, county, "evil-host.net", "evil-own.net")
    assert [one["listed"] for one in before] == [False, False]
    assert [one["listed"] for one in mine] == [True, False]
    assert (mine[0]["listings"][0]["tlp"], mine[0]["listings"][0]["group"]) == (
        "amber+strict",
        "members",
    )


async def test_what_covers_a_value_is_told(database_url: str, tmp_path: Path) -> None:
    listed = [
        "[ipv4-addr:value = '45.66.77.0/24']",
        "[ipv4-addr:value = '45.66.77.64/27']",
        "[ipv6-addr:value = '2a00:1:2::/49']",
        "[domain-name:value = 'evil-host.net']",
    ]
    asked = {
        "45.66.77.65": ["45.66.77.64/27", "45.66.77.0/24"],
        "45.66.77.64/27": ["45.66.77.0/24"],
        "45.66.78.65": [],
        "2a00:1:2:7::9": ["2a00:1:2::/49"],
        "a.b.evil-host.net": ["evil-host.net"],
        "http://evil-host.net:8080/x": ["evil-host.net"],
        "http://45.66.77.1/x": ["45.66.77.0/24"],
        "http://[2a00:1:2::5]/x": ["2a00:1:2::/49"],
        "nevil-host.net": [],
    }
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        await center.push(county, [indicator(one, "green") for one in listed])
        await center.project()
        found = await lookup(center, county, *asked)
    told = {one["asked"]: [each["value"] for each in one.get("covered_by", ())] for one in found}
    assert told == asked


async def test_a_wide_network_that_the_center_released_is_told_too(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, analyst = await center.org("county"), await center.seat("Testzentrum", Scope.ADMIN)
        await center.push(county, [indicator("[ipv4-addr:value = '45.66.0.0/20']", "green")])
        await center.project()
        (held,) = (await center.get("/api/v1/guard", analyst)).json["held"]
        path = f"/api/v1/guard/{held['id']}/decision"
        decided = await center.request("POST", path, analyst, json={"decision": "release"})
        assert decided.json == {"id": held["id"], "decision": "release"}
        await center.project()
        (found,) = await lookup(center, county, "45.66.7.8")
    assert [one["value"] for one in found["covered_by"]] == ["45.66.0.0/20"]


async def test_what_cannot_be_read_does_not_keep_the_others_back(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        found = await lookup(center, county, "010.1.2.3", "", "x" * 20_000, "evil-host.net")
    assert ["reason" in one for one in found] == [True, True, True, False]
    assert "kind" not in found[0]
    assert found[3] == {
        "asked": "evil-host.net",
        "listed": False,
        "kind": "domain",
        "value": "evil-host.net",
    }


async def test_a_page_without_scheme_is_looked_for_under_both(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        await center.push(county, [indicator("[url:value = 'https://evil-host.net/a']", "green")])
        await center.project()
        found = await lookup(center, county, "evil-host.net/a", "http://evil-host.net/a")
    assert [one["listed"] for one in found] == [True, False]


async def test_what_is_over_or_taken_back_is_listed_no_more(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        soon = indicator("evil-soon.net", "green", valid_until="2026-11-02T00:00:00Z")
        gone = indicator("evil-gone.net", "green")
        await center.push(county, [soon, gone])
        await center.project()
        values = ("evil-soon.net", "evil-gone.net")
        assert [one["listed"] for one in await lookup(center, county, *values)] == [True, True]
        again = gone | {"revoked": True, "modified": "2026-10-02T08:00:00.000Z"}
        await center.push(county, [again])
        center.clock.forward(2 * DAY)
        await center.project()
        assert [one["listed"] for one in await lookup(center, county, *values)] == [False, False]


async def test_the_guard_explains_a_foreign_network_as_protected_only(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("owner"), await center.org("other")
        analyst = await center.seat("Testzentrum")
        told = [Told(AssetKind.NETWORK, "45.66.77.0/28"), Told(AssetKind.DOMAIN, "vhs-net.de")]
        await assets.add(center.database, owner.org.id, told, center.surroundings)
        said = {
            name: [one["guard"]["rule"] for one in await lookup(center, seat, *values)]
            for name, seat in (("owner", owner), ("other", other), ("center", analyst))
            for values in (("45.66.77.3", "www.vhs-net.de", "http://vhs-net.de/", "bund.de"),)
        }
        body = (await center.request("POST", PATH, other, json={"values": ["45.66.77.3"]})).body
    own = ["own-network", "own-domain", "own-domain", "administration"]
    assert said["owner"] == said["center"] == own
    assert said["other"] == ["protected", "protected", "protected", "administration"]
    assert b"own" not in body


async def test_exceptions_of_the_center_and_own_ones_are_told_and_foreign_ones_not(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        for name in ("county", "other"):
            await center.org(name)
        county, other = [await center.seat(one, Scope.ADMIN) for one in ("county", "other")]
        analyst = await center.seat("Testzentrum", Scope.ADMIN)
        for seat, value in ((analyst, "evil-all.net"), (county, "evil-mine.net")):
            said = {"value": value, "reason": "Bürgerportal", "until": "2027-01-31T00:00:00Z"}
            made = await center.request("POST", "/api/v1/exceptions", seat, json=said)
            assert made.status == 201, made.body
        values = ("www.evil-all.net", "evil-mine.net")
        mine = await lookup(center, county, *values)
        theirs = await lookup(center, other, *values)
    assert [one["exceptions"][0]["scope"] for one in mine] == ["all", "own"]
    assert mine[1]["exceptions"][0]["until"] == "2027-01-31T00:00:00.000000Z"
    assert [len(one.get("exceptions", ())) for one in theirs] == [1, 0]


async def test_ten_thousand_values_are_answered_in_their_order_and_no_more(
    database_url: str, tmp_path: Path
) -> None:
    values = [f"x{number}.evil-host.net" for number in range(10_000)]
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        await center.push(
            county, [indicator(values[7], "green"), indicator(values[9_999], "green")]
        )
        await center.project()
        found = await lookup(center, county, *values)
        assert [one["asked"] for one in found] == values
        assert [one["asked"] for one in found if one["listed"]] == [values[7], values[9_999]]
        answer = await center.request("POST", PATH, county, json={"values": [*values, "a.net"]})
    assert (answer.status, answer.json["field"]) == (422, "values")


async def test_which_of_the_askers_feeds_carry_a_value_and_why_others_do_not(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        center = device.center
        county, other = await center.org("county"), await center.org("other")
        await device.push(county, "evil-host.net", confidence=60)
        await device.push(county, "evil-sure.net", confidence=90)
        await device.push(county, "evil-mine.net", tlp="amber", confidence=90)
        feeds = {
            "all": await device.feed(county),
            "addresses": await device.feed(county, "ipv4"),
            "sure": await device.feed(county, least=80),
            "few": await device.feed(county, most=1, least=10),
            "open": await device.feed(county, lock="community"),
        }
        await device.feed(other)
        names = {one.feed.id: name for name, one in feeds.items()}

        async def told(*values: str) -> list[dict[str, str]]:
            found = await lookup(center, county, *values)
            return [
                {names[each["id"]]: each.get("reason", "") for each in one.get("feeds", ())}
                for one in found
            ]

        # Where the short list ends is asked of the releases until a device has fetched it here.
        for _ in range(2):
            host, mine, sure, unknown = await told(
                "evil-host.net", "evil-mine.net", "evil-sure.net", "evil-none.net"
            )
            assert unknown == {}
            assert set(host) == set(names.values())
            assert (host["all"], host["open"]) == ("", "")
            assert "no values of this kind" in host["addresses"]
            assert "asks for 80" in host["sure"]
            assert "1 most important" in host["few"]
            assert "1 most important" in sure["few"]
            assert (mine["few"], mine["open"]) == ("", "The feed lists another lock.")
            assert (await center.get(feeds["few"].path)).body == b"evil-mine.net\n"
        await assets.except_for(
            center.database,
            center.center,
            county.org.id,
            *("www.evil-host.net", "Bürgerportal", None),
            center.surroundings,
        )
        (host,) = await told("evil-host.net")
        assert "is an exception" in host["all"]
        assert "evil-host.net" not in await device.lines(feeds["all"])


async def test_feeds_of_others_are_in_no_answer(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        county, other = await device.center.org("county"), await device.center.org("other")
        analyst = await device.center.seat("Testzentrum")
        await device.push(county, "evil-host.net")
        (before,) = await lookup(device.center, other, "evil-host.net")
        await device.feed(county)
        assert await lookup(device.center, other, "evil-host.net") == [before]
        (told,) = await lookup(device.center, analyst, "evil-host.net")
        assert "feeds" not in told
        (mine,) = await lookup(device.center, county, "evil-host.net")
        assert [one["listed"] for one in mine["feeds"]] == [True]
