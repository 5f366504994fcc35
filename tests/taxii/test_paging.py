"""Walking through a collection (TAXII 2.1 sections 3.3 and 3.5)."""

from typing import Any

import pytest

from taxii.lab import (
    LAST,
    OWN,
    READ_WRITE,
    Lab,
    asking,
    by_header,
    by_next,
    everything,
    several,
    shown,
    standing,
)
from world import World, indicator

HERE = "collections/phishing/objects/"
EVERY = {"match[version]": "all", "match[spec_version]": "2.0,2.1"}


@pytest.mark.parametrize("match", [EVERY, {"match[version]": "all"}, {}], ids=["all", "2.1", "now"])
@standing
async def test_a_walk_by_next_meets_everything_once(
    standing_lab: Lab, match: dict[str, str]
) -> None:
    """TAXII checklist 39: four of the objects came at one moment, two of them with one id."""
    whole = await standing_lab.objects(**match)
    for limit in (1, 3, 7):
        pages = await by_next(standing_lab.get, HERE, limit=limit, **match)
        assert everything(pages) == whole
        assert {len(page.objects) for page in pages[:-1]} <= {limit}
        assert [page.json["more"] for page in pages] == [True] * (len(pages) - 1) + [False]
        assert "next" not in pages[-1].json
    assert len(await standing_lab.objects(**EVERY)) == len(READ_WRITE["objects"])


async def test_a_walk_by_time_meets_everything_of_a_bulk_post(stored_center: World) -> None:
    """TAXII checklist 40."""
    seat = await stored_center.org("Landkreis A")
    posted = several(23)
    await stored_center.post(seat, posted)
    for limit in (1, 5):
        pages = await by_header(asking(stored_center, seat), f"{OWN}objects/", limit=limit)
        assert [one for page in pages for one in page.objects] == posted


async def test_manifest_and_versions_are_walked_by_time(stored_center: World) -> None:
    """TAXII checklist 41."""
    seat, ask = await stored_center.org("Landkreis A"), None
    one, *others = several(9)
    later = [one | {"modified": f"2026-10-02T08:00:{number:02}.000Z"} for number in range(8)]
    await stored_center.post(seat, [one, *later, *others])
    ask = asking(stored_center, seat)
    records = await by_header(ask, f"{OWN}manifest/", limit=2, **{"match[version]": "all"})
    assert everything(records) == [(i["id"], i["modified"]) for i in (one, *later, *others)]
    versions = await by_header(ask, f"{OWN}objects/{one['id']}/versions/", limit=2)
    found = [version for page in versions for version in page.json["versions"]]
    assert found == [version["modified"] for version in (one, *later)]
    assert all("next" not in page.json for page in (*records, *versions))


async def test_what_comes_and_goes_during_a_walk_disturbs_nobody(stored_center: World) -> None:
    """TAXII checklist 42."""
    center, seat = stored_center, await stored_center.org("Landkreis A")
    held = several(9)
    await center.post(seat, held)
    ask, path = asking(center, seat), f"{OWN}objects/"
    page = await ask(path, limit=2)
    seen = shown(page)
    gone = [held[1], held[6]]  # the last one seen, and one to come
    for one in gone:
        await center.request("DELETE", f"{path}{one['id']}/", seat)
    changed = held[3] | {"modified": "2026-10-02T08:00:00.000Z"}
    await center.post(seat, [indicator("new.example"), changed])
    while page.json.get("more"):
        page = await ask(path, next=page.json["next"])
        seen += shown(page)
    assert len(seen) == len(set(seen))
    kept = [one["id"] for one in held if one not in (*gone, held[3])]
    assert [stix_id for stix_id, _ in seen] == [
        kept[0],
        held[1]["id"],
        *kept[1:],
        indicator("new.example")["id"],
        changed["id"],
    ]


@standing
async def test_next_goes_on_with_its_own_question_whatever_else_is_sent(standing_lab: Lab) -> None:
    """TAXII checklist 43: added_after beside next."""
    question = {"match[version]": "all", "match[type]": "indicator,malware"}
    after = "2024-03-05T10:00:00.250000Z"
    whole = await standing_lab.objects(added_after=after, **question)
    first = await standing_lab.get(HERE, limit=1, added_after=after, **question)
    more: list[dict[str, Any]] = [
        {},
        {"added_after": after},
        {"added_after": "2030-01-01T00:00:00Z"},
        {"added_after": first.headers[LAST], "limit": 9},
        question,
        {"match[type]": "malware,indicator"},
    ]
    for sent in more:
        rest = await by_next(standing_lab.get, HERE, next=first.json["next"], **sent)
        assert shown(first) + everything(rest) == whole, sent


async def test_next_with_another_question_is_refused(lab: Lab) -> None:
    """TAXII checklist 43: changed filters."""
    question = {"match[type]": "indicator,malware"}
    following = (await lab.get(HERE, limit=1, **question)).json["next"]
    for other in (
        {"match[type]": "tool"},
        {"match[type]": "indicator"},
        {"match[id]": READ_WRITE["objects"][0]["id"]},
        {"match[version]": "all"},
        {"match[spec_version]": "2.0"},
    ):
        answer = await lab.get(HERE, next=following, **other)
        assert answer.status == 400, other
        assert answer.json["description"].startswith("next ")


async def test_a_next_that_was_tampered_with_is_refused(lab: Lab) -> None:
    """TAXII checklist 30."""
    following = (await lab.get(HERE, limit=1)).json["next"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = {one: letters[(letters.index(one) + 1) % 64] for one in letters}
    for place, letter in enumerate(following):
        changed = following[:place] + others[letter] + following[place + 1 :]
        assert (await lab.get(HERE, next=changed)).status == 400, place
    for changed in (following + "A", following + "==", following[:-1], following[1:]):
        assert (await lab.get(HERE, next=changed)).status == 400, changed


async def test_a_long_question_goes_on_by_a_short_next(center: World) -> None:
    seat = await center.org("Landkreis A")
    posted = several(120)
    await center.post(seat, posted)
    ids = ",".join(one["id"] for one in posted)
    pages = await by_next(asking(center, seat), f"{OWN}objects/", limit=50, **{"match[id]": ids})
    assert [one for page in pages for one in page.objects] == posted
    assert len(pages[0].json["next"]) < len(ids)


async def test_places_tell_nothing_about_what_others_push(center: World) -> None:
    seat, other = await center.org("Landkreis A"), await center.org("Landkreis B")
    await center.post(seat, several(4))
    path = f"{OWN}objects/?limit=2"
    before = await center.get(path, seat)
    await center.post(other, several(40))
    after = await center.get(path, seat)
    assert (before.body, before.headers["Etag"]) == (after.body, after.headers["Etag"])
