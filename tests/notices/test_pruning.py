"""What was told long ago is forgotten, and never told once more."""

from pathlib import Path

from sqlalchemy import select

from cybercoop.store.notice_tables import deliveries, notices
from notices.office import DAY, listed, notice, person, post, round_, rounds, told
from notices.receivers import mail_server
from world import World, world

_KEPT = 90 * DAY


async def words(center: World) -> dict[str, str]:
    """Return the words of every notice by its key."""
    async with center.database.read() as connection:
        return {
            row.key: row.subject_de + row.subject_en + row.text_de + row.text_en
            for row in await connection.execute(select(notices))
        }


async def test_old_notices_are_emptied_and_not_told_again(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center, mail_server() as box:
        county = await center.org("county")
        await person(center, county, "anna")
        await told(center, notice(center, county, "old"))
        await rounds(center, post(center, box))
        center.clock.forward(_KEPT)
        await told(center, notice(center, county, "newer"))
        await rounds(center, post(center, box))
        assert len(await listed(center)) == 2  # kept for so long, to the microsecond
        center.clock.forward(1)
        await told(center, notice(center, county, "old"), notice(center, county, "newest"))
        await rounds(center, post(center, box))
        kept = await words(center)
        assert {key for key, said in kept.items() if said} == {"newer", "newest"}
        assert set(kept) == {"old", "newer", "newest"}
        assert len(await listed(center)) == 2
    assert len(box.taken) == 3


async def test_what_still_waits_keeps_its_words_however_old_it_is(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center, mail_server() as box:
        county, other = await center.org("county"), await center.org("other")
        await person(center, county, "anna")
        await person(center, other, "bert")
        await told(center, notice(center, county, "now"))
        await told(center, notice(center, county, "digest", urgency="digest"))
        center.clock.forward(_KEPT + DAY)  # the center was off
        await told(center, notice(center, other, "new"))
        due = await round_(post(center, box))
        assert len(due) == 3
        assert {key for key, said in (await words(center)).items() if said} == {
            *("now", "digest", "new")
        }
        assert {one.state for one in await listed(center)} == {"sent"}
    assert len(box.taken) == 3


async def test_mail_that_found_no_server_is_forgotten_too(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        await person(center, county, "anna")
        await told(center, notice(center, county, "old"))
        await round_(post(center, None))
        assert [one.state for one in await listed(center)] == ["kept"]
        center.clock.forward(_KEPT + 1)
        await told(center, notice(center, county, "new"))
        await round_(post(center, None, kept_days=90))
        async with center.database.read() as connection:
            left = (await connection.execute(select(deliveries.c.notice_key))).scalars().all()
        assert list(left) == ["new"]
