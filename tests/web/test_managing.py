"""What an organisation and the center manage over REST, as they see it afterwards."""

from pathlib import Path
from typing import Any

from cybercoop.members.tokens import Scope
from world import SECOND, Answer, Seat, World, indicator, world

ROOT = "/api/v1"
HOUR = 3600 * SECOND


async def ask(
    center: World, method: str, path: str, seat: Seat | None, said: Any = None, code: int = 200
) -> Any:
    options = {} if said is None else {"json": said}
    answer: Answer = await center.request(method, ROOT + path, seat, **options)
    assert answer.status == code, answer.body
    return answer.json


async def admin(center: World, name: str) -> Seat:
    if name not in center.seats and name != "Testzentrum":
        await center.org(name)
    return await center.seat(name, Scope.ADMIN)


async def test_the_center_enrols_organisations_and_forms_groups(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        analyst = await admin(center, "Testzentrum")
        said = {"name": "Landkreis A", "kind": "member", "default_tlp": "green"}
        county = await ask(center, "POST", "/organisations", analyst, said, 201)
        said = {"name": "Stadt A", "kind": "client", "of": "Landkreis A"}
        town = await ask(center, "POST", "/organisations", analyst, said, 201)
        assert (town["of"], town["community"]) == (county["id"], True)
        said = {"name": "Stadt B", "kind": "client", "of": "Landkreis B"}
        refused = await ask(center, "POST", "/organisations", analyst, said, 422)
        assert refused["field"] == "organisation"
        group = await ask(center, "POST", "/groups", analyst, {"title": "Krisenstab"}, 201)
        path = f"/groups/{group['id']}/organisations"
        joined = await ask(center, "POST", path, analyst, {"organisation": county["id"]})
        assert joined["organisations"] == ["Landkreis A"]
        reader = await center.seat("Landkreis A", Scope.READ)
        assert [one["id"] for one in (await ask(center, "GET", "/groups", reader))["groups"]] == [
            "krisenstab",
            "members",
        ]
        left = await ask(center, "DELETE", f"{path}/{county['id']}", analyst)
        assert left["organisations"] == []
        assert len((await ask(center, "GET", "/groups", reader))["groups"]) == 1


async def test_the_center_tags_and_a_county_sees_its_own_tags(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        analyst, county = await admin(center, "Testzentrum"), await admin(center, "Landkreis A")
        await admin(center, "Landkreis B")
        path = "/organisations/Landkreis A/tags"
        said = {"add": ["Kritis", "probe"]}
        assert (await ask(center, "POST", path, analyst, said))["tags"] == ["kritis", "probe"]
        said = {"add": ["kritis"], "remove": ["probe", "never"]}
        assert (await ask(center, "POST", path, analyst, said))["tags"] == ["kritis"]
        (mine,) = (await ask(center, "GET", "/organisations", county))["organisations"]
        assert mine["tags"] == ["kritis"]
        await ask(center, "POST", path, county, said, 403)
        await ask(center, "POST", path, analyst, {"add": ["two words"]}, 400)
        said = {"name": "Landkreis C", "kind": "member", "tags": ["Kritis"]}
        made = await ask(center, "POST", "/organisations", analyst, said, 201)
        assert made["tags"] == ["kritis"]
        every = (await ask(center, "GET", "/organisations", analyst))["organisations"]
        tagged = [one["name"] for one in every if "kritis" in one["tags"]]
        assert tagged == ["Landkreis A", "Landkreis C"]


async def test_a_county_gives_out_and_ends_its_own_tokens(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await admin(center, "Landkreis A")
        said = {"name": "IT", "mail": "it@a.example", "phones": ["112"], "roles": ["duty"]}
        person = await ask(center, "POST", "/people", county, said, 201)
        said = {"person": "it@a.example", "scope": "read", "days": 7}
        made = await ask(center, "POST", "/tokens", county, said, 201)
        assert made["shown"]["person"] == person["id"]
        mine = Seat(county.org, made["token"])
        assert (await ask(center, "GET", "/people", mine))["people"] == [person]
        said = {"overlap_hours": 1}
        path = f"/tokens/{made['id']}"
        after = await ask(center, "POST", f"{path}/rotation", county, said, 201)
        center.clock.forward(2 * HOUR)
        assert (await ask(center, "GET", "/people", mine, code=401))["code"] == "unauthenticated"
        successor = Seat(county.org, after["token"])
        await ask(center, "GET", "/people", successor)
        ended = await ask(center, "DELETE", f"/tokens/{after['id']}", county)
        assert ended["revoked"] is not None
        await ask(center, "GET", "/people", successor, code=401)
        refused = await ask(center, "POST", f"{path}/rotation", county, said, 400)
        assert refused["code"] == "misused"


async def test_a_token_goes_to_nobody_else_of_the_same_address(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        analyst = await admin(center, "Testzentrum")
        for name in ("Landkreis A", "Landkreis B"):
            county = await admin(center, name)
            said = {"name": "IT", "mail": "it@dienstleister.example"}
            person = await ask(center, "POST", "/people", county, said, 201)
        said = {"person": "IT@dienstleister.example"}
        refused = await ask(center, "POST", "/tokens", analyst, said, 422)
        assert "Several people" in refused["detail"]
        said = {"organisation": "Landkreis B"} | said
        made = await ask(center, "POST", "/tokens", analyst, said, 201)
        assert made["shown"]["person"] == person["id"]


async def test_a_county_changes_its_people_and_nobody_elses(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await admin(center, "Landkreis A"), await admin(center, "Landkreis B")
        analyst = await admin(center, "Testzentrum")
        said = {"name": "Anna", "mail": "anna@a.example", "phones": ["112"], "roles": ["it-lead"]}
        anna = await ask(center, "POST", "/people", county, said, 201)
        bert = {"name": "Bert", "mail": "bert@a.example", "deputy": anna["id"]}
        bert = await ask(center, "POST", "/people", county, bert, 201)
        path = f"/people/{anna['id']}"
        said = {"roles": ["press"], "deputy": "bert@a.example", "mail": "a@a.example"}
        changed = await ask(center, "PATCH", path, county, said)
        assert changed == anna | said | {"deputy": bert["id"]}
        assert (await ask(center, "PATCH", path, county, {})) == changed
        lone = await ask(center, "PATCH", path, analyst, {"deputy": "", "phones": []})
        assert lone == changed | {"deputy": None, "phones": []}
        await ask(center, "PATCH", path, other, {"name": "X"}, 404)
        await ask(center, "PATCH", path, county, {"deputy": "nobody@a.example"}, 422)
        await ask(center, "PATCH", path, county, {"deputy": anna["id"]}, 400)
        await ask(center, "PATCH", path, county, {"mail": "bert@a.example"}, 400)
        people = (await ask(center, "GET", "/people", county))["people"]
        assert people == [lone, bert]


async def test_what_a_county_has_is_protected_until_it_is_dropped(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await admin(center, "county"), await center.org("other")
        await center.push(other, [indicator("[ipv4-addr:value = '45.66.77.3']", "green")])
        said = {"assets": [{"kind": "network", "value": "45.66.77.0/28"}]}
        (made,) = (await ask(center, "POST", "/assets", county, said, 201))["assets"]
        await center.project()
        assert await center.patterns(other) == set()
        await ask(center, "DELETE", f"/assets/{made['id']}", county)
        await center.project()
        assert await center.patterns(other) == {"[ipv4-addr:value = '45.66.77.3']"}
        said = {"assets": [{"kind": "network", "value": "0.0.0.0/0"}]}
        assert (await ask(center, "POST", "/assets", county, said, 422))["field"] == "networks"


async def test_an_exception_ends_when_it_is_ended(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        analyst, county = await admin(center, "Testzentrum"), await center.org("county")
        await center.push(county, [indicator("evil-host.net", "green")])
        said = {"value": "evil-host[.]net", "reason": "Bürgerportal"}
        made = await ask(center, "POST", "/exceptions", analyst, said, 201)
        await center.project()
        assert await center.patterns(county) == set()
        listed = (await ask(center, "GET", "/exceptions", county))["exceptions"]
        assert listed == [made]
        await ask(center, "DELETE", f"/exceptions/{made['id']}", county, code=403)
        await ask(center, "DELETE", f"/exceptions/{made['id']}", analyst)
        await center.project()
        assert await center.patterns(county) == {"[domain-name:value = 'evil-host.net']"}


async def test_a_push_is_taken_back_as_one_over_several_requests(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        push_id = "5c0ffee0-0000-4000-8000-000000000000"
        for name in ("a.evil-host.net", "b.evil-host.net"):
            await center.push(county, [indicator(name, "green")], push_id=push_id)
        await center.push(county, [indicator("c.evil-host.net", "green")])
        await center.project()
        undone = await ask(center, "DELETE", f"/pushes/{push_id}", county)
        assert undone == {"id": push_id, "withdrawn": 2}
        await center.project()
        assert await center.patterns(county) == {"[domain-name:value = 'c.evil-host.net']"}
        await ask(center, "DELETE", f"/pushes/{push_id}", county, code=404)


async def test_a_sighting_is_taken_of_what_one_reads(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        await center.push(county, [indicator("evil-host.net", "green")])
        await center.project()
        said = {"about": "evil-host[.]net", "opinion": "seen", "count": 3}
        said |= {"last_seen": "2026-11-01T10:00:00+01:00"}
        told = await ask(center, "POST", "/sightings", other, said)
        assert (told["outcome"], told["lock"]) == ("accepted", "community")
        said = {"about": "unknown-host.net", "opinion": "false-positive"}
        await ask(center, "POST", "/sightings", other, said, 404)
        for day in ("1969-12-31T23:00:00Z", "2026-11-01T10:00:00", "yesterday"):
            said = {"about": "evil-host.net", "opinion": "seen", "first_seen": day}
            refused = await ask(center, "POST", "/sightings", other, said, 422)
            assert refused["field"] == "first_seen"


async def test_a_feed_opens_with_its_token_until_it_is_ended(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await admin(center, "county")
        await center.push(county, [indicator("evil-host.net", "green")])
        await center.project()
        said = {"product": "unbound", "addresses": ["127.0.0.0/8"], "title": "Bürogebäude"}
        made = await ask(center, "POST", "/feeds", county, said, 201)
        got = await center.get(f"/feeds/{made['token']}")
        assert (got.status, b"evil-host.net" in got.body) == (200, True)
        (listed,) = (await ask(center, "GET", "/feeds", county))["feeds"]
        assert (listed["title"], listed["addresses"]) == ("Bürogebäude", ["127.0.0.0/8"])
        path = f"/feeds/{made['id']}"
        after = await ask(center, "POST", f"{path}/rotation", county, {"overlap_hours": 0}, 201)
        assert (await center.get(f"/feeds/{made['token']}")).status == 404
        assert (await center.get(f"/feeds/{after['token']}")).status == 200
        await ask(center, "DELETE", path, county)
        assert (await center.get(f"/feeds/{after['token']}")).status == 404
        await ask(center, "DELETE", path, county, code=404)
        refused = await ask(center, "POST", "/feeds", county, {"product": "abacus"}, 422)
        assert refused["field"] == "product"


async def test_a_feed_is_cut_freely_and_its_steps_come_in_both_languages(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path, base_url="https://coop.example.org") as center:
        county = await admin(center, "county")
        said = {"product": "fortigate", "kinds": ["domain"], "least": 50}
        made = await ask(center, "POST", "/feeds", county, said, 201)
        assert made["url"] == f"https://coop.example.org/feeds/{made['id']}"
        assert made["path_url"] == f"https://coop.example.org/feeds/{made['token']}"
        assert len(made["steps"]["de"]["steps"]) == len(made["steps"]["en"]["steps"]) > 1
        for language, word in (("de", "wählen Sie"), ("en", "choose")):
            text = " ".join(made["steps"][language]["steps"])
            assert word in text
            assert made["url"] in text
            assert "{token}" not in text
        free = {"format": "csv", "kinds": ["domain", "ipv4"], "lock": "community", "most": 5}
        plain = await ask(center, "POST", "/feeds", county, free, 201)
        assert (plain["steps"], plain["shown"]["kinds"]) == (None, ["domain", "ipv4"])
        assert (plain["shown"]["product"], plain["shown"]["most"]) == (None, 5)
        assert (await center.get(f"/feeds/{plain['token']}")).status == 200
        for wrong, code in (
            ({}, 422),
            ({"product": "bind", "format": "rpz"}, 422),
            ({"format": "abacus"}, 400),
            ({"format": "hosts", "kinds": ["ipv4"]}, 400),
            ({"format": "stix", "responses": True}, 400),
            ({"format": "rpz", "responses": True, "lock": "community"}, 400),
        ):
            await ask(center, "POST", "/feeds", county, wrong, code)


async def test_a_feed_of_responses_is_told_apart(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county = await admin(center, "county")
        await center.push(county, [indicator("evil-host.net", "green")])
        await center.project()
        said = {"product": "pihole", "responses": True}
        made = await ask(center, "POST", "/feeds", county, said, 201)
        assert (made["shown"]["responses"], made["shown"]["title"]) == (
            True, "pihole: responses, domain",
        )  # fmt: skip
        got = await center.get(f"/feeds/{made['token']}")
        assert (got.status, b"evil-host.net" in got.body) == (200, False)
        (listed,) = (await ask(center, "GET", "/feeds", county))["feeds"]
        assert listed["responses"]


async def test_what_holds_a_feeds_token_is_not_remembered_for_a_repeated_request(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await admin(center, "county")
        options = {"json": {"product": "opnsense", "kinds": ["ipv4"]}}
        options |= {"headers": {"Idempotency-Key": "one"}}
        first, again = [
            (await center.request("POST", f"{ROOT}/feeds", county, **options)).json
            for _ in range(2)
        ]
        assert first["token"] in first["path_url"]
        assert again["id"] == first["id"]
        assert first["token"] not in str(again)
        assert (again["token"], again["url"], again["steps"]) == (None, None, None)


async def test_the_center_turns_sources_on_and_off(database_url: str, tmp_path: Path) -> None:
    definition = """
title = "Liste"
kind = "directory"
licence = "CC0"
terms = "none"
attribution = "nobody"
tlp = "green"
confidence = 50
schedule = "every 1h"
path = "lists"
"""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "liste.toml").write_text(definition)
    async with world(database_url, tmp_path, feeds=folder) as center:
        analyst = await admin(center, "Testzentrum")
        (known,) = (await ask(center, "GET", "/sources", analyst))["sources"]
        assert (known["name"], known["state"]) == ("liste", "off")
        refused = await ask(center, "POST", "/sources/liste/start", analyst, {}, 400)
        assert "terms" in refused["detail"]
        said = {"accept_terms": True}
        started = await ask(center, "POST", "/sources/liste/start", analyst, said)
        assert (started["state"], started["organisation"] is None) == ("never", False)
        assert (await ask(center, "POST", "/sources/liste/stop", analyst))["state"] == "off"
        await ask(center, "POST", "/sources/other/start", analyst, said, 404)
