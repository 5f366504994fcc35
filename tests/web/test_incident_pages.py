"""Incidents on plain pages: reported, worked on, shared after a preview; nobody else's."""

import hashlib
import re
from pathlib import Path

import pytest

from cybercoop.members.tokens import Scope
from incidents.cases import ask, reported
from web.browser import Browser, Form, Page
from world import SECOND, world


def deed(page: Page, name: str) -> Form:
    return next(one for one in page.forms if ("deed", name) in one.fields)


async def made(browser: Browser, token: str, **more: str) -> Page:
    """Report an incident by its form and return its page."""
    await browser.sign_in(token)
    form = (await browser.get("/incidents/new")).form("/incidents/new")
    said = {"title": "Befall <b>", "text": "Zeile 1\r\nZeile 2", "severity": "high"}
    return await browser.send(form, **said, kind="malicious-code/infected-system", **more)


async def test_an_incident_is_reported_and_worked_on(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center, Browser(center) as browser:
        county = await center.org("Landkreis A")
        page = await made(browser, county.token, known="2026-10-25T02:30")
        assert page.status == 200
        assert "Befall <b>" in page.text
        assert "25.10.2026, 02:30 Uhr (CEST)" in page.text
        assert "überfällig" in page.text
        path = deed(page, "note").action
        page = await browser.send(deed(page, "change"), state="contained", severity="critical")
        assert "severity: high → critical" in page.text
        page = await browser.send(deed(page, "note"), note="Netz\ngetrennt")
        page = await browser.send(deed(page, "link"), values="hxxp://evil-host[.]net/a")
        assert "http://evil-host.net/a" in page.text
        page = await browser.send(deed(page, "attach"), file=("a<b>.txt", b"x"))
        assert hashlib.sha256(b"x").hexdigest() in page.text
        file = next(
            said["href"] for tag, said in page.tags if "/files/" in (said.get("href") or "")
        )
        got = await browser.get(file or "")
        assert got.source == "x"
        assert got.headers["Content-Disposition"].startswith("attachment")
        page = await browser.send(deed(page, "clock"), outcome="waived", reason="")
        assert page.status == 422
        page = await browser.send(deed(page, "clock"), outcome="waived", reason="kein Risiko")
        assert "entfällt" in page.text
        page = await browser.send(deed(page, "start"), profile="bsig")
        assert "§ 32 BSIG" in page.text
        draft = await browser.get(f"{path}/draft?profile=bsig&stage=early")
        assert "Befall" not in draft.text or "Zeile 1" in draft.text
        person = {"kind": "affected", "name": "Muster, Erika", "mail": "e@a.example", "phone": ""}
        page = await browser.send(deed(page, "person"), **person)
        assert "Muster, Erika" in page.text
        page = await browser.send(deed(page, "erase"))
        assert "Muster" not in page.text
        async with browser.session.get(f"{center.address}{path}/report.pdf") as answer:
            assert (await answer.read()).startswith(b"%PDF-")
        assert '"incident"' in (await browser.get(f"{path}/bundle.json")).source
        listed = await browser.get("/incidents")
        assert "Befall <b>" in listed.text
        english = await browser.get(f"{path}?lang=en")
        assert "Duties to report" in english.text


async def test_what_is_shared_was_seen_before(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center, Browser(center) as browser:
        county, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        page = await made(browser, county.token)
        page = await browser.send(deed(page, "link"), values="evil-host.net")
        path = deed(page, "note").action
        seen = await browser.send(page.form(f"{path}/preview"), tlp="amber", group="")
        assert "Landkreis B" in seen.text
        assert "Befall" not in seen.text
        center.clock.forward(SECOND)
        await browser.send(deed(page, "note"), note="Es geht weiter")
        moved = await browser.send(seen.form(f"{path}/share"))
        assert (moved.status, "seit der Vorschau geändert" in moved.text) == (409, True)
        page = await browser.send(moved.form(f"{path}/share"))
        assert "group:members" in page.text
        await center.project()
        assert await center.patterns(other) == {"[domain-name:value = 'evil-host.net']"}
        page = await browser.send(deed(page, "withdraw"))
        assert not [one for one in page.forms if ("deed", "withdraw") in one.fields]
        refused = await browser.send(page.form(f"{path}/preview"), tlp="red")
        assert refused.status == 422


async def test_a_foreign_incident_has_no_page(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center, Browser(center) as browser:
        county, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        number = await reported(center, county)
        await browser.sign_in(other.token)
        unknown = "5c0ffee0-0000-4000-8000-000000000000"
        token = (await browser.get("/lookup")).form("/lookup").filled()[0]
        for end in ("", "/draft?profile=bsig&stage=early", "/report.pdf", "/bundle.json"):
            pages = [await browser.get(f"/incidents/{one}{end}") for one in (number, unknown)]
            assert [one.status for one in pages] == [404, 404]
            assert pages[0].source.replace(number, unknown) == pages[1].source
        for end, said in (("", [("deed", "erase")]), ("/preview", []), ("/share", [])):
            answer = await browser.post(
                f"/incidents/{number}{end}", [token, *said, ("tlp", "green")]
            )
            assert answer.status == 404
        assert "Verschlüsselung" not in (await browser.get("/incidents")).text
        shown = await ask(center, "GET", f"/incidents/{number}", county)
        assert len(shown["timeline"]) == 1


async def test_who_may_only_read_sees_no_form_and_no_people(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    async with world(url, tmp_path) as center, Browser(center) as browser:
        county = await center.org("Landkreis A")
        number = await reported(center, county)
        said = {"kind": "affected", "name": "Muster, Erika"}
        await ask(center, "POST", f"/incidents/{number}/people", county, said, 201)
        reader = await center.seat("Landkreis A", Scope.READ)
        await browser.sign_in(reader.token)
        page = await browser.get(f"/incidents/{number}")
        assert page.status == 200
        assert "Muster" not in page.text
        assert [one.action for one in page.forms] == ["/signout"]
        assert (await browser.get("/incidents/new")).status == 403


@pytest.mark.parametrize(
    "said",
    [
        {"title": ""},
        {"kind": "nothing"},
        {"severity": "x"},
        {"known": "gestern"},
        {"known": "9999-12-31T23:59"},
        {"text": "bell \u0007"},
    ],
)
async def test_what_is_wrong_is_said_on_the_form(said: dict[str, str], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    async with world(url, tmp_path) as center, Browser(center) as browser:
        county = await center.org("Landkreis A")
        await browser.sign_in(county.token)
        form = (await browser.get("/incidents/new")).form("/incidents/new")
        usual = {"title": "Befall", "kind": "fraud/phishing", "severity": "low"}
        page = await browser.send(form, **(usual | said))
        assert page.status == 422
        assert page.form("/incidents/new")
        assert re.search("noch keinen Vorfall", (await browser.get("/incidents")).text)
