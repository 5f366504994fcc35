"""Responses over REST: proposed, approved, taken part in, and who sees what of it."""

import asyncio
import base64
import hashlib
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from cybercoop.collect import founding, tokens
from cybercoop.members.organisations import Kind, Person
from cybercoop.members.tokens import Scope
from cybercoop.responses import doing
from cybercoop.store import members, responses
from responses.books import book, end, key, manual
from responses.stage import Stage, stage
from world import Answer, Seat

ROOT = "/api/v1"
FOREIGN = "5c0ffee0-0000-4000-8000-000000000000"
ONE_TASK = book(
    "one task",
    key("action", "look"),
    manual(
        "look",
        to=key("end", "end"),
        asks={"__seen__": "yes-no-unknown", "__count__": "number"},
        duty={"title": "Nachsehen", "role": "it-operations", "deadline": {"within": "PT4H"}},
    ),
    end(),
    variables={
        "__seen__": {"type": "string"},
        "__count__": {"type": "integer"},
        "__wert__": {"type": "string", "external": True},
    },
)
WIDE = book(
    "wide", key("action", "look"), manual("look", to=key("end", "end")), end(), level="GREEN"
)
PLAN = {"playbook": key("playbook", "one task"), "tlp": "amber", "values": {"__wert__": "x"}}


async def ask(
    one: Stage, method: str, path: str, seat: Seat | None, said: Any = None, code: int = 200
) -> Any:
    options = {} if said is None else {"json": said}
    answer: Answer = await one.world.request(method, ROOT + path, seat, **options)
    assert answer.status == code, answer.body
    return answer.json


async def person(one: Stage, name: str, org: str = "Testzentrum") -> Seat:
    """Return a seat of somebody of an organisation."""
    async with one.world.database.write() as connection:
        found = await members.find(connection, org)
        new = Person(one.world.chance.uuid(), found.id, name, f"{name}@example.org")
        await members.add_person(connection, new, 0)
        around = one.world.surroundings
        _, text = await tokens.create(connection, around, found.id, Scope.WRITE, person_id=new.id)
    return Seat(found, text)


async def imported(one: Stage, lead: Seat, raw: bytes = ONE_TASK) -> Any:
    answer = await one.world.request("POST", f"{ROOT}/playbooks", lead, data=io.BytesIO(raw))
    assert answer.status == 200, answer.body
    return answer.json


async def begun(one: Stage, lead: Seat, **more: Any) -> str:
    """Return the id of a response that one person proposed and another approved."""
    await imported(one, lead)
    plan = PLAN | {"of_group": "members"} | more
    made = await ask(one, "POST", "/responses", lead, plan, 201)
    anna = await person(one, f"Anna {made['id'][:4]}")
    await ask(one, "POST", f"/responses/{made['id']}/approve", anna, {})
    return str(made["id"])


async def found(look: Callable[[], Awaitable[Any]]) -> Any:
    for _ in range(600):
        if seen := await look():
            return seen
        await asyncio.sleep(0.05)
    raise AssertionError("It did not happen.")


async def own_task(one: Stage, seat: Seat) -> Any:
    async def look() -> Any:
        return (await ask(one, "GET", "/tasks?state=open", seat))["tasks"]

    return (await found(look))[0]


async def test_a_response_is_previewed_proposed_approved_answered_and_done(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path) as one:
        lead, anna = await person(one, "Lena"), await person(one, "Anna")
        told = await imported(one, lead)
        assert (told["taken"], told["new"], told["findings"]) == (True, True, [])
        assert (await imported(one, lead))["new"] is False
        plan = PLAN | {"of_group": "members", "title": "Lage"}
        seen = await ask(one, "POST", "/responses/preview", lead, plan)
        assert [each["name"] for each in seen["counties"]] == [f"Kreis {n + 1}" for n in range(4)]
        assert (seen["approvals_needed"], seen["blocks"]) == (1, [])
        assert [each["title"] for each in seen["steps"]] == ["Nachsehen"]
        (line,) = [each for each in seen["dry_run"] if each["title"] == "Nachsehen"]
        assert (set(line["asks"]), seen["dry_run_failed"]) == ({"__seen__", "__count__"}, "")
        assumed = plan | {"answers": {"__other__": 1}}
        await ask(one, "POST", "/responses/preview", lead, assumed, 422)
        made = await ask(one, "POST", "/responses", lead, plan, 201)
        path = f"/responses/{made['id']}"
        assert (made["state"], made["led"]["started_by"]) == ("proposed", "Lena")
        for seat in one.counties:
            assert (await ask(one, "GET", "/responses", seat))["responses"] == []
            await ask(one, "GET", path, seat, code=404)
        refused = await ask(one, "POST", f"{path}/approve", lead, {}, 403)
        assert "cannot approve" in refused["detail"]
        assert (await ask(one, "POST", f"{path}/approve", anna, {}))["state"] == "running"
        for number, seat in enumerate(one.counties):
            task = await own_task(one, seat)
            assert (task["title"], task["role_title"]) == ("Nachsehen", "IT-Betrieb")
            said = {"answers": {"__seen__": "ja", "__count__": number}}
            ended = await ask(one, "POST", f"/tasks/{task['id']}/done", seat, said)
            assert ended["shown"]["answers"] == {"__seen__": "yes", "__count__": number}
            await ask(one, "POST", f"/tasks/{task['id']}/done", seat, said, 400)

        async def over() -> bool:
            return (await ask(one, "GET", path, lead))["shown"]["state"] == "done"

        assert await found(over)
        whole = await ask(one, "GET", path, lead)
        assert {run["state"] for run in whole["runs"]} == {"done"}
        assert [each["person"] for each in whole["approvals"]] == ["Anna"]
        assert whole["approvals"][0]["agreed"] is True


