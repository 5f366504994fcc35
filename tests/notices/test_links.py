"""A link answers one task once; every link that does not work is answered alike."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from cybercoop.collect import leaving
from cybercoop.errors import Misused
from cybercoop.members.tokens import digest
from cybercoop.notices import links
from cybercoop.store import task_links
from cybercoop.store.task_links import TaskLink
from notices.desk import add_task, found_task, office
from notices.office import ADDRESS, DAY, notice, person, post, rounds, told
from notices.receivers import mail_server
from web.browser import Browser
from world import Seat, World

URL = "sqlite:///{}/coop.sqlite"


async def made(center: World, seat: Seat, task_id: str) -> str:
    who = await person(center, seat, f"for-{task_id}")
    async with center.database.write() as connection:
        return await links.make(connection, task_id, who.id, center.surroundings)


async def test_a_phone_answers_without_signing_in_once(database_url: str, tmp_path: Path) -> None:
    async with office(database_url, tmp_path) as center, Browser(center) as phone:
        county = await center.org("county")
        path = await made(center, county, await add_task(center, county, "task"))
        page = await phone.get(path)
        assert (page.status, "Adresse sperren" in page.text) == (200, True)
        assert "Sind Sie betroffen?" in page.text
        assert "<b>" not in page.source
        assert "Are you" not in page.text
        sent = page.form("").filled(__hit__="yes", __count__="3", comment="Zwei <b>Server</b>")
        page = await phone.post(path, sent)
        assert (page.status, "Danke" in page.text) == (200, True)
        task = await found_task(center, "task")
        assert json.loads(task["answers"]) == {"__hit__": "yes", "__count__": "3"}
        assert (task["reason"], task["state"]) == ("Zwei <b>Server</b>", "done")
        for again in (await phone.get(path), await phone.post(path, sent)):
            assert (again.status, "funktioniert nicht mehr" in again.text) == (404, True)
        assert not phone.session.cookie_jar


async def test_looking_changes_nothing(tmp_path: Path) -> None:
    async with office(URL.format(tmp_path), tmp_path) as center, Browser(center) as scanner:
        county = await center.org("county")
        path = await made(center, county, await add_task(center, county, "task"))
        for method in ("GET", "HEAD", "GET"):
            await scanner.ask(method, path)
        assert (await found_task(center, "task"))["ended_at"] is None
        assert (await scanner.post(path, [("__hit__", "no")])).status == 200


async def test_a_page_tells_nobody_where_it_was_and_leads_nowhere(tmp_path: Path) -> None:
    async with office(URL.format(tmp_path), tmp_path) as center, Browser(center) as phone:
        county = await center.org("county")
        path = await made(center, county, await add_task(center, county, "task"))
        for status, where in ((200, path), (404, "/t/" + "x" * 43)):
            page = await phone.get(where)
            assert page.status == status
            assert page.headers["Referrer-Policy"] == "no-referrer"
            assert page.headers["Cache-Control"] == "no-store"
            assert "noindex" in page.headers["X-Robots-Tag"]
            policy = page.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "form-action 'self'" in policy
            assert "Set-Cookie" not in page.headers
            assert where.rpartition("/")[2] not in page.source
            leads = {said["href"] for tag, said in page.tags if tag in {"a", "link"}}
            assert leads <= {"/style.css", "?lang=de", "?lang=en"}
            assert "script" not in {tag for tag, _ in page.tags}
        page = await phone.get(f"{path}?lang=en")
        assert "I do not know" in page.text


async def _dead(center: World, county: Seat, other: Seat) -> dict[str, str]:
    """Return links of every kind that must not work."""
    found = {"forged": "/t/" + "A" * 43, "short": "/t/abc", "long": "/t/" + "A" * 5000}
    found |= {
        "strange": "/t/%00%0d%0aSet-Cookie:x",
        "dots": "/t/..%2f..%2f",
        "text": f"/t/{'ä€' * 20}",
    }
    for name in ("used", "ended", "expired", "left"):
        seat = other if name == "left" else county
        found[name] = await made(center, seat, await add_task(center, seat, name))
    foreign = await person(center, other, "foreign")
    await add_task(center, county, "foreign")
    now = center.clock.now
    async with center.database.write() as connection:
        stolen = TaskLink("foreign", foreign.id)
        with pytest.raises(Misused):
            await links.make(connection, "foreign", foreign.id, center.surroundings)
        await task_links.add(connection, stolen, digest("F" * 43), now, now + DAY)
        await task_links.add(
            connection, TaskLink("expired", foreign.id), digest("E" * 43), now - 9 * DAY, now
        )
    return found | {"foreign": "/t/" + "F" * 43, "too old": "/t/" + "E" * 43}


async def test_links_that_do_not_work_are_answered_alike(database_url: str, tmp_path: Path) -> None:
    async with office(database_url, tmp_path) as center, Browser(center) as phone:
        county, other = await center.org("county"), await center.org("other")
        found = await _dead(center, county, other)
        fields = [("__hit__", "yes")]
        assert (await phone.post(found["used"], fields)).status == 200
        path = found.pop("ended")
        second = await made(center, county, await add_task(center, county, "twice"))
        assert (await phone.post(second, fields)).status == 200
        file = tmp_path / "all.json"
        await leaving.leave(center.database, "other", file, center.clock.now, withdraw=True)
        del found["expired"]
        first = await phone.get(found["forged"])
        for name, one in found.items():
            for page in (await phone.get(one), await phone.post(one, fields)):
                assert page.status == 404, name
                assert page.source == first.source, name
                assert _told(page.headers) == _told(first.headers), name
        assert (await phone.get(path)).status == 200
        center.clock.forward(links.DAYS * DAY)
        late = await phone.get(path)
        assert (late.status, late.source) == (404, first.source)
        assert (await found_task(center, "foreign"))["ended_at"] is None


def _told(headers: Any) -> dict[str, str]:
    return {name: text for name, text in headers.items() if name != "Date"}


async def test_an_answer_that_is_refused_leaves_the_link_good(tmp_path: Path) -> None:
    async with office(URL.format(tmp_path), tmp_path) as center, Browser(center) as phone:
        county = await center.org("county")
        path = await made(center, county, await add_task(center, county, "task"))
        page = await phone.post(path, [("__hit__", "yes"), ("__count__", '">viele')])
        assert page.status == 422
        assert "That is no number." in page.text
        assert "&#34;&gt;viele" in page.source
        assert (await found_task(center, "task"))["ended_at"] is None
        assert (await phone.post(path, page.form("").filled(__count__="4"))).status == 200


async def test_of_answers_at_the_same_moment_one_counts(database_url: str, tmp_path: Path) -> None:
    async with office(database_url, tmp_path) as center, Browser(center) as phone:
        county = await center.org("county")
        path = await made(center, county, await add_task(center, county, "task"))
        pages = await asyncio.gather(
            *(phone.post(path, [("__hit__", "yes"), ("__count__", str(n))]) for n in range(8))
        )
    assert sorted(page.status for page in pages) == [200] + 7 * [404]


async def test_a_link_that_was_mailed_works_and_is_kept_as_a_hash(tmp_path: Path) -> None:
    async with (
        office(URL.format(tmp_path), tmp_path) as center,
        mail_server() as box,
        Browser(center) as phone,
    ):
        county = await center.org("county")
        await person(center, county, "anna")
        await add_task(center, county, "task")
        for lock in ("group:members", "strict:members"):
            await told(center, notice(center, county, lock, lock, task_id="task"))
            await rounds(center, post(center, box))
        texts = [one.get_body(("plain",)).get_content() for one in box.taken]  # type: ignore[union-attr]
        found = [re.findall(rf"{ADDRESS}(/t/[\w-]+)", text) for text in texts]
        assert [len(set(some)) for some in found] == [1, 0]
        token = found[0][0].removeprefix("/t/")
        assert token.encode() not in (tmp_path / "coop.sqlite").read_bytes()
        assert (await phone.get(found[0][0])).status == 200
