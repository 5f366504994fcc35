"""Playbooks over REST: imported, and shown to whoever their marking lets."""

import base64
import io
import json
from pathlib import Path

from cybercoop.members.organisations import Kind
from cybercoop.members.tokens import Scope
from responses.books import key
from web.test_responses import FOREIGN, ONE_TASK, ROOT
from world import world


async def test_a_playbook_is_shown_to_whoever_its_marking_lets(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        lead = await center.seat("Testzentrum", Scope.WRITE)
        county = await center.org("Landkreis A")
        partner = await center.org("Partner", Kind.PARTNER, community=False)
        sent = {"data": io.BytesIO(ONE_TASK)}
        told = (await center.request("POST", f"{ROOT}/playbooks", lead, **sent)).json
        path = f"{ROOT}/playbooks/{told['playbook']['id']}"
        (listed,) = (await center.get(f"{ROOT}/playbooks", county)).json["playbooks"]
        assert listed == told["playbook"]
        shown = (await center.get(path, county)).json
        assert [each["kind"] for each in shown["steps"]] == ["start", "action", "end"]
        document = (await center.get(f"{path}/document", county)).json
        assert base64.b64decode(document["content"]) == ONE_TASK
        assert (await center.get(path, county, version=listed["version"])).json == shown
        assert (await center.get(path, county, version="2000-01-01T00:00:00Z")).status == 404
        assert (await center.get(f"{ROOT}/playbooks", partner)).json["playbooks"] == []
        for end_ in ("", "/document"):
            foreign = await center.get(path + end_, partner)
            absent = await center.get(f"{ROOT}/playbooks/{FOREIGN}{end_}", partner)
            assert (foreign.status, foreign.body) == (404, absent.body)
            assert (await center.get(path + end_, partner, version=listed["version"])).status == 404


async def test_a_playbook_that_is_none_is_told_what_is_wrong(tmp_path: Path) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        lead = await center.seat("Testzentrum", Scope.WRITE)
        broken = json.loads(ONE_TASK)
        broken["workflow_start"] = key("end", "end")
        for raw in (b"", b"[", json.dumps(broken).encode()):
            answer = await center.request("POST", f"{ROOT}/playbooks", lead, data=io.BytesIO(raw))
            assert (answer.status, answer.json["taken"], answer.json["playbook"]) == (
                *(200, False),
                None,
            )
            assert all(one["german"] and one["english"] for one in answer.json["findings"])
        assert (await center.get(f"{ROOT}/playbooks", lead)).json["playbooks"] == []
