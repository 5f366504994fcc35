"""The board: county by step with what is late, answers summed, and nothing of others' parts."""

import json
from pathlib import Path

from cybercoop.members.organisations import Organisation
from cybercoop.playbooks.duties import Question
from cybercoop.playbooks.progress import Response, Task
from cybercoop.responses import asking, doing, leading, papers, reporting
from cybercoop.responses.board import Board, Sum, board
from cybercoop.responses.doing import Who
from cybercoop.sharing.keys import keys_of
from cybercoop.store import members, runs
from cybercoop.store.runs import Reader
from responses.books import action, book, end, key, manual
from responses.stage import Stage, stage

HOUR = 3_600_000_000
BOOK = book(
    "board",
    key("action", "ask"),
    manual(
        "ask",
        to=key("action", "block"),
        asks={"__seen__": "yes-no-unknown", "__many__": "number", "__what__": "text"},
        duty={"title": "Fragen", "role": "it-operations", "deadline": {"within": "PT4H"}},
    ),
    action(
        "block",
        {"type": "block"},
        to=key("end", "end"),
        duty={
            "title": "Sperren",
            "arguments": {"value": "__value__:value", "hours": 24},
            "revert": key("action", "back"),
        },
    ),
    manual("back", to=key("end", "back"), duty={"title": "Zurück"}),
    end("back"),
    end(),
    variables={
        "__seen__": {"type": "string"},
        "__many__": {"type": "integer"},
        "__what__": {"type": "string"},
        "__value__": {"type": "string", "external": True, "value": "evil-host.net"},
    },
)


async def reader(one: Stage, org: Organisation | None = None) -> Reader:
    if org is None:
        return Reader(one.world.center.org_id, frozenset(), is_center=True)
    return Reader(org.id, keys_of(org))


async def looked(one: Stage, response: Response, org: Organisation | None = None) -> Board:
    """Return the board as an organisation sees it, or the center."""
    who = await reader(one, org)
    seen = await one.read(runs.read, who, response.id, steps_too=True)
    playbook = await one.house.book(response.playbook_id, response.playbook_modified)
    return board(seen, playbook, one.house.around.now(), texts=who.is_center)


async def told(one: Stage, response: Response, org: Organisation | None = None) -> reporting.Report:
    who, now = await reader(one, org), one.house.around.now()
    seen = await one.read(runs.read, who, response.id)
    blocks = await one.read(runs.blocks_of, who, response.id, now)
    names = {each.id: each.name for each in await one.read(members.all_organisations)}
    return reporting.report(seen, blocks, names, now, texts=who.is_center)


def sum_of(made: Board, name: str) -> Sum:
    return next(one for one in made.sums if one.name == name)


async def test_steps_and_answers_of_all_counties_are_counted(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path) as one:
        response = await one.start(await one.keep(BOOK))
        tasks = await one.tasks(response, 4)
        said = ["yes", "yes", "unknown"]
        for number, (task, seen) in enumerate(zip(tasks, said, strict=False)):
            await one.finish(task, __seen__=seen, __many__=number, __what__=f"Text {number}")
        late = tasks[3]
        one.world.clock.forward(5 * HOUR)

        async def blocked() -> bool:
            made = await looked(one, response)
            return made.states.get("done") == 3

        await one.until(blocked)
        made = await looked(one, response)
        assert [column.title for column in made.columns] == ["Fragen", "Sperren"]
        asked, blocks = made.columns
        assert (dict(asked.counts), asked.overdue) == ({"done": 3, "open": 1}, 1)
        assert dict(blocks.counts) == {"done": 3}
        assert (dict(made.states), made.overdue) == ({"done": 3, "invited": 1}, 1)
        (line,) = [each for each in made.lines if each.overdue]
        assert (line.run.id, [cell and cell.state for cell in line.cells]) == (
            *(late.run_id, ["open", None]),
        )
        assert (line.cells[0] or line.cells).task == late.id
        seen_sum, many = sum_of(made, "__seen__"), sum_of(made, "__many__")
        assert dict(seen_sum.counts) == {"yes": 2, "no": 0, "unknown": 1}
        assert (seen_sum.answered, seen_sum.waiting) == (3, 1)
        assert (many.total, many.least, many.most, many.answered) == (3, 0, 2, 3)
        assert {text for _, text in sum_of(made, "__what__").texts} == {
            "Text 0",
            "Text 1",
            "Text 2",
        }


async def test_a_county_s_board_has_its_own_line_and_sums_its_own_answers(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path) as one:
        response = await one.start(await one.keep(BOOK))
        for task in await one.tasks(response, 4):
            await one.finish(task, __seen__="no", __many__=7, __what__="geheim")
        for seat in one.counties:
            made = await looked(one, response, seat.org)
            assert [line.run.org_id for line in made.lines] == [seat.org.id]
            assert all(sum(column.counts.values()) <= 1 for column in made.columns)
            assert (sum_of(made, "__many__").total, sum_of(made, "__many__").answered) == (7, 1)
            assert sum_of(made, "__what__").texts == []


