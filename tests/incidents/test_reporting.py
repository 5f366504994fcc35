"""Clocks over REST: which run, until when, and what is told before they end."""

from pathlib import Path

from cybercoop.members.tokens import Scope
from incidents.cases import HOUR, ask, reported
from world import world


async def test_clocks_run_from_knowledge_and_follow_what_was_done(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("Landkreis A")
        admin = await center.seat("Landkreis A", Scope.ADMIN)
        await ask(center, "PATCH", "/reporting-profiles/bsig", admin, {"applies": True})
        await ask(center, "PATCH", "/reporting-profiles/dsgvo-33", admin, {"applies": False})
        made = await reported(center, county, known="2026-10-30T18:00:00+01:00")
        path = f"/incidents/{made}"
        clocks = {
            (one["profile"], one["stage"]): one
            for one in (await ask(center, "GET", path, county))["clocks"]
        }
        assert {profile for profile, _ in clocks} == {"land-cert", "bsig"}
        assert clocks["bsig", "early"]["due"] == "2026-10-31T17:00:00.000000Z"
        assert clocks["bsig", "report"]["due"] == "2026-11-02T17:00:00.000000Z"
        assert clocks["bsig", "final"]["due"] == "2026-12-02T17:00:00.000000Z"
        assert clocks["bsig", "early"]["overdue"]
        done = {"outcome": "done", "at": "2026-10-31T09:00:00Z"}
        answer = await ask(center, "PATCH", f"{path}/clocks/bsig/report", county, done)
        moved = {one["stage"]: one for one in answer["clocks"] if one["profile"] == "bsig"}
        assert moved["final"]["due"] == "2026-11-30T09:00:00.000000Z"
        assert moved["report"]["outcome"] == "done"
        waived = {"outcome": "waived"}
        refused = await ask(center, "PATCH", f"{path}/clocks/bsig/early", county, waived, 422)
        assert refused["field"] == "reason"
        await ask(center, "PATCH", f"{path}/clocks/bsig/report", county, {"outcome": "open"})
        await ask(center, "PATCH", path, county, {"known": "2026-10-30T19:00:00+01:00"})
        clocks = {
            (one["profile"], one["stage"]): one["due"]
            for one in (await ask(center, "GET", path, county))["clocks"]
        }
        assert clocks["bsig", "report"] == "2026-11-02T18:00:00.000000Z"
        assert clocks["bsig", "final"] == "2026-12-02T18:00:00.000000Z"
        refused = await ask(center, "PATCH", f"{path}/clocks/ch-isg/early", county, done, 422)
        assert refused["field"] == "stage"
        await ask(center, "POST", f"{path}/clocks", county, {"profile": "ch-isg"}, 201)
        await ask(center, "POST", f"{path}/clocks", county, {"profile": "ch-isg"}, 422)
        draft = await ask(center, "GET", f"{path}/drafts/bsig/early", county)
        assert "Landkreis A" in draft["text"]
        assert "30.10.2026, 19:00 Uhr (CET)" in draft["text"]
        await ask(center, "GET", f"{path}/drafts/bsig/nothing", county, code=422)


async def test_what_is_due_is_told_until_it_is_done(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("Landkreis A")
        path = f"/incidents/{await reported(center, county)}"
        assert (await ask(center, "GET", "/reports-due", county))["due"] == []
        center.clock.forward(19 * HOUR)
        (due,) = (await ask(center, "GET", "/reports-due", county))["due"]
        assert (due["clock"]["profile"], due["clock"]["overdue"]) == ("land-cert", False)
        center.clock.forward(6 * HOUR)
        (due,) = (await ask(center, "GET", "/reports-due", county))["due"]
        assert due["clock"]["overdue"]
        said = {"outcome": "done"}
        await ask(center, "PATCH", f"{path}/clocks/land-cert/early", county, said)
        assert (await ask(center, "GET", "/reports-due", county))["due"] == []
        center.clock.forward(60 * 24 * HOUR)
        assert len((await ask(center, "GET", "/reports-due", county))["due"]) == 2
        await ask(center, "PATCH", path, county, {"state": "false-alarm"})
        assert (await ask(center, "GET", "/reports-due", county))["due"] == []
