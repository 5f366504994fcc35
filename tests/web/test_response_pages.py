"""Pages of tasks and responses, as people meet them: forms alone, in two languages."""

import hashlib
from pathlib import Path

import pytest

from cybercoop.collect import founding
from cybercoop.members.tokens import Scope
from cybercoop.web import pages
from cybercoop.web.pages import responses, tasks
from responses.books import book, end, key, manual
from responses.stage import stage
from web.browser import Browser
from web.test_responses import imported, own_task, person
from world import world

EVIL = """"><script>alert(1)</script>{{7*7}}"""
BOOK = book(
    "lage",
    key("action", "look"),
    manual(
        "look",
        to=key("end", "end"),
        asks={"__gesehen__": "yes-no-unknown", "__beleg__": "file"},
        duty={"title": "Nachsehen", "role": "it-operations", "deadline": {"within": "PT4H"}},
    ),
    end(),
    variables={
        "__gesehen__": {"type": "string"},
        "__beleg__": {"type": "sha256-hash"},
        "__wert__": {"type": "string", "external": True, "description": "Welcher Wert?"},
    },
)


@pytest.fixture(autouse=True)
def _opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open the pages where the house does not yet do so itself."""
    rooms = dict.fromkeys((*pages._ROOMS, *tasks.ROOMS, *responses.ROOMS))
    monkeypatch.setattr(pages, "_ROOMS", tuple(rooms))


async def proposed(browser: Browser, **more: str) -> str:
    """Propose a response on the pages and return its path."""
    page = await browser.get("/responses/new?playbook=" + key("playbook", "lage"))
    said = {
        "of_group": "members",
        "value.__wert__": "x",
        "title": "Lage",
        "deed": "preview",
        "tlp": "amber",
    }
    seen = await browser.send(page.form("/responses/new"), **said | more)
    assert (seen.status, "Was geschehen wird" in seen.text) == (200, True), seen.text
    assert "Kreis 1 , Kreis 2" in seen.text
    made = await browser.send(seen.form("/responses/new"), deed="start")
    assert "Nötige Zustimmungen" in made.text
    return next(form.action for form in made.forms if form.action.startswith("/responses/"))


async def test_a_response_is_proposed_approved_answered_and_seen(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path, counties=2) as one:
        lena, anna = await person(one, "Lena"), await person(one, "Anna")
        await imported(one, lena, BOOK)
        async with Browser(one.world) as browser:
            await browser.sign_in(lena.token)
            path = await proposed(browser, exercise="1")
            page = await browser.get(path)
            own = await browser.send(page.form(path), deed="approve")
            assert (own.status, "kann ihm nicht zustimmen" in own.text) == (422, True)
        async with Browser(one.world) as browser:
            await browser.sign_in(anna.token)
            page = await browser.get(path)
            begun = await browser.send(page.form(path), deed="approve")
            assert "ÜBUNG" in begun.text
            assert "läuft" in begun.text
        county = one.counties[0]
        task = await own_task(one, county)
        async with Browser(one.world) as browser:
            await browser.sign_in(county.token)
            listed = await browser.get("/tasks")
            assert "Nachsehen" in listed.text
            place = f"/tasks/{task['id']}"
            form = (await browser.get(place)).form(place)
            assert form.choices["answer.__gesehen__"] == ["yes", "no", "unknown"]
            missing = await browser.send(form, deed="done")
            assert (missing.status, "braucht eine Antwort" in missing.text) == (422, True)
            said = await browser.send(form, deed="remark", text=EVIL)
            assert EVIL in said.text
            assert "<script>" not in said.source
            file = ("beleg.txt", b"Beleg")
            done = await browser.send(form, file, deed="done", **{"answer.__gesehen__": "yes"})
            assert hashlib.sha256(b"Beleg").hexdigest() in done.text
            assert "erledigt" in done.text
            link = next(
                said["href"] for tag, said in done.tags if tag == "a" and "/files/" in str(said)
            )
            kept = await browser.get(str(link))
            assert (kept.source, "attachment" in kept.headers["Content-Disposition"]) == (
                *("Beleg", True),
            )
            again = await browser.send(form, deed="fail", text="x")
            assert again.status == 422
            board = await browser.get(path)
            assert "Kreis 1" in board.text
            assert "Kreis 2" not in board.text
        async with Browser(one.world, **{"Accept-Language": "en"}) as browser:
            await browser.sign_in(lena.token)
            board = await browser.get(path)
            assert "EXERCISE" in board.text
            assert "yes: 1, no: 0, unknown: 0" in board.text
            async with browser.session.get(f"{one.world.address}{path}/report.pdf") as paper:
                assert (await paper.read()).startswith(b"%PDF")


async def test_the_center_leads_and_counties_take_part(tmp_path: Path) -> None:
    async with stage(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path, counties=2) as one:
        lena, anna = await person(one, "Lena"), await person(one, "Anna")
        await imported(one, lena, BOOK)
        async with Browser(one.world) as browser:
            await browser.sign_in(lena.token)
            path = await proposed(browser)
        async with Browser(one.world) as browser:
            await browser.sign_in(anna.token)
            form = (await browser.get(path)).form(path)
            await browser.send(form, deed="approve")
            paused = await browser.send(form, deed="pause")
            assert "angehalten" in paused.text
            await browser.send(form, deed="resume")
            asked = await browser.send(form, deed="ask", title="Fassung?", ask="Wie?", kind="text")
            assert "Fassung?" in asked.text
            wrong = await browser.send(form, deed="ask", title="")
            assert wrong.status == 422
        async with Browser(one.world) as browser:
            await browser.sign_in(one.counties[0].token)
            form = (await browser.get(path)).form(path)
            accepted = await browser.send(form, deed="accept", shares_state="1")
            assert accepted.status == 200
            foreign = await browser.send(form, deed="cancel")
            assert foreign.status == 400
            assert (await browser.get("/responses/new")).status == 403
        async with Browser(one.world) as browser:
            await browser.sign_in(one.counties[1].token)
            page = await browser.get(path)
            assert "Kreis 1" in page.text
            declined = await browser.send(page.form(path), deed="decline", text="kein Personal")
            assert "abgesagt" in declined.text


async def test_what_is_foreign_is_not_there_and_forms_need_their_token(tmp_path: Path) -> None:
    async with stage(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path, counties=2) as one:
        lena, anna = await person(one, "Lena"), await person(one, "Anna")
        await imported(one, lena, BOOK)
        async with Browser(one.world) as browser:
            await browser.sign_in(lena.token)
            path = await proposed(browser)
        async with Browser(one.world) as browser:
            await browser.sign_in(anna.token)
            await browser.send((await browser.get(path)).form(path), deed="approve")
        task = await own_task(one, one.counties[0])
        async with Browser(one.world) as browser:
            await browser.sign_in(one.counties[1].token)
            assert (await browser.get(f"/tasks/{task['id']}")).status == 404
            for place in (path, f"/tasks/{task['id']}", "/responses/new"):
                bare = await browser.post(place, [("deed", "cancel")])
                assert bare.status == 403
        reader = await one.world.seat("Kreis 1", Scope.READ)
        async with Browser(one.world) as browser:
            await browser.sign_in(reader.token)
            page = await browser.get(f"/tasks/{task['id']}")
            assert [form.action for form in page.forms] == ["/signout"]


async def test_nothing_to_do_is_said(tmp_path: Path) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        county = await center.org("Landkreis A")
        lead = await center.seat("Testzentrum")
        async with Browser(center) as browser:
            await browser.sign_in(county.token)
            assert "Es wartet nichts auf Sie" in (await browser.get("/tasks")).text
            assert "Es gibt keinen Einsatz" in (await browser.get("/responses")).text
        async with Browser(center) as browser:
            await browser.sign_in(lead.token)
            assert "kein Playbook" in (await browser.get("/responses/new")).text


async def test_who_carries_a_tag_is_chosen_on_the_page(tmp_path: Path) -> None:
    async with stage(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path, counties=2) as one:
        lena = await person(one, "Lena")
        await imported(one, lena, BOOK)
        await founding.change_tags(one.world.database, "Kreis 2", ["kritis"], [])
        async with Browser(one.world) as browser:
            await browser.sign_in(lena.token)
            page = await browser.get("/responses/new?playbook=" + key("playbook", "lage"))
            form = page.form("/responses/new")
            assert '<option value="kritis">' in page.source
            said = {"value.__wert__": "x", "deed": "preview", "tlp": "amber", "tag": "kritis"}
            seen = await browser.send(form, **said)
            assert ("Kreis 2" in seen.text, "Kreis 1" in seen.text) == (True, False)