async def test_a_county_sees_its_own_part_and_is_reached_by_looking(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path) as one:
        lead, (first, second, *_) = await person(one, "Lena"), one.counties
        path = f"/responses/{await begun(one, lead)}"
        assert {run["state"] for run in (await ask(one, "GET", path, lead))["runs"]} <= {
            "invited",
            "waiting",
        }
        seen = await ask(one, "GET", path, first)
        (run,) = seen["runs"]
        assert (run["organisation"], seen["shown"]["led"], seen["approvals"]) == (
            *("Kreis 1", None),
            [],
        )
        assert {task["organisation"] for task in seen["tasks"]} <= {"Kreis 1"}

        async def reached() -> Any:
            whole = await ask(one, "GET", path, lead)
            return [each["organisation"] for each in whole["runs"] if each["reached"]]

        assert await found(reached) == ["Kreis 1"]
        await ask(one, "POST", f"/runs/{run['id']}/accept", first, {"shares_state": True})
        (other,) = (await ask(one, "GET", path, second))["others"]
        assert other["organisation"] == "Kreis 1"
        assert (await ask(one, "GET", path, first))["others"] == []
        shown = (await ask(one, "GET", path, lead))["runs"]
        assert [each["accepted_by"] for each in shown if each["accepted"]] == ["Kreis 1"]


async def test_a_county_declines_with_a_reason(database_url: str, tmp_path: Path) -> None:
    async with stage(database_url, tmp_path, counties=1) as one:
        lead, (county,) = await person(one, "Lena"), one.counties
        path = f"/responses/{await begun(one, lead)}"
        (run,) = (await ask(one, "GET", path, county))["runs"]
        await ask(one, "POST", f"/runs/{run['id']}/decline", county, {"reason": " "}, 422)
        said = {"reason": "Kein Personal"}
        gone = await ask(one, "POST", f"/runs/{run['id']}/decline", county, said)
        assert (gone["state"], gone["reason"]) == ("declined", "Kein Personal")
        await ask(one, "POST", f"/runs/{run['id']}/accept", county, {}, 400)


async def test_who_is_seen_looking_late_stays_what_he_decided(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path, counties=2) as one:
        lead, (first, second) = await person(one, "Lena"), one.counties
        path = f"/responses/{await begun(one, lead)}"
        stale = []
        for seat, deed, said in ((first, "decline", {"reason": "x"}), (second, "accept", {})):
            (run,) = (await ask(one, "GET", path, seat))["runs"]
            stale.append(await one.read(responses.run, run["id"]))
            await ask(one, "POST", f"/runs/{run['id']}/{deed}", seat, said)
        for run in stale:
            async with one.world.database.write() as connection:
                invited = structs.replace(run, state="invited", reached_at=None)
                await doing.reached(connection, invited, one.house.around.now())
        states = [(await one.read(responses.run, run.id)).state for run in stale]
        assert states == ["declined", "accepted"]


