"""A feed over HTTP: what a device gets, and when it gets nothing new."""

from pathlib import Path

from exports.devices import devices

DAY = 86_400_000_000


async def test_a_firewall_fetches_a_list_by_path_token_and_by_credentials(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as door:
        county = await door.center.org("Landkreis A")
        await door.push(county, "boese.example", "noch.boese.example")
        feed = await door.feed(county)
        answer = await door.ask(feed.path)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        assert set(answer.body.decode().splitlines()) == {"boese.example", "noch.boese.example"}
        assert answer.body.endswith(b"\n")
