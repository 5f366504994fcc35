"""Clients to get along with: each asks as the real product does."""

import asyncio
import base64
from typing import Any

from taxii2client.v21 import Collection, Server, Status, as_pages

from taxii.lab import LAST, OWN, asking, everything, raw, several, shown
from world import TAXII, Answer, Seat, World, envelope, indicator

ROOT = "/taxii2/coop/"
FEED = f"{ROOT}collections/feed/objects/"


async def counties(center: World, count: int = 7) -> tuple[Seat, list[str]]:
    """Let one county push and another read; return it and the patterns it is to find."""
    one, other = await center.org("Landkreis A"), await center.org("Landkreis B")
    pushed = [indicator(f"{number}.evil.example", "green") for number in range(count)]
    await center.push(one, pushed)
    await center.project()
    return other, [each["pattern"] for each in pushed]


def patterns(answer: Answer) -> list[str]:
    return [one["pattern"] for one in answer.objects]


def basic(seat: Seat) -> dict[str, str]:
    """Return the headers of a device that knows a name and a password."""
    text = base64.b64encode(f"fortigate:{seat.token}".encode()).decode()
    return {"Authorization": f"Basic {text}", "Accept": TAXII}


async def test_elastic_may_drop_its_filters_on_later_pages(stored_center: World) -> None:
    """TAXII checklist, clients: Elastic takes its cursor from the header."""
    center = stored_center
    seat, expected = await counties(center)
    cursor, kind = "2026-01-01T00:00:00.000Z", {"match[type]": "indicator"}
    for new in ([], ["[domain-name:value = 'late.example']"]):
        if new:
            await center.push(center.seats["Landkreis A"], [indicator(new[0], "green")])
            await center.project()
        found, sent = [], {"added_after": cursor, "limit": "3"} | kind
        while True:
            answer = await center.get(FEED, seat, **sent)
            found += patterns(answer)
            cursor = answer.headers[LAST]
            if not answer.json.get("more"):
                break
            sent = {"next": answer.json["next"], "limit": "3"}
        assert sorted(found) == sorted(new or expected)
    assert shown(await center.get(FEED, seat, added_after=cursor, **kind)) == []


async def test_opencti_may_send_added_after_beside_next(stored_center: World) -> None:
    """TAXII checklist, clients: OpenCTI, with parameters that nobody else knows."""
    seat, expected = await counties(stored_center)
    found: list[str] = []
    sent = {"added_after": "2026-01-01T00:00:00.000Z", "match[type]": "indicator", "limit": "3"}
    more: dict[str, str] = {}
    while True:
        answer = await stored_center.get(FEED, seat, version="2.1", x_page="1", **sent, **more)
        found += patterns(answer)
        if not answer.json.get("more"):
            break
        more = {"next": answer.json["next"]}
    assert sorted(found) == sorted(expected)


async def test_opencti_finds_root_and_collection_by_their_names(center: World) -> None:
    """TAXII checklist, clients: the root by its second-to-last segment, the rest by title."""
    seat = await center.org("Landkreis A")
    await center.group("Nord", seat)
    roots = (await center.get("/taxii2/", seat)).json["api_roots"]
    names = [root.split("/")[-2] for root in roots]
    assert sorted(names) == ["coop", "public"]
    for root in roots:
        found = (await center.get(f"{root}collections/", seat)).json["collections"]
        titles = [one["title"] for one in found]
        assert len(set(titles)) == len(titles) > 0


async def test_roots_speak_a_media_type_and_not_a_number(center: World) -> None:
    """TAXII checklist, clients: `versions: ["2.1"]` once broke Microsoft Sentinel."""
    seat = await center.org("Landkreis A")
    for root in (ROOT, "/taxii2/public/"):
        versions = (await center.get(root, seat)).json["versions"]
        assert versions == ["application/taxii+json;version=2.1"]


async def test_fortigate_reads_a_collection_with_name_and_password(center: World) -> None:
    """TAXII checklist, clients: FortiGate."""
    seat, expected = await counties(center)
    listed = (await center.get(f"{ROOT}collections/", seat)).json["collections"]
    feed = next(one["id"] for one in listed if one.get("alias") == "feed")
    path = f"{ROOT}collections/{feed}/objects/"
    answer = await center.request("GET", path, headers=basic(seat))
    held = [one["pattern"] for one in answer.objects if one["type"] == "indicator"]
    assert sorted(held) == sorted(expected)


