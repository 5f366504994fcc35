"""The plain pages, as a person of a county meets them: over real HTTP, with a browser's cookies."""

import re
from pathlib import Path

import pytest

from cybercoop.members.tokens import Scope
from web.browser import Browser, Page
from world import Seat, indicator, world

MAIL = """Guten Tag,

bitte sperren Sie hxxps://evil.example[.]org/login und die Adresse 198[.]51[.]100[.]9.
Siehe readme.md, Version 10.0.190.1.

--\N{SPACE}
Max Muster, max.muster@example.com
"""
EVIL = """"><script>alert(1)</script>'{{1337*7}}<img src=x onerror=alert(1)>"""
PAGES = ("/", "/push", "/pushes", "/lookup", "/devices", "/kept")
POSTS = ("/push/preview", "/push/send", "/push/undo", "/lookup", "/devices/new", "/signout")


async def preview(browser: Browser, text: str) -> Page:
    page = await browser.get("/push")
    return await browser.send(page.form("/push/preview"), text=text)


async def test_a_mail_is_pasted_looked_at_pushed_seen_by_others_and_undone(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        async with Browser(center) as browser:
            start = await browser.sign_in(owner.token)
            assert "Landkreis A" in start.text
            seen = await preview(browser, MAIL)
            for value in ("https://evil.example.org/login", "198.51.100.9", "readme.md"):
                assert value in seen.text
            form = seen.form("/push/send")
            assert form.choices["take"] == ["0", "1"]
            assert "Landkreis B" in seen.text
            assert await center.patterns(other) == set()
            done = await browser.send(form, take="1", share="green")
            assert "1 von 1" in done.text
            await center.project()
            assert await center.patterns(other) == {"[ipv4-addr:value = '198.51.100.9']"}
            again = await browser.send(form, take=["0", "1"], share="green")
            assert "schon bekannt" in again.text
            await center.project()
            assert len(await center.patterns(other)) == 2
            undone = await browser.send(done.form("/push/undo"))
            assert "2 Werte" in undone.text
            await center.project()
            assert await center.patterns(other) == set()
            assert "nichts mehr übrig" in (await browser.send(done.form("/push/undo"))).text


async def test_who_would_see_it_is_said_before_by_name(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        await center.group("Krisenstab", owner)
        async with Browser(center) as browser:
            await browser.sign_in(owner.token)
            form = (await preview(browser, "evil[.]example[.]org")).form("/push/send")
            assert form.choices["share"] == [
                *("amber+strict krisenstab", "amber krisenstab"),
                *("amber+strict members", "amber members", "green", "clear"),
            ]
            unsaid = await browser.send(form)
            assert (unsaid.status, "wer es sehen darf" in unsaid.text) == (422, True)
            nothing = await browser.send(form, take=[], share="green")
            assert (nothing.status, "mindestens einen Wert" in nothing.text) == (422, True)
            await browser.send(unsaid.form("/push/send"), share="amber krisenstab")
            await center.project()
            assert await center.patterns(other) == set()
            assert len(await center.patterns(owner)) == 1
            strange = await browser.send(form, share="amber nowhere")
            assert strange.status == 422


async def test_a_file_counts_instead_of_the_text(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner = await center.org("Landkreis A")
        async with Browser(center) as browser:
            await browser.sign_in(owner.token)
            form = (await browser.get("/push")).form("/push/preview")
            file = ("liste.csv", "domain;note\r\nevil.example.org;übel\r\n".encode("utf-16"))
            seen = await browser.send(form, file=file, text="else.example.org")
            assert "evil.example.org" in seen.text
            assert "else.example.org" not in seen.text
            done = await browser.send(seen.form("/push/send"), share="green")
            assert "1 von 1" in done.text
            for content, told in (
                (b"\x1f\x8b\x08\x00" + b"x" * 40, "gzip"),
                (b"<!DOCTYPE html><html><body>x</body></html>", "Webseite"),
                (b"x.example.org\n" * 200_000, "cybercoop push"),
                ("".join(f"h{n}.example.org\n" for n in range(1001)).encode(), "cybercoop push"),
                (b"", "nichts darin"),
            ):
                refused = await browser.send(form, file=("x.txt", content))
                assert (refused.status, told in refused.text) == (422, True), refused.text
            huge = await browser.send(form, file=("x.txt", b"x.example.org\n" * 400_000))
            assert (huge.status, "html" in huge.headers["Content-Type"]) == (413, True)


async def test_values_are_looked_up(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        await center.push(owner, [indicator("evil.example.org", "green", confidence=70)])
        await center.push(owner, [indicator("secret.example.org")])
        await center.project()
        async with Browser(center) as browser:
            await browser.sign_in(other.token)
            form = (await browser.get("/lookup")).form("/lookup")
            asked = "evil[.]example[.]org\nsecret.example.org\nx y\n" + EVIL
            found = await browser.send(form, values=asked)
            assert "1 von 4 gelistet" in found.text
            assert "TLP GREEN" in found.text
            assert "Ihr Feed" not in found.text
            assert found.text.count("nicht lesbar") == 2
            assert "<script" not in found.source
            many = await browser.send(form, values="x.example\n" * 501)
            assert many.status == 422


async def test_what_is_kept_is_said_with_the_reason(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        await center.push(owner, [indicator("mine.example.org")])
        await center.push(owner, [indicator("[ipv4-addr:value = '8.8.8.8']", "green")])
        await center.project()
        async with Browser(center) as browser, Browser(center) as others:
            await browser.sign_in(owner.token)
            shown = await browser.get("/kept")
            for part in ("mine.example.org", "bleibt bei Ihnen", "8.8.8.8", "zurückgehalten"):
                assert part in shown.text
            await others.sign_in(other.token)
            assert "mine.example.org" not in (await others.get("/kept")).text


async def test_nothing_is_shown_before_sign_in(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner = await center.org("Geheimer Landkreis")
        async with Browser(center) as browser:
            for path in PAGES:
                page = await browser.get(path)
                assert page.form("/signin")
                assert "Geheimer" not in page.source
            for path in POSTS:
                page = await browser.post(path, [("values", "x"), ("push_id", "x")])
                assert "Geheimer" not in page.source
                assert page.status in {200, 403}
            wrong = await browser.sign_in("coop_wrong")
            assert (wrong.status, "nicht bekannt" in wrong.text) == (403, True)
            assert "WWW-Authenticate" not in wrong.headers
            for text in ("", "x" * 5000, "ä\0ß", owner.token + "x"):
                assert (await browser.sign_in(text)).status == 403
            assert (await browser.get("/", Cookie="coop_session=a.b.c.d")).form("/signin")


async def test_a_form_of_somebody_else_does_nothing(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        async with Browser(center) as browser, Browser(center) as others:
            await browser.sign_in(owner.token)
            await others.sign_in(other.token)
            foreign = (await others.get("/lookup")).form("/lookup").filled()[0][1]
            for token in ("", "x", foreign, "ä" * 64):
                for path in POSTS:
                    page = await browser.post(
                        path, [("form_token", token), ("values", "x.example")]
                    )
                    assert (page.status, "html" in page.headers["Content-Type"]) == (403, True)
                    links = {said["href"] for _, said in page.tags if said.get("hreflang")}
                    assert links == {"/?lang=de", "/?lang=en"}
            assert (await browser.get("/")).status == 200


async def test_a_token_that_may_only_read_cannot_push(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        reader = await center.org("Landkreis A", scope=Scope.READ)
        async with Browser(center) as browser:
            start = await browser.sign_in(reader.token)
            assert "darf nur lesen" in start.text
            assert 'href="/push"' not in start.source
            assert (await browser.get("/push")).status == 403
            said = (await browser.get("/lookup")).form("/lookup").filled()[0]
            assert (
                await browser.post("/push/preview", [said, ("text", "x.example")])
            ).status == 403


async def test_hostile_values_stay_text(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        name = f"Kreis {EVIL[:60]}"
        owner: Seat = await center.org(name)
        turned = "http://evil.example.org/\u202e\u2066gpj.exe"
        bad = indicator("x.example", name=EVIL) | {
            "pattern": f"[url:value = 'http://x/{'a' * 1500}']"
        }
        await center.push(owner, [bad, indicator("y.example", "green", description=EVIL)])
        async with Browser(center) as browser:
            pages = [await browser.sign_in(owner.token), await browser.get("/kept")]
            for text in (
                f"evil.example.org # {EVIL}\n{EVIL}\n{turned}\n",
                f'domain,comment\nevil.example.org,"{EVIL}"\n{EVIL},x\n',
                f'{{"objects":[{{"type":"indicator","id":"{EVIL[:2]}","name":"<b>"}}]}}',
                f"hxxp://evil[.]example[.]org/{EVIL}",
            ):
                seen = await preview(browser, text)
                pages.append(seen)
                forms = [form for form in seen.forms if form.action == "/push/send"]
                pages += [await browser.send(form, share="green") for form in forms]
            form = (await browser.get("/lookup")).form("/lookup")
            pages.append(await browser.send(form, values=f"{turned}\n{EVIL}\n{'x' * 1900}"))
            pages.append(await browser.get("/nothing/<script>?lang=<script>"))
            for page in pages:
                assert {"script", "img", "b"}.isdisjoint(tag for tag, _ in page.tags)
                assert all(not one.startswith("on") for _, said in page.tags for one in said)
                assert not re.search(
                    "[\u202a-\u202e\u2066-\u2069]",
                    re.sub("(?s)<textarea.*?</textarea>", "", page.source),
                )
                assert "9359" not in page.text


async def test_every_page_forbids_all_but_its_style(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner = await center.org("Landkreis A")
        async with Browser(center) as browser:
            pages = [await browser.get("/signin"), await browser.sign_in(owner.token)]
            pages += [await browser.get(path) for path in PAGES]
            pages += [await preview(browser, "evil.example.org"), await browser.get("/nothing")]
            pages += [await browser.post("/lookup", [("x", "y")])]
            for page in pages:
                policy = page.headers["Content-Security-Policy"]
                for part in (
                    *("default-src 'none'", "style-src 'self'", "form-action 'self'"),
                    *("frame-ancestors 'none'", "base-uri 'none'"),
                ):
                    assert part in policy
                assert page.headers["X-Content-Type-Options"] == "nosniff"
                assert page.headers["Referrer-Policy"] == "no-referrer"
                assert page.headers["Cache-Control"] == "no-store"
                inside = {name for _, said in page.tags for name in said}
                assert not {"style", "onclick", "src"} & inside
            style = await browser.get("/style.css")
            assert (style.status, style.headers["Content-Type"]) == (200, "text/css")


async def test_every_page_has_labels_one_heading_and_a_language(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner = await center.org("Landkreis A")
        async with Browser(center) as browser:
            pages = [await browser.get("/signin"), await browser.sign_in(owner.token)]
            pages += [await browser.get(path) for path in PAGES]
            seen = await preview(browser, MAIL)
            pages += [seen, await browser.send(seen.form("/push/send"), share="green")]
            for page in pages:
                names = [tag for tag, _ in page.tags]
                assert (names.count("h1"), names.count("main"), names.count("title")) == (1, 1, 1)
                assert ("html", {"lang": "de"}) in page.tags
                labelled = {said.get("for") for tag, said in page.tags if tag == "label"}
                asked = [
                    said.get("id")
                    for tag, said in page.tags
                    if tag in {"input", "textarea", "select"} and said.get("type") != "hidden"
                ]
                assert set(asked) <= labelled
                ids = [said["id"] for _, said in page.tags if "id" in said]
                assert len(ids) == len(set(ids))


async def test_the_language_is_the_browsers_until_somebody_chooses(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        for asked, word in (
            ("en-GB,en;q=0.9,de;q=0.8", "Sign in"),
            ("fr, de;q=0.5, en;q=0.4", "Anmelden"),
            ("fr", "Anmelden"),
            ("", "Anmelden"),
            ("en;q=x,;;,", "Sign in"),
        ):
            async with Browser(center) as browser:
                page = await browser.get("/signin", **{"Accept-Language": asked})
                assert page.text.startswith(f"{word} ")
        async with Browser(center) as browser:
            assert "Sign in" in (await browser.get("/signin?lang=en")).text
            assert "Sign in" in (await browser.get("/signin")).text
            assert "no such page" in (await browser.get("/nothing")).text
            assert "Diese Seite gibt es nicht" in (await browser.get("/nothing?lang=de")).text


async def test_programs_get_no_pages(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    async with world(url, tmp_path) as center:
        for path in ("/api/v1/nothing", "/taxii2/nothing/", "/nothing"):
            accept = {"Accept": "text/html"} if path != "/nothing" else {}
            answer = await center.request("GET", path, headers=accept)
            assert (answer.status, "json" in answer.headers["Content-Type"]) == (404, True)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"--y\r\n\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb',
        ),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n",
        ),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\n" + b"A: b\r\n" * 5000 + b"\r\nx\r\n--x--\r\n",
        ),
        ("application/x-www-form-urlencoded", b"a=1&" * 5000),
        ("application/x-www-form-urlencoded", b"\xff\xfe=%ff%00"),
        ("application/json", b"{}"),
        ("text/plain", b"form_token=x"),
    ],
)
async def test_what_is_no_form_is_refused_with_a_page(
    kind: str, body: bytes, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    async with world(url, tmp_path) as center:
        owner = await center.org("Landkreis A")
        async with Browser(center) as browser:
            await browser.sign_in(owner.token)
            said = {"Content-Type": kind}
            page = await browser.ask("POST", "/push/preview", data=body, headers=said)
            assert page.status in {400, 403, 413, 415}
            assert "html" in page.headers["Content-Type"]
