"""Commands: each by its effect, once for each place of a run, and never off the list."""

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from cybercoop.playbooks.progress import Response, Run, Task
from cybercoop.playbooks.steps import Action
from cybercoop.responses import doing, leading, tending
from cybercoop.responses.commands import Doing, http_api
from cybercoop.responses.doing import Who
from cybercoop.store import blocks, drafts, responses
from responses.books import action, book, end, key, manual
from responses.stage import Stage

END = key("end", "end")
VALUE = {"__value__": {"type": "string", "external": True}}
TARGET = "http-api--22222222-2222-4222-8222-222222222222"
HOUR = 3_600_000_000

pytestmark = pytest.mark.asyncio(loop_scope="module")


def blocking(name: str) -> bytes:
    """Return a playbook that blocks a value, asks whether that is in force, and takes it back."""
    return book(
        name,
        key("action", "block"),
        action(
            "block",
            {"type": "block"},
            to=key("action", "confirm"),
            in_args=["__value__"],
            duty={
                "arguments": {"value": "__value__:value", "hours": 2},
                "revert": key("action", "unblock"),
            },
        ),
        manual(
            "confirm",
            to=END,
            out_args=["__sure__"],
            duty={
                "questions": {
                    "__sure__": {"ask": "In Kraft?", "kind": "yes-no-unknown", "confirms": True}
                }
            },
        ),
        action(
            "unblock",
            {"type": "unblock"},
            to=key("end", "unblocked"),
            in_args=["__value__"],
            duty={"arguments": {"value": "__value__:value"}},
        ),
        end("unblocked"),
        end(),
        variables=VALUE | {"__sure__": {"type": "string", "value": "unknown"}},
    )


async def begun(one: Stage, raw: bytes, value: str, **more: Any) -> tuple[Response, Run]:
    """Start a response at the first county, which accepts, and return its run."""
    seat = one.counties[0]
    response = await one.start(await one.keep(raw), [seat], values={"__value__": value}, **more)
    (run,) = await one.read(responses.runs_of, response.id)
    await one.write(doing.accept, run.id, Who(seat.org.id))
    return response, run


async def of(one: Stage, response: Response) -> list[Any]:
    return await one.read(blocks.of_response, response.id)


async def test_a_block_waits_for_the_county_and_is_confirmed_by_a_person(one: Stage) -> None:
    seat = one.counties[0]
    response = await one.start(
        await one.keep(blocking("waits")), [seat], values={"__value__": "evil[.]example"}
    )

    async def waits() -> bool:
        (run,) = (await one.runs(response)).values()
        return (await one.places(run)).get(key("action", "block")) == "began"

    await one.until(waits)
    assert await of(one, response) == []
    (run,) = await one.read(responses.runs_of, response.id)
    await one.write(doing.accept, run.id, Who(seat.org.id))
    (task,) = await one.tasks(response, 1)
    (block,) = await of(one, response)
    assert (block.kind, block.value, block.org_id) == ("domain", "evil.example", seat.org.id)
    assert block.until - block.since == pytest.approx(2 * HOUR, abs=HOUR / 60)
    assert block.confirmed_at is None
    await one.finish(task, __sure__="ja")
    (block,) = await of(one, response)
    assert block.confirmed_by == seat.org.id


async def test_a_block_ends_when_its_time_is_over(one: Stage) -> None:
    response, _ = await begun(one, blocking("ends"), "ends.example")
    await one.tasks(response, 1)
    one.world.clock.forward(2 * HOUR + 1_000_000)
    await tending.look(one.house)
    (block,) = await of(one, response)
    assert (block.ended_at is not None, block.reason) == (True, "over")


async def test_rolled_back_the_block_is_off_at_once(one: Stage) -> None:
    response, _ = await begun(one, blocking("rolls"), "rolls.example")
    (task,) = await one.tasks(response, 1)
    await one.finish(task, __sure__="nein")
    await one.ended(response)
    await one.write(leading.roll_back, response.id, "lead", "Fehlalarm")
    (block,) = await of(one, response)
    assert block.ended_at is not None
    assert (await one.ended(response)).state == "reverted"


@pytest.mark.parametrize("value", ["127.0.0.1", "10.0.0.0/8", "co.uk", "bsi.bund.de", "kein Wert"])
async def test_what_the_guard_protects_is_never_blocked(one: Stage, value: str) -> None:
    response, run = await begun(one, blocking(f"guard {value}"), value)
    assert (await one.ended(response)).state == "failed"
    assert await of(one, response) == []
    told = await one.read(responses.run, run.id)
    assert told.reason


async def test_an_exercise_blocks_nothing(one: Stage) -> None:
    response, _ = await begun(one, blocking("exercise"), "exercise.example", exercise=True)
    (task,) = await one.tasks(response, 1)
    assert task.title == "ÜBUNG: confirm"
    assert await of(one, response) == []


async def test_a_draft_is_filled_and_nothing_is_sent(one: Stage) -> None:
    raw = book(
        "report",
        key("action", "draft"),
        action(
            "draft",
            {"type": "report"},
            to=END,
            duty={"arguments": {"profile": "dsgvo-33", "stage": "report"}},
        ),
        end(),
    )
    response = await one.start(await one.keep(raw), one.counties[:1])
    assert (await one.ended(response)).state == "done"
    (draft,) = await one.read(drafts.of, one.counties[0].org.id, response.id)
    assert draft.due_at == response.known_at + 72 * HOUR
    assert "Kreis 1" in draft.text