async def test_what_is_foreign_is_answered_like_what_is_not_there(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path, counties=2) as one:
        lead, (first, second) = await person(one, "Lena"), one.counties
        response = await begun(one, lead, of_group=None, counties=["Kreis 1"])
        task = await own_task(one, first)
        said = {"reason": "x"}
        text = {"text": "x"}
        for method, path, body, mine in (
            ("GET", "/responses/{}", None, response),
            ("POST", "/runs/{}/accept", {}, task["run"]),
            ("POST", "/runs/{}/decline", said, task["run"]),
            ("GET", "/tasks/{}", None, task["id"]),
            ("POST", "/tasks/{}/claim", None, task["id"]),
            ("POST", "/tasks/{}/done", {}, task["id"]),
            ("POST", "/tasks/{}/fail", said, task["id"]),
            ("POST", "/tasks/{}/agree", {"agreed": True}, task["id"]),
            ("POST", "/tasks/{}/remarks", text, task["id"]),
            ("POST", "/tasks/{}/files?name=x", text, task["id"]),
            ("GET", "/tasks/{}/files/" + FOREIGN, None, task["id"]),
        ):
            options = {} if body is None else {"json": body}
            answers = [
                await one.world.request(method, ROOT + path.format(each), second, **options)
                for each in (mine, FOREIGN)
            ]
            assert [each.status for each in answers] == [404, 404], path
            assert answers[0].body.replace(mine.encode(), FOREIGN.encode()) == answers[1].body
        # The center sees a county's task, and does none of it.
        assert (await ask(one, "GET", f"/tasks/{task['id']}", lead))["id"] == task["id"]
        await ask(one, "POST", f"/tasks/{task['id']}/claim", lead, code=404)
        assert (await ask(one, "GET", "/tasks", second))["tasks"] == []


async def test_what_never_began_is_seen_by_the_center_alone(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path, counties=1) as one:
        lead, (county,) = await person(one, "Lena"), one.counties
        await imported(one, lead)
        plan = PLAN | {"of_group": "members"}
        incident = await ask(one, "POST", "/incidents", county, {"title": "Vorfall"}, 201)
        made = (await ask(one, "POST", "/responses", lead, plan, 201))["id"]
        for deed in ("cancel", "rollback"):
            tie = {"response": made}
            await ask(one, "POST", f"/incidents/{incident['id']}/responses", county, tie, 404)
            await ask(one, "GET", f"/responses/{made}", county, code=404)
            assert (await ask(one, "GET", "/responses", county))["responses"] == []
            code = 200 if deed == "cancel" else 400
            await ask(one, "POST", f"/responses/{made}/{deed}", lead, {}, code)
        assert (await ask(one, "GET", f"/responses/{made}", lead))["shown"]["state"] == "cancelled"


async def test_words_and_files_stay_with_a_task(database_url: str, tmp_path: Path) -> None:
    async with stage(database_url, tmp_path, counties=1) as one:
        lead, (county,) = await person(one, "Lena"), one.counties
        await begun(one, lead)
        task = await own_task(one, county)
        path, content = f"/tasks/{task['id']}", b"\0 \xff evidence"
        await ask(one, "POST", f"{path}/remarks", county, {"text": "Sehe nach."}, 201)
        kept = await one.world.request(
            "POST", f"{ROOT}{path}/files?name=log.txt", county, data=io.BytesIO(content)
        )
        assert kept.status == 201, kept.body
        said, file = kept.json["remarks"]
        assert (said["text"], said["by"]) == ("Sehe nach.", "Kreis 1")
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        got = await ask(one, "GET", f"{path}/files/{file['id']}", lead)
        assert base64.b64decode(got["content"]) == content
        empty = await one.world.request("POST", f"{ROOT}{path}/files?name=x", county)
        assert (empty.status, empty.json["field"]) == (422, "file")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"playbook": "playbook--0"}, "playbook"),
        ({"version": "yesterday"}, "version"),
        ({"counties": []}, "counties"),
        ({"counties": ["Kreis 9"]}, "counties"),
        ({"counties": ["Testzentrum"]}, "counties"),
        ({"tlp": None}, "tlp"),
        ({"tlp": "red"}, "tlp"),
        ({"tlp": "clear"}, "lock"),
        ({"group": "nobody"}, "group"),
        ({"values": {}}, "__wert__"),
        ({"values": {"__wert__": "x", "__other__": "y"}}, "__other__"),
        ({"title": "two\nlines"}, "title"),
        ({"known": "2199-01-01T00:00:00Z"}, "known"),
        ({"break_glas": True}, "break_glas"),
    ],
)
async def test_what_no_response_can_be_is_refused(
    said: dict[str, Any], field: str, tmp_path: Path
) -> None:
    async with stage(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path, counties=1) as one:
        lead = await person(one, "Lena")
        await imported(one, lead)
        plan = PLAN | {"counties": ["Kreis 1"]} | said
        told = await ask(one, "POST", "/responses", lead, plan, 422)
        assert told["field"].endswith(field), told
        if "break_glas" not in said:
            await ask(one, "POST", "/responses/preview", lead, plan, 422)
        assert (await ask(one, "GET", "/responses", lead))["responses"] == []


