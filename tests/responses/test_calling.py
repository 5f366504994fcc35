"""Playbooks that call others: whoever may not read one of them gets none of its words."""

import json

import pytest

from cybercoop.errors import Refused
from cybercoop.store import playbooks
from responses.books import book, end, key, manual, step
from responses.stage import Stage

END = key("end", "end")

pytestmark = pytest.mark.asyncio(loop_scope="module")


def calling(name: str, called: str) -> bytes:
    return book(
        name,
        key("playbook-action", "call"),
        step("playbook-action", "call", playbook_id=key("playbook", called), on_completion=END),
        end(),
        level="CLEAR",
    )


def called(name: str, text: str, level: str, modified: str = "2026-01-01T00:00:00Z") -> bytes:
    raw = book(name, key("action", text), manual(text, to=END), end(), level=level)
    return json.dumps(json.loads(raw) | {"modified": modified}).encode()


async def test_a_playbook_that_is_marked_narrower_than_the_response_is_not_called(
    one: Stage,
) -> None:
    await one.keep(called("inner", "secret", "AMBER"))
    outer = await one.keep(calling("outer", "inner"))
    with pytest.raises(Refused, match="is not there"):
        await one.start(outer, [one.counties[0]], lock="community")
    response = await one.start(outer, [one.counties[0]], lock="group:members")
    (task,) = await one.tasks(response, 1)
    assert task.title == "secret"


async def test_a_narrower_version_changes_nothing_for_a_wider_response(one: Stage) -> None:
    await one.keep(called("versions", "open", "GREEN"))
    await one.keep(called("versions", "closed", "AMBER", "2026-02-01T00:00:00Z"))
    outer = await one.keep(calling("newest", "versions"))
    for lock, title in (("community", "open"), ("group:members", "closed")):
        response = await one.start(outer, [one.counties[0]], lock=lock)
        (task,) = await one.tasks(response, 1)
        assert task.title == title


async def test_a_playbook_that_was_revoked_is_not_called(one: Stage) -> None:
    good = called("gone", "old", "CLEAR")
    await one.keep(good)
    outer = await one.keep(calling("forsaken", "gone"))
    ended = {"modified": "2026-02-01T00:00:00Z", "revoked": True}
    name = await one.keep(json.dumps(json.loads(good) | ended).encode())
    (kept,) = [one for one in await one.read(playbooks.newest) if one.id == name]
    assert kept.revoked is True
    with pytest.raises(Refused, match="is not there"):
        await one.start(outer, [one.counties[0]], lock="community")
