"""My feeds: a person makes one, and a device fetches what the page said."""

import base64
import re
from importlib import resources
from pathlib import Path

import aiohttp

from cybercoop.members.tokens import Scope
from cybercoop.web.pages import rendering
from web.browser import Browser
from world import indicator, world

ROOM = resources.files("cybercoop.web.pages")


def basic(user: str, token: str) -> dict[str, str]:
    said = base64.b64encode(f"{user}:{token}".encode()).decode()
    return {"Authorization": f"Basic {said}"}


async def test_a_feed_is_made_with_its_steps_and_a_device_fetches_it(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner = await center.org("Landkreis A", scope=Scope.ADMIN)
        other = await center.org("Landkreis B", scope=Scope.ADMIN)
        await center.push(other, [indicator("evil-name.net", "green", confidence=80)])
        await center.project()
        async with Browser(center) as browser, Browser(center) as others:
            await browser.sign_in(owner.token)
            assert "noch keinen Feed" in (await browser.get("/devices")).text
            form = (await browser.get("/devices/new?product=fortigate")).form("/devices/new")
            assert "domain" in form.choices["kind"]
            made = await browser.send(form, kind="domain", least="50", title="Tor <1>")
            assert "FortiGate" in made.text
            assert "Wochen" in made.text or "Woche" in made.text
            url, user, token = re.findall("<code>(.*?)</code>", made.source)
            assert url.startswith(center.address)
            async with aiohttp.ClientSession(headers=basic(user, token)) as device:
                answer = await device.get(url)
                assert (answer.status, (await answer.text()).strip()) == (200, "evil-name.net")
            shown = await browser.get("/devices")
            assert "Tor <1>" in shown.text
            assert token not in shown.source
            await others.sign_in(other.token)
            assert "Tor" not in (await others.get("/devices")).source


async def test_looking_up_says_which_feed_carries_a_value_and_why_another_does_not(
    tmp_path: Path,
) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        owner = await center.org("Landkreis A", scope=Scope.ADMIN)
        await center.push(owner, [indicator("evil-name.net", "green", confidence=60)])
        await center.project()
        async with Browser(center) as browser:
            await browser.sign_in(owner.token)
            form = (await browser.get("/devices/new?product=pihole")).form("/devices/new")
            for least, title in (("50", "Filiale"), ("90", "Rathaus")):
                await browser.send(form, least=least, title=title)
            form = (await browser.get("/lookup")).form("/lookup")
            found = (await browser.send(form, values="evil-name.net")).text
            assert "Filiale : führt ihn" in found
            assert "Rathaus : führt ihn nicht Die Sicherheit ist 60; der Feed verlangt 90." in found


async def test_a_feed_of_responses_is_made_on_the_page(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner = await center.org("Landkreis A", scope=Scope.ADMIN)
        await center.push(owner, [indicator("evil-name.net", "green", confidence=80)])
        await center.project()
        async with Browser(center) as browser:
            await browser.sign_in(owner.token)
            form = (await browser.get("/devices/new?product=fortigate")).form("/devices/new")
            made = await browser.send(form, kind="domain", least="50", responses="1")
            url, user, token = re.findall("<code>(.*?)</code>", made.source)
            async with aiohttp.ClientSession(headers=basic(user, token)) as device:
                answer = await device.get(url)
                assert (answer.status, await answer.text()) == (200, "")
            assert "Sperrungen aus Einsätzen" in (await browser.get("/devices")).text
            form = (await browser.get("/devices/new?product=suricata")).form("/devices/new")
            assert (await browser.send(form, responses="1")).status == 422


async def test_what_a_product_does_not_take_is_said_on_the_form(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    async with world(url, tmp_path) as center:
        owner = await center.org("Landkreis A", scope=Scope.ADMIN)
        async with Browser(center) as browser:
            await browser.sign_in(owner.token)
            form = (await browser.get("/devices/new?product=fortigate")).form("/devices/new")
            for said in ({"kind": ""}, {"kind": "email"}, {"kind": "domain", "least": "101"}):
                page = await browser.send(form, **said)
                assert page.status == 422
                assert page.form("/devices/new")
            for wrong in ("", "nothing", "<script>"):
                page = await browser.get(f"/devices/new?product={wrong}")
                assert page.status == 404
                assert (await browser.send(form, product=wrong)).status == 404
            strange = await browser.ask("GET", "/devices", headers={"Host": 'x"onmouseover=1'})
            assert strange.status in {200, 400}
            told = await browser.ask(
                "POST",
                "/devices/new",
                data=dict(form.filled(kind="domain")),
                headers={"Host": "x y<b>"},
            )
            assert told.status == 400
            assert "noch keinen Feed" in (await browser.get("/devices")).text


async def test_a_product_that_asks_taxii_gets_a_token_that_reads(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner = await center.org("Landkreis A", scope=Scope.ADMIN)
        async with Browser(center) as browser:
            await browser.sign_in(owner.token)
            form = (await browser.get("/devices/new?product=sentinel")).form("/devices/new")
            made = await browser.send(form)
            url, user, token = re.findall("<code>(.*?)</code>", made.source)
            async with aiohttp.ClientSession(headers=basic(user, token)) as device:
                assert (await device.get(url)).status == 200
                push = await device.post(f"{center.address}/api/v1/push", data=b"{}")
                assert push.status == 403


async def test_who_is_no_admin_sees_feeds_but_makes_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    async with world(url, tmp_path) as center:
        owner = await center.org("Landkreis A")
        async with Browser(center) as browser:
            await browser.sign_in(owner.token)
            assert "Umfang admin" in (await browser.get("/devices")).text
            assert (await browser.get("/devices/new?product=fortigate")).status == 403
            said = (await browser.get("/lookup")).form("/lookup").filled()[0]
            fields = [said, ("product", "fortigate"), ("kind", "domain")]
            assert (await browser.post("/devices/new", fields)).status == 403


def test_every_text_is_there_in_both_languages_and_used() -> None:
    files = [*ROOM.joinpath("templates").iterdir(), *ROOM.iterdir()]
    sources = [file.read_text() for file in files if file.name.endswith((".html", ".py"))]
    written = "".join(sources)
    for name, said in rendering.texts().items():
        assert set(said) == {"de", "en"}, name
        holes = [set(re.findall(r"\{(\w+)\}", said[language])) for language in ("de", "en")]
        assert holes[0] == holes[1], name
    asked = set(re.findall(r'"([a-z]+\.[a-z_]+)"', written))
    files_named = {name for name in asked if name.endswith((".html", ".css", ".toml"))}
    assert sorted(asked - files_named - {*rendering.texts(), "push.level_"}) == []
    open_ended = ("kind.", "error.", "outcome.", "push.level_")
    # the start page names them one after the other
    rooms = ("push", "lookup", "incidents", "devices", "kept")
    named = asked | {f"{room}.{what}" for room in rooms for what in ("title", "lead", "short")}
    unused = [name for name in rendering.texts() if name not in named | {"start.short"}]
    assert [name for name in unused if not name.startswith(open_ended)] == []