def asking(name: str, content: object, url: str = "https://host.test/") -> bytes:
    """Return a playbook that sends a request with a body."""
    return book(
        name,
        key("action", "send"),
        action(
            "send",
            {
                "type": "http-api",
                "command": "POST /rules",
                "headers": {"Content-Type": ["application/json"], "Host": ["other.example"]},
                "content": json.dumps(content),
            },
            to=END,
            targets=[TARGET],
            in_args=["__value__"],
        ),
        end(),
        variables=VALUE,
        target_definitions={
            TARGET: {"type": "http-api", "name": "Firewall", "address": {"url": [url]}}
        },
    )


@asynccontextmanager
async def firewall() -> AsyncIterator[tuple[int, list[web.Request]]]:
    """Serve a system that takes rules, on loopback."""
    taken: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        taken.append((dict(request.headers), await request.json()))
        return web.Response(status=201)

    app = web.Application()
    app.router.add_post("/rules", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1], taken
    finally:
        await runner.cleanup()


HOSTILE = '\'; $(touch /tmp/x) " }, {"admin": true} \r\nX-Evil: 1 __value__:value'


async def test_a_request_goes_to_a_listed_target_with_typed_values_and_a_key(
    one: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYBERCOOP_SECRET_FIREWALL", "geheim")
    file = one.house.settings.targets
    assert file is not None
    async with firewall() as (port, taken):
        file.write_text(
            f'[firewall]\norigin = "http://127.0.0.1:{port}"\ninternal = true\n'
            'counties = ["Kreis 1"]\nsecret = "CYBERCOOP_SECRET_FIREWALL"\n'
        )
        raw = asking("sent", {"value": "__value__:value"}, f"http://127.0.0.1:{port}/x.test")
        response, _ = await begun(one, raw, HOSTILE)
        assert (await one.ended(response)).state == "done"
        ((headers, body),) = taken
        assert body == {"value": HOSTILE}
        assert headers["Authorization"] == "geheim"
        assert headers["Host"] == f"127.0.0.1:{port}"
        assert len(headers["Idempotency-Key"]) == 36
        other = await one.start(await one.keep(raw), one.counties[1:2], values={"__value__": "x"})
        (run,) = await one.read(responses.runs_of, other.id)
        await one.write(doing.accept, run.id, Who(run.org_id))
        assert (await one.ended(other)).state == "failed"
        assert len(taken) == 1


async def test_hostile_values_arrive_as_values_and_nowhere_else(one: Stage) -> None:
    file = one.house.settings.targets
    assert file is not None
    async with firewall() as (port, taken):
        file.write_text(f'[firewall]\norigin = "http://127.0.0.1:{port}"\ninternal = true\n')
        raw = asking("hostile", {"a": ["__value__:value"]}, f"http://127.0.0.1:{port}/x.test")
        response, run = await begun(one, raw, "x")
        await one.ended(response)
        taken.clear()
        playbook = await one.house.book(response.playbook_id, response.playbook_modified)
        step = playbook.steps[key("action", "send")]
        assert isinstance(step, Action)
        values = hostile(500, seed=one.world.database.is_sqlite)
        for number, value in enumerate(values):
            doing_it = Doing(
                house=one.house,
                playbook=playbook,
                response=response,
                run=run,
                place=step.id,
                step=step,
                command=step.commands[0],
                number=0,
                key=f"{run.id} {number}",
                values={"__value__": value},
                began_at=0,
                answered=nobody,
            )
            await http_api.carry_out(doing_it)
        assert [body for _, body in taken] == [{"a": [value]} for value in values]
        assert {headers["Host"] for headers, _ in taken} == {f"127.0.0.1:{port}"}
        assert {name for headers, _ in taken for name in headers} <= set(taken[0][0])
        assert len({headers["Idempotency-Key"] for headers, _ in taken}) == 500


def hostile(count: int, *, seed: int) -> list[str]:
    """Return texts that mean something to shells, SQL, templates, headers, pages or JSON."""
    dice = random.Random(seed)  # noqa: S311 - the same in every run
    pieces = [
        *("'; DROP TABLE tasks; --", "$(id)", "`id`", "{{7*7}}", "<script>", "%s%n", "../../etc"),
        *(
            "\r\nX-Evil: 1",
            "\u202e",
            "«",
            "»",
            "__value__:value",
            "\\",
            '"}, {"b": "',
            "\t",
            "\x7f",
        ),
        *("http://other.example/", "@", "=1+1", "🔥", "\u2028"),
    ]
    return ["".join(dice.choices(pieces, k=dice.randint(1, 6))) + str(n) for n in range(count)]


async def nobody(task: Task) -> dict[str, Any]:
    pytest.fail(f"Nobody is to be asked: {task.title}")


async def test_a_request_off_the_list_is_never_sent(one: Stage) -> None:
    async with firewall() as (port, taken):
        raw = asking("off", {"value": "x"}, f"http://127.0.0.1:{port}/x.test")
        response, run = await begun(one, raw, "x")
        assert (await one.ended(response)).state == "failed"
        told = await one.read(responses.run, run.id)
        assert told.reason is not None
        assert "operator's list" in told.reason
        assert taken == []


async def test_lines_for_a_shell_wait_for_people_as_they_were_written(one: Stage) -> None:
    raw = book(
        "shell",
        key("action", "line"),
        action(
            "line",
            {"type": "bash", "command": "iptables -A INPUT -s __value__:value -j DROP"},
            to=END,
            in_args=["__value__"],
        ),
        end(),
        variables=VALUE,
    )
    response, _ = await begun(one, raw, HOSTILE)
    (task,) = await one.tasks(response, 1)
    assert task.text == "iptables -A INPUT -s __value__:value -j DROP"
    assert [name for name, _ in task.listed] == ["__value__"]
