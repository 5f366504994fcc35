"""My pushes: what was given lately is found again, and taken back by nobody else."""

from pathlib import Path

from web.browser import Browser
from world import SECOND, indicator, world


async def test_an_earlier_push_is_found_and_taken_back(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        for name in ("eins", "zwei"):
            await center.push(owner, [indicator(f"{name}.evil-host.net", "green")])
            center.clock.forward(60 * SECOND)
        await center.project()
        async with Browser(center) as browser, Browser(center) as others:
            await browser.sign_in(owner.token)
            assert "/pushes" in (await browser.get("/push")).source
            shown = await browser.get("/pushes")
            assert shown.text.index("zwei.evil-host.net") < shown.text.index("eins.evil-host.net")
            assert "01.11.2026 12:0" in shown.text
            newest, oldest = (one for one in shown.forms if one.action == "/push/undo")
            assert "1 Werte" in (await browser.send(oldest)).text
            await center.project()
            assert await center.patterns(other) == {"[domain-name:value = 'zwei.evil-host.net']"}
            left = await browser.get("/pushes")
            assert "eins.evil-host.net" not in left.text
            await others.sign_in(other.token)
            assert "evil-host.net" not in (await others.get("/pushes")).source
            theirs = (await others.get("/lookup")).form("/lookup").filled()[0]
            fields = [theirs, ("push_id", dict(newest.filled())["push_id"])]
            assert "nichts mehr übrig" in (await others.post("/push/undo", fields)).text
            assert "zwei.evil-host.net" in (await browser.get("/pushes")).text
            await browser.send(newest)
            assert "keine Meldung" in (await browser.get("/pushes")).text
