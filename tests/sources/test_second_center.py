"""A second cybercoop as source: everything is read, and resumed where the last run ended."""

from pathlib import Path

from yarl import URL

from cybercoop.egress import Credentials, Rules
from sources.collecting import collect, source
from sources.test_taxii import objects
from world import Seat, World, indicator, world


def rules(center: World) -> Rules:
    return Rules(
        schemes=frozenset({"http"}),
        ports=frozenset({URL(center.address).port or 0}),
        internal=frozenset({"127.0.0.1"}),
    )


def token(center: World, seat: Seat) -> Credentials:
    return Credentials(center.address, {"Authorization": f"Bearer {seat.token}"})


async def pushed(center: World, seat: Seat, first: int, last: int) -> None:
    await center.push(seat, [indicator(f"n{n}.example", "green") for n in range(first, last)])
    await center.project()


async def test_a_center_is_read_to_the_end_and_resumed(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path, page_limit=10) as center:
        giver, partner = await center.org("Landkreis A"), await center.org("Partner")
        own = token(center, partner)
        await pushed(center, giver, 0, 45)
        one = source("taxii21", f"{center.address}/taxii2/", collection="feed")
        wanted = [found["id"] for found in await center.feed(partner)]
        whole = await collect(one, rules(center), credentials=own)
        assert objects(whole) == wanted
        assert len(whole) > 4
        part = await collect(
            one, rules(center), credentials=own, until=lambda portion: portion.name == "page 3"
        )
        rest = await collect(one, rules(center), part[-1].cursor, credentials=own)
        assert set(objects(part)) | set(objects(rest)) == set(wanted)
        assert len(objects(part)) + len(objects(rest)) < len(wanted) + 10
        (nothing,) = await collect(one, rules(center), whole[-1].cursor, credentials=own)
        assert nothing.unchanged
        await pushed(center, giver, 45, 50)
        new = await collect(one, rules(center), nothing.cursor, credentials=own)
        assert len(objects(new)) == 5


async def test_the_public_feed_is_read_without_credentials(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        giver = await center.org("Landkreis A")
        await center.push(giver, [indicator("n.example", "clear")])
        await center.project()
        one = source("taxii21", f"{center.address}/taxii2/public/", collection="feed-public")
        got = await collect(one, rules(center))
        assert objects(got) == [found["id"] for found in await center.feed(None, "feed-public")]
