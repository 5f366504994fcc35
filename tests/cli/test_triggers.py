"""Rules on the command line and in their file, and what the clock does to them."""

from pathlib import Path
from typing import Any

import pytest

from cli.terminal import ROOT, Terminal
from cybercoop.collect import founding
from cybercoop.errors import Refused
from cybercoop.playbooks import checking
from cybercoop.responses import rules
from cybercoop.responses.rules import From
from cybercoop.responses.triggers import kinds
from cybercoop.stix.times import micros
from responses.test_triggers import ANY, HOUR, VALUE, desk, toml
from world import indicator

SHIPPED = ROOT / "playbooks"


def written(terminal: Terminal, **some: dict[str, Any]) -> dict[str, str]:
    """Write a file of rules and return the setting that names its folder."""
    (terminal.folder / rules.FILE).write_bytes(toml(**some))
    return {"CYBERCOOP_PLAYBOOKS": str(terminal.folder)}


def test_rules_are_listed_with_their_state(center: Terminal) -> None:
    more = written(center, first={}, second={"enabled": False, "counties": ["Landkreis A"]})
    first, second = center.json("trigger", "list", **more)["rules"]
    assert (first["name"], first["on"], second["on"]) == ("first", True, False)
    assert (first["last"], first["acted"]) == (None, 0)
    assert "not imported" in first["problem"]
    assert "Landkreis A" in center.run("trigger", "list", **more).stdout