async def test_of_a_county_that_is_asked_again_the_last_attempt_counts(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path, counties=2) as one:
        response = await one.start(await one.keep(BOOK))
        first, second = await one.tasks(response, 2)
        await one.write(doing.fail, first.id, Who(first.org_id), "Geht nicht.")
        await one.finish(second, __seen__="no", __many__=1, __what__="x")

        async def failed() -> bool:
            return bool((await looked(one, response)).states.get("failed"))

        await one.until(failed)
        await one.until(lambda: over(one, response))
        await one.write(leading.rerun, response.id, "lead")
        (again,) = await one.tasks(response, 1)
        made = await looked(one, response)
        assert len(made.lines) == 2
        assert sum_of(made, "__many__").answered == 1
        await one.finish(again, __seen__="yes", __many__=2, __what__="y")
        made = await looked(one, response)
        assert (sum_of(made, "__many__").total, made.overdue) == (3, 0)


async def over(one: Stage, response: Response) -> bool:
    found = await one.read(runs.response, await reader(one), response.id)
    return found.state != "running"


async def test_a_question_put_to_all_and_a_way_back_have_columns_of_their_own(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path, counties=2) as one:
        response = await one.start(await one.keep(BOOK))
        tasks = await one.tasks(response, 2)
        what = asking.Put(
            one.house.around.uuid(),
            "",
            "Welche Fassung?",
            one.house.around.now(),
            questions={"version": Question("Welche?", "choice", ("7.4", "7.6"))},
        )
        extra = await one.write(leading.ask, response.id, what, "lead")
        await one.finish(extra[0], version="7.6")
        made = await looked(one, response)
        column = made.columns[-1]
        assert (column.title, dict(column.counts)) == ("Welche Fassung?", {"done": 1, "open": 1})
        assert dict(sum_of(made, "version").counts) == {"7.4": 0, "7.6": 1}
        for task in tasks:
            await one.finish(task, __seen__="no", __many__=0, __what__="x")

        async def blocked() -> bool:
            return len((await told(one, response)).blocks) == 2

        await one.until(blocked)
        await one.write(leading.roll_back, response.id, "lead", "Fehlalarm")

        async def both() -> list[Task]:
            # One county may be on its way back while the other still has its question.
            found = await one.titled(response, "Zurück")
            return found if len(found) == 2 else []

        for back in await one.until(both):
            await one.finish(back)
        assert (await one.ended(response)).state == "reverted"
        titles = [column.title for column in (await looked(one, response)).columns]
        assert titles == ["Fragen", "Sperren", "Zurück", "Welche Fassung?"]


async def test_the_report_tells_what_was_kept_missed_and_left_open(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path, counties=3) as one:
        response = await one.start(await one.keep(BOOK), exercise=True)
        kept, missed, _ = await one.tasks(response, 3)
        await one.finish(kept, __seen__="yes", __many__=5, __what__="x")
        one.world.clock.forward(5 * HOUR)
        await one.write(doing.fail, missed.id, Who(missed.org_id), "Kein Zugriff {who}")
        made = await told(one, response)
        assert (made.kept, made.missed) == (1, 2)
        assert sorted(point.state for point in made.points) == ["failed", "open"]
        german = [line.german for line in made.timeline]
        assert "Der Einsatz hat begonnen." in german
        assert any(line.endswith("Kein Zugriff {who}") for line in german)
        assert {"starter", "approver 0"} & set(" ".join(german).split()) == set()
        own = await told(
            one, response, next(seat.org for seat in one.counties if seat.org.id == kept.org_id)
        )
        assert [county.organisation for county in own.counties] == [
            "Kreis 1",
            "Kreis 2",
            "Kreis 3",
        ][[seat.org.id for seat in one.counties].index(kept.org_id) :][:1]
        assert (own.kept, own.missed, own.points) == (1, 0, [])
        paper = papers.pdf(made, "Testzentrum", "de")
        assert paper.startswith(b"%PDF")
        assert paper == papers.pdf(made, "Testzentrum", "de")
        groups = {each.id: each.marking_id for each in await one.read(members.all_groups)}
        bundle = papers.stix(made, one.world.center, "Testzentrum", groups)
        report = next(each for each in bundle["objects"] if each["type"] == "report")
        known = {each["id"] for each in bundle["objects"]}
        assert set(report["object_refs"]) <= known
        assert (report["labels"], len(report["object_marking_refs"])) == (["exercise"], 2)
        assert "Kein Zugriff" in json.dumps(bundle)


def test_every_line_of_the_log_has_words_in_both_languages() -> None:
    row = {"at": 0, "who": "engine", "org_id": None, "said": {"value": "a\nb {org}"}}
    for what, (german, english) in reporting.SENTENCES.items():
        words = reporting.entry(row | {"what": what}, {})
        assert german != english
        assert words.german.isprintable()
        assert words.english.isprintable()
        if "{value}" in german:
            assert "a b {org}" in words.german
