"""Rolled back, what called playbooks carried out is taken back with what their callers did."""

import json

import pytest

from cybercoop.responses import leading
from cybercoop.store import responses
from responses.books import action, book, end, key, manual, step
from responses.stage import Stage

END = key("end", "end")
COUNT = {"__n__": {"type": "integer", "value": "0"}}
GIVEN = {"__name__": {"type": "string", "external": True}, **COUNT}

pytestmark = pytest.mark.asyncio(loop_scope="module")


def undone(name: str, *, to: str, text: str = "", **more: object) -> list[dict[str, object]]:
    """Return a step that names its way back, and that way."""
    back, over = key("action", f"undo {name}"), key("end", f"{name} undone")
    return [
        manual(name, to=to, duty={"revert": back}, **more),
        action(f"undo {name}", {"type": "manual", "command": text or name}, to=over),
        {over: {"type": "end"}},
    ]


def call(name: str, called: str, to: str, **more: object) -> dict[str, object]:
    more |= {"playbook_id": key("playbook", called), "on_completion": to}
    return step("playbook-action", name, **more)


async def test_steps_of_called_playbooks_are_taken_back_in_reverse_order(one: Stage) -> None:
    inner = book(
        "inner back",
        key("action", "count"),
        *undone("count", to=END, text="__name__:value: __n__:value", asks={"__n__": "number"}),
        end(),
        variables=GIVEN,
    )
    middle = book(
        "middle back",
        key("action", "middle"),
        *undone("middle", to=key("playbook-action", "call inner")),
        call("call inner", "inner back", END, in_args=["__name__"], out_args=["__n__"]),
        end(),
        variables=GIVEN,
    )
    outer = book(
        "outer back",
        key("action", "first"),
        *undone("first", to=key("playbook-action", "call middle")),
        call("call middle", "middle back", key("action", "last"), in_args=["__name__"]),
        *undone("last", to=END),
        end(),
        variables={"__name__": {"type": "string", "value": "Nord"}},
    )
    for raw in (inner, middle):
        await one.keep(raw)
    response = await one.start(await one.keep(outer), one.counties[:1])
    for title in ("first", "middle", "count", "last"):
        (task,) = await one.tasks(response, 1)
        assert task.title == title
        await one.finish(task, **({"__n__": 7} if title == "count" else {}))
    assert (await one.ended(response)).state == "done"
    await one.write(leading.roll_back, response.id, "lead", "Fehlalarm")
    for title in ("undo last", "undo count", "undo middle", "undo first"):
        (task,) = await one.tasks(response, 1)
        assert task.title == title
        if title == "undo count":
            assert task.text == "«Nord»: «7»"
        await one.finish(task)
    assert (await one.ended(response)).state == "reverted"


async def test_the_version_that_was_called_takes_its_steps_back(one: Stage) -> None:
    old = book("versions back", key("action", "old"), *undone("old", to=END), end())
    await one.keep(old)
    outer = book(
        "caller back",
        key("playbook-action", "call"),
        call("call", "versions back", key("action", "wait")),
        manual("wait", to=END),
        end(),
    )
    response = await one.start(await one.keep(outer), one.counties[:1])
    (task,) = await one.tasks(response, 1)
    await one.finish(task)
    (task,) = await one.tasks(response, 1)
    new = book("versions back", key("action", "new"), *undone("new", to=END), end())
    await one.keep(json.dumps(json.loads(new) | {"modified": "2026-02-01T00:00:00Z"}).encode())
    await one.finish(task)
    assert (await one.ended(response)).state == "done"
    await one.write(leading.roll_back, response.id, "lead", "Fehlalarm")
    (task,) = await one.tasks(response, 1)
    assert task.title == "undo old"
    await one.finish(task)
    assert (await one.ended(response)).state == "reverted"
    (run,) = await one.read(responses.runs_of, response.id)
    assert run.state == "reverted"