def test_a_rule_is_replayed_and_nothing_is_touched(center: Terminal) -> None:
    more = written(center, any={"enabled": False, "limit": "2 in 1h"})
    token = center.json("token", "create", "Landkreis A")["token"]
    for number in range(3):
        (center.folder / f"{number}.txt").write_text(f"bad{number}.cybercoop-test.net\n")
    with center.serving() as said:
        address = next(word for word in said.split() if word.startswith("http://"))
        where = {"CYBERCOOP_URL": address, "CYBERCOOP_TOKEN": token}
        for number in range(3):
            center.run("push", f"{number}.txt", "--tlp", "amber", **where)
        listed: list[Any] = []
        while len(listed) < 3:
            listed = center.json("trigger", "test", "any", **more)["firings"]
            verdicts = center.json("trigger", "test", "any", **more)["verdicts"]
            if sum(verdicts.values()) == 3:
                break
    said_now = center.json("trigger", "test", "any", "--deutsch", **more)
    assert said_now["verdicts"] == {"proposed": 2, "limited": 1}
    assert said_now["firings"][0]["counties"] == ["Landkreis A", "Landkreis B"]
    assert "Veröffentlicht wurde" in said_now["firings"][0]["why"]
    assert "2 proposed" in center.run("trigger", "test", "any", "--since", "1h", **more).stdout
    assert center.json("trigger", "list", **more)["rules"][0]["last"] is None


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("test", "nothing"), "There is no rule"),
        (("test", "any", "--since", "soon"), "24h"),
    ],
)
def test_wrong_usage_is_told(words: tuple[str, ...], reason: str, center: Terminal) -> None:
    more = written(center, any={})
    assert reason in center.run("trigger", *words, code=2, COLUMNS="200", **more).stderr


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"kind": "moon"}, "kind"),
        ({"kind": "_spans"}, "kind"),
        ({"unheard": 1}, "unheard"),
        ({"playbook": "sperrung"}, "playbook"),
        ({"action": "obey"}, "action"),
        ({"counties": "all"}, "counties"),
        ({"counties": "touched"}, "counties"),
        ({"counties": "tag:Two words"}, "counties"),
        ({"limit": "0 in 24h"}, "limit"),
        ({"limit": "5 in 999d"}, "limit"),
        ({"repeat_after": "1y"}, "repeat_after"),
        ({"quiet": "22-6"}, "quiet"),
        ({"quiet": "22:00-22:00"}, "quiet"),
        ({"values": {"wert": 1}}, "values"),
        ({"values": {"__wert__": {"from": "secret"}}}, "values.__wert__"),
        ({"when": {"kinds": ["phone"]}}, "when.kinds"),
        ({"when": {"confidence": 101}}, "when.confidence"),
        ({"when": {"contributors": 0}}, "when.contributors"),
        ({"when": {"within": "2 days"}}, "when.within"),
        ({"kind": "incident", "when": {"categories": ["bad"]}}, "when.categories"),
        ({"kind": "schedule", "when": {"at": "25:00"}}, "when.at"),
        ({"kind": "manual", "when": {"lock": "own:me"}, "values": {}}, "when.lock"),
    ],
)
def test_what_is_wrong_with_a_rule_is_named(said: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        rules.parse(toml(any=said))
    assert refused.value.field == f"rules.any.{field}"


@pytest.mark.parametrize("raw", [b"\xff", b"[rules", b"x = 1", b"rules = 3", b"[rules.A_B]"])
def test_a_file_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        rules.parse(raw)


def test_what_comes_along_is_fit_for_use_and_harmless() -> None:
    books = [checking.check(file.read_bytes()).playbook for file in SHIPPED.glob("*.json")]
    known = {one.id: one for one in books if one is not None}
    found = rules.read(SHIPPED).rules
    assert {one.kind for one in found.values()} == set(kinds())
    for rule in found.values():
        variables = known[rule.playbook].variables
        needed = {name for name, one in variables.items() if one.is_external and one.value is None}
        assert needed <= set(rule.values) <= set(variables), rule.name
        assert rule.action != "start"


@pytest.mark.parametrize("name", sorted(kinds()))
def test_every_kind_keeps_the_contract(name: str) -> None:
    kind = kinds()[name]
    assert kind.source in {"projector", "incidents", "clock", ""}
    kind.check(kind.when())
    nothing: dict[str, Any] = dict.fromkeys(kind.gives)
    for sentence in (*kind.said(nothing), *kind.said(dict.fromkeys(kind.gives, "x"))):
        assert sentence.endswith(".")
    given = {"__wert__": {"from": min(kind.gives)}}
    rule = rules.parse(toml(any=ANY | {"kind": name, "values": given})).rules["any"]
    assert isinstance(rule.values["__wert__"], From)
    assert rule.trigger is kind


async def test_the_same_is_news_again_after_a_while(database_url: str, tmp_path: Path) -> None:
    async with desk(database_url, tmp_path, any={"repeat_after": "2d", "limit": "1 in 1h"}) as on:
        await on.say(on.counties[0])
        await on.say(on.counties[1], confidence=60)
        assert await on.verdicts() == {"proposed": 1, "repeated": 1}
        await on.say(on.counties[0], "other.cybercoop-test.net")
        assert await on.verdicts() == {"proposed": 1, "repeated": 1, "limited": 1}
        on.world.clock.forward(2 * HOUR)
        await on.say(on.counties[0], "third.cybercoop-test.net")
        on.world.clock.forward(48 * HOUR)
        await on.say(on.counties[2], confidence=90)
        assert await on.verdicts() == {"proposed": 3, "repeated": 1, "limited": 1}


async def test_limits_and_repeats_tell_nothing_across_locks(
    database_url: str, tmp_path: Path
) -> None:
    async with desk(database_url, tmp_path, any={"limit": "1 in 24h"}) as on:
        await on.world.group("Nord", *on.counties[:2])
        await on.world.push(on.counties[0], [indicator(VALUE)], group="nord")
        await on.world.project()
        await on.look()
        await on.begin((await on.responses())[0])
        on.world.clock.forward(HOUR)
        await on.say(on.counties[2])
        found = {one.lock for one in await on.responses()}
        assert found == {"group:nord", "group:members"}


async def test_quiet_hours_put_off_across_the_end_of_summer_time(
    database_url: str, tmp_path: Path
) -> None:
    quiet = {"quiet": "22:00-06:00"}
    async with desk(database_url, tmp_path, any=quiet, grave=quiet | {"urgent": True}) as on:
        on.world.clock.now = micros("2027-10-30T20:30:00Z")  # 22:30 in Germany
        await on.say(on.counties[0])
        assert await on.verdicts() == {"waiting": 1, "proposed": 1}
        on.world.clock.now = micros("2027-10-31T04:59:00Z")  # 05:59, nine hours and not eight
        await on.look()
        assert await on.verdicts() == {"waiting": 1, "proposed": 1}
        on.world.clock.now = micros("2027-10-31T05:00:01Z")
        await on.look()
        await on.look()
        assert await on.verdicts() == {"proposed": 2}
        assert {one.rule for one in await on.responses()} == {"any", "grave"}


async def test_what_was_taken_back_in_the_night_is_not_proposed(
    database_url: str, tmp_path: Path
) -> None:
    async with desk(database_url, tmp_path, any={"quiet": "00:00-23:59"}) as on:
        given = indicator(VALUE, "amber")
        await on.world.push(on.counties[0], [given])
        await on.world.project()
        await on.look()
        later = {"modified": "2026-10-02T08:00:00.000Z", "revoked": True}
        await on.world.push(on.counties[0], [given | later])
        await on.world.project()
        on.world.clock.forward(24 * HOUR)
        await on.look()
        assert await on.verdicts() == {"refused": 1}


async def test_a_schedule_keeps_to_the_clock_on_the_wall(database_url: str, tmp_path: Path) -> None:
    when = {"at": "02:30", "days": ["sun"]}
    rule = {"kind": "schedule", "when": when, "values": {"__wert__": {"from": "time"}}}
    async with desk(database_url, tmp_path, weekly=rule | {"exercise": True}) as on:
        fired = []
        for moment in ("03-27T23:00", "03-28T00:59", "03-28T01:30", "04-04T00:29", "04-04T00:30"):
            on.world.clock.now = micros(f"2027-{moment}:00Z")
            await on.look()
            fired.append(len(await on.responses()))
        # The first look makes up one of many that were missed; 02:30 does not exist on that day.
        assert fired == [1, 1, 2, 2, 3]
        assert all(one.exercise for one in await on.responses())
        assert (await on.responses())[1].variables == {"__wert__": "2027-03-28T01:30:00.000000Z"}


async def test_a_rule_asks_those_who_carry_a_tag(database_url: str, tmp_path: Path) -> None:
    async with desk(database_url, tmp_path, any={"counties": "tag:kritis"}) as on:
        await on.say(on.counties[0])
        assert await on.verdicts() == {"no-county": 1}
        for name in ("Kreis 2", "Kreis 4"):
            await founding.change_tags(on.world.database, name, ["kritis"], [])
        await on.say(on.counties[0], "other.cybercoop-test.net")
        (response,) = await on.responses()
        assert await on.asked(response) == {"Kreis 2", "Kreis 4"}