async def test_only_those_who_may_see_it_are_chosen(tmp_path: Path) -> None:
    async with stage(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path, counties=3) as one:
        lead, (first, second, _) = await person(one, "Lena"), one.counties
        await one.world.org("Stadt A", Kind.CLIENT, of=first)
        await one.world.group("Krisenstab", first, second)
        admin = await one.world.seat("Kreis 2", Scope.ADMIN)
        have = {"assets": [{"kind": "software", "value": "FortiOS", "vendor": "Fortinet"}]}
        await ask(one, "POST", "/assets", admin, have, 201)
        for name in ("Kreis 2", "Stadt A"):
            await founding.change_tags(one.world.database, name, ["kritis"], [])
        await imported(one, lead, WIDE)

        async def meant(**said: Any) -> tuple[list[str], list[str]]:
            plan = PLAN | {"playbook": key("playbook", "wide"), "values": {}} | said
            shown = await ask(one, "POST", "/responses/preview", lead, plan)
            return tuple(
                [each["name"] for each in shown[part]] for part in ("counties", "left_out")
            )

        every = ["Kreis 1", "Kreis 2", "Kreis 3", "Stadt A"]
        assert await meant(everybody=True) == (every, [])
        assert await meant(everybody=True, tlp="amber+strict") == (every[:3], ["Stadt A"])
        assert await meant(of_group="krisenstab", group="krisenstab") == (every[:2], [])
        assert await meant(tag="Kritis") == (["Kreis 2", "Stadt A"], [])
        narrowed = {"tag": "kritis", "of_group": "members"}
        assert await meant(**narrowed, counties=["Kreis 1"]) == (every[:2], [])
        assert await meant(software="fortios", counties=["Kreis 1"]) == (every[:2], [])
        await ask(one, "POST", "/responses/preview", lead, PLAN | {"software": "nowhere"}, 422)
        await ask(one, "POST", "/responses/preview", lead, PLAN | {"tag": "nowhere"}, 422)


async def test_a_center_s_token_leads_and_people_approve(tmp_path: Path) -> None:
    async with stage(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path, counties=2) as one:
        await imported(one, await person(one, "Lena"))
        program = await one.world.seat("Testzentrum", Scope.WRITE)
        plan = PLAN | {"of_group": "members"}
        made = await ask(one, "POST", "/responses", program, plan, 201)
        assert made["led"]["started_by"] == "Testzentrum"
        path = f"/responses/{made['id']}"
        refused = await ask(one, "POST", f"{path}/approve", program, {}, 403)
        assert "people" in refused["detail"]
        await ask(one, "POST", "/responses", program, plan | {"break_glass": True}, 403)
        anna = await person(one, "Anna")
        rejected = await ask(one, "POST", f"{path}/reject", anna, {"reason": "zu breit"})
        assert rejected["state"] == "rejected"
        glass = await ask(one, "POST", "/responses", anna, plan | {"break_glass": True}, 201)
        assert (glass["state"], glass["led"]["glass_until"] is None) == ("running", False)
        assert len((await ask(one, "GET", "/responses?state=rejected", anna))["responses"]) == 1


async def test_the_center_pauses_asks_adds_runs_again_and_rolls_back(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path, counties=3) as one:
        lead = await person(one, "Lena")
        path = (
            f"/responses/{await begun(one, lead, of_group=None, counties=['Kreis 1', 'Kreis 2'])}"
        )
        assert (await ask(one, "POST", f"{path}/pause", lead))["paused"] is True
        assert (await ask(one, "POST", f"{path}/resume", lead))["paused"] is False
        more = {"counties": ["Kreis 3"]}
        (new,) = (await ask(one, "POST", f"{path}/counties", lead, more))["runs"]
        assert (new["organisation"], new["state"]) == ("Kreis 3", "invited")
        assert (await ask(one, "POST", f"{path}/counties", lead, more))["runs"] == []
        question = {"ask": "Wie viele?", "kind": "number"}
        extra = {"title": "Frage", "questions": {"many": question}}
        put = await ask(one, "POST", f"{path}/tasks", lead, extra, 201)
        asked = {each["organisation"] for each in put["tasks"]}
        assert asked == {"Kreis 1", "Kreis 2", "Kreis 3"}
        some = await ask(one, "POST", f"{path}/tasks", lead, extra | more, 201)
        assert len(some["tasks"]) == 1
        await ask(one, "POST", f"{path}/tasks", lead, extra | {"role": "king"}, 422)
        await ask(one, "POST", f"{path}/rerun", lead, code=400)
        task = await own_task(one, one.counties[0])
        failed = {"reason": "geht nicht"}
        await ask(one, "POST", f"/tasks/{task['id']}/fail", one.counties[0], failed)
        back = await ask(one, "POST", f"{path}/rollback", lead, {"reason": "Fehlalarm"})
        assert (back["state"], back["ending"]) == ("running", "revert")

        async def over() -> bool:
            return (await ask(one, "GET", path, lead))["shown"]["state"] == "reverted"

        assert await found(over)
        await ask(one, "POST", f"{path}/cancel", lead, {}, 400)