async def test_sentinel_needs_root_collection_name_and_password(center: World) -> None:
    """TAXII checklist, clients: Sentinel polls by time."""
    seat, expected = await counties(center)
    headers, found = basic(seat), []
    assert (await center.request("GET", ROOT, headers=headers)).json["versions"] == [TAXII]
    after = "2026-01-01T00:00:00Z"
    for _ in range(9):
        params = {"added_after": after, "match[type]": "indicator", "limit": "3"}
        answer = await center.request("GET", FEED, headers=headers, params=params)
        found += patterns(answer)
        after = answer.headers[LAST]
    assert sorted(found) == sorted(expected)


async def test_misp_begins_with_an_empty_next(center: World) -> None:
    """TAXII checklist, clients: MISP pulls with `limit=50&next=`."""
    seat, expected = await counties(center, 60)
    found, following, pages = [], "", 0
    while pages == 0 or following:
        answer = await center.get(f"{FEED}?limit=50&next={following}", seat)
        assert answer.status == 200
        found += [one["pattern"] for one in answer.objects if one["type"] == "indicator"]
        following, pages = answer.json.get("next", ""), pages + 1
    assert sorted(found) == sorted(expected)
    assert pages == 2


async def test_a_bulk_post_gives_every_object_its_own_moment(stored_center: World) -> None:
    """TAXII checklist, clients: two reference servers share one and lose objects."""
    seat, _ = await counties(stored_center, 30)
    one = stored_center.seats["Landkreis A"]
    await stored_center.post(one, several(30))
    for path, reader in ((f"{OWN}manifest/", one), (FEED.replace("objects", "manifest"), seat)):
        records = (await stored_center.get(path, reader)).objects
        added = [record["date_added"] for record in records]
        assert len(added) >= 30
        assert added == sorted(set(added))


async def test_a_request_without_a_user_agent_is_served(center: World) -> None:
    """TAXII checklist, clients: raw sockets."""
    seat, _ = await counties(center, 1)
    lines = f"GET {FEED} HTTP/1.1", "Host: x", f"Authorization: Bearer {seat.token}", "", ""
    status, body = await raw(center.address, "\r\n".join(lines).encode())
    assert status == 200
    assert b"0.evil.example" in body


async def test_taxii2client_reads_everything_in_pages(stored_center: World) -> None:
    """TAXII checklist, clients: taxii2-client, which wants its media type back exactly."""
    seat, expected = await counties(stored_center)

    def read() -> tuple[str, list[str], list[str], list[int]]:
        url = f"{stored_center.address}/taxii2/"
        server = Server(url, user="county", password=seat.token)
        root = server.default
        titles = [one.title for one in root.collections]
        feed = next(one for one in root.collections if one.title.startswith("Feed"))
        pages = list(as_pages(feed.get_objects, per_request=3))
        records = list(as_pages(feed.get_manifest, per_request=100))
        server.close()
        objects = [one for page in pages for one in page["objects"]]
        held = [one["pattern"] for one in objects if one["type"] == "indicator"]
        return server.title, titles, held, [len(objects), len(records[0]["objects"])]

    title, titles, held, counts = await asyncio.to_thread(read)
    assert title == "Testzentrum"
    assert "Own contributions / Eigene Beiträge" in titles
    assert sorted(held) == sorted(expected)
    assert counts[0] == counts[1]


async def test_taxii2client_posts_and_reads_the_status(stored_center: World) -> None:
    """TAXII checklist, clients: taxii2-client as a contributor; it takes no alias for an id."""
    seat = await stored_center.org("Landkreis A")
    sent, place = several(3), f"{ROOT}collections/{seat.org.contributions_id}/"

    def push() -> tuple[Status, Status, dict[str, Any], dict[str, Any]]:
        known = {"user": "county", "password": seat.token}
        own = Collection(f"{stored_center.address}{place}", **known)
        posted = own.add_objects(envelope(sent), wait_for_completion=True)
        url = f"{stored_center.address}{ROOT}status/{posted.id}/"
        later = Status(url, **known)
        one = own.get_object(sent[0]["id"])
        own.delete_object(sent[1]["id"])
        left = own.get_objects()
        for client in (own, later):
            client.close()
        return posted, later, one, left

    posted, later, one, left = await asyncio.to_thread(push)
    assert (posted.status, posted.success_count, posted.failure_count) == ("complete", 3, 0)
    assert later.id == posted.id
    assert one["objects"] == [sent[0]]
    assert left["objects"] == [sent[0], sent[2]]


async def test_a_reader_meets_own_and_foreign_things_in_one_walk(center: World) -> None:
    seat, expected = await counties(center)
    await center.push(seat, [indicator("own.example", "amber")])
    await center.project()
    ask = asking(center, seat)
    first = await ask(FEED, limit=4)
    rest = await ask(FEED, next=first.json["next"], limit=100)
    whole = await ask(FEED)
    assert everything([first, rest]) == shown(whole)
    assert len(expected) < len(shown(whole))
