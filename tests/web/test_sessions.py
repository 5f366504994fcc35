"""Sessions of the pages: new at sign-in, over at sign-out, and for TLS only behind a proxy."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from cybercoop.store import tokens
from cybercoop.store.service_tables import signed_out
from web.browser import Browser
from world import world


async def test_a_session_is_new_at_sign_in_and_ends_at_once(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner = await center.org("Landkreis A")
        async with Browser(center) as browser:
            await browser.get("/signin")
            before = browser.cookie()
            await browser.sign_in(owner.token)
            after = browser.cookie()
            assert before and after and before != after  # noqa: PT018 - one promise
            assert owner.token not in after
            assert (await browser.get("/")).status == 200
            async with center.database.write() as connection:
                await tokens.revoke_all_of(connection, owner.org.id, center.clock.now)
            assert (await browser.get("/")).form("/signin")
            fresh = await center.seat("Landkreis A")
            await browser.sign_in(fresh.token)
            center.clock.forward(9 * 3600 * 1_000_000)
            assert (await browser.get("/")).form("/signin")
            await browser.sign_in(fresh.token)
            page = await browser.get("/")
            copy, name = browser.cookie(), "coop_session"
            await browser.send(page.form("/signout"))
            assert (await browser.get("/")).form("/signin")
            browser.session.cookie_jar.update_cookies({name: copy})
            assert (await browser.get("/")).form("/signin")
            await browser.sign_in(fresh.token)
            assert (await browser.get("/")).form("/signout")


async def test_who_signed_out_is_forgotten_once_the_session_would_have_ended(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner = await center.org("Landkreis A")
        for kept in (1, 2, 1):
            async with Browser(center) as browser:
                page = await browser.sign_in(owner.token)
                await browser.send(page.form("/signout"))
            async with center.database.read() as connection:
                query = select(func.count()).select_from(signed_out)
                assert (await connection.execute(query)).scalar_one() == kept
            center.clock.forward((5 * kept - 1) * 3600 * 1_000_000)


@pytest.mark.parametrize("believed", [True, False])
async def test_behind_a_proxy_with_tls_the_cookie_is_for_tls_only(
    believed: bool, tmp_path: Path
) -> None:
    proxies = "127.0.0.0/8" if believed else "192.0.2.1"
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    async with world(url, tmp_path, trusted_proxies=proxies) as center, Browser(center) as browser:
        page = await browser.get("/signin", **{"X-Forwarded-Proto": "https"})
        said = page.headers["Set-Cookie"]
        assert ("__Host-" in said, "Secure" in said) == (believed, believed)
        plain = (await browser.get("/signin")).headers.get("Set-Cookie", "")
        assert "Secure" not in plain
        for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
            assert part in said
