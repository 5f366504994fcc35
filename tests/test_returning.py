"""Returning: a value that comes back has another id, and the end of the first one stays told."""

from pathlib import Path

from cybercoop.members.organisations import Kind
from test_tightening_later import AMBER, SECOND, THIRD
from world import indicator, world

FOURTH = "2026-10-04T08:00:00.000Z"


async def test_who_asks_after_it_came_back_learns_that_the_first_ended(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        said = indicator("evil-host.net", "green")
        await center.push(county, [said])
        await center.project()
        path = "/taxii2/coop/collections/feed/objects/"
        first = await center.get(path, partner)
        since = first.headers["X-TAXII-Date-Added-Last"]
        (known,) = [one["id"] for one in first.objects if one["type"] == "indicator"]
        for change in {"modified": SECOND, "revoked": True}, {"modified": THIRD}:
            await center.push(county, [said | change])
            await center.project()
        later = await center.feed(partner, added_after=since)
        assert [(one["id"] == known, one.get("revoked", False)) for one in later] == [
            (True, True),
            (False, False),
        ]
        (alone,) = (await center.get(f"{path}{known}/", partner)).objects
        assert alone["revoked"] is True
        await center.push(county, [said | AMBER | {"modified": FOURTH}])
        await center.project()
        assert "evil-host.net" not in str(await center.feed(partner, **{"match[version]": "all"}))
