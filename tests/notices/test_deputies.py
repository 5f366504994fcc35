"""Who stands in for a person is a colleague, and is known wherever people are listed."""

from pathlib import Path

from cli.terminal import Terminal
from cybercoop.members.tokens import Scope
from world import world

ROOT = "/api/v1/people"


async def test_a_deputy_is_a_colleague(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        for name in ("county", "other"):
            await center.org(name)
            await center.seat(name, Scope.ADMIN)
        county, other = center.seats["county"], center.seats["other"]
        anna = {"name": "Anna", "mail": "anna@county.example"}
        made = await center.request("POST", ROOT, county, json=anna)
        assert made.json["deputy"] is None
        bert = {"name": "Bert", "mail": "bert@county.example", "deputy": anna["mail"]}
        answer = await center.request("POST", ROOT, county, json=bert)
        assert (answer.status, answer.json["deputy"]) == (201, made.json["id"])
        foreign = bert | {"mail": "x@other.example"}
        for name in (anna["mail"], made.json["id"], "nobody"):
            answer = await center.request("POST", ROOT, other, json=foreign | {"deputy": name})
            assert (answer.status, answer.json["field"]) == (422, "deputy")
        listed = (await center.get(ROOT, county)).json["people"]
        assert [one["deputy"] for one in listed] == [None, made.json["id"]]


def test_the_command_takes_a_deputy(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.run("init", "--name", "Testzentrum")
    for name in ("Landkreis A", "Landkreis B"):
        terminal.run("org", "add", name, "--kind", "member")
    add = ("user", "add", "IT", "--mail", "b@a.example", "--deputy", "a@a.example")
    anna = terminal.json("user", "add", "A", "--org", "Landkreis A", "--mail", "a@a.example")
    terminal.run(*add, "--org", "Landkreis B", code=2)
    assert terminal.json(*add, "--org", "Landkreis A")["deputy"] == anna["id"]
