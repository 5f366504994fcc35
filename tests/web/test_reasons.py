"""Reasons in German: a sentence for each that readers, checks, the guard and lists can give."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from cybercoop.guard import verdicts
from cybercoop.guard.verdicts import Level, by_rule
from cybercoop.stix import refusals, slices
from cybercoop.web.pages import reasons, rendering
from web.browser import Browser
from world import world

ROOT = Path(reasons.__file__).parents[2]
ROOMS = (
    *("collect/readers", "collect/reading.py", "collect/indicating.py", "collect/checking.py"),
    *("collect/intake.py", "collect/resolving.py", "indicators", "stix"),
    *("sharing/marking.py", "guard/builtin.py"),
    *("guard/spelling.py", "guard/verdicts.py", "exports/formats", "exports/cut.py"),
    *("exports/orders.py", "incidents/taxonomy.py", "incidents/cases.py", "incidents/clocks.py"),
    *("incidents/profiles/__init__.py", "collect/incidents.py", "collect/incident_parts.py"),
    *("collect/incident_sharing.py", "store/incidents.py", "store/incident_parts.py"),
    *("web/pages/incidents.py", "web/pages/responses.py", "web/pages/tasks.py"),
    *("responses/doing.py", "responses/leading.py", "responses/starting.py"),
    *("responses/linked.py", "responses/commands/block.py", "web/api/planning.py"),
    *("playbooks/variables.py", "playbooks/duties.py", "store/responses.py", "store/runs.py"),
    "store/contributions.py",
)
UNSEEN = (
    r"The format 'x' is made of several files\.",
    r".*(CNAME|\$ORIGIN).*",
    r"(Keine Rechtsberatung|No legal advice);.*",
)
"""What no page shows: it goes to whoever programs, or is no reason but a line of a list."""

TABLE = tomllib.loads(resources.files(reasons.__package__).joinpath("reasons.toml").read_text())
SENTENCE = re.compile(r"(?:[A-Z]|'x')\S* [^\n]*\.", re.DOTALL).fullmatch


def files() -> Iterator[Path]:
    for room in ROOMS:
        place = ROOT / room
        assert place.exists()
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


def sentences(source: str) -> Iterator[str]:
    """Yield the texts of a module that read like a sentence, with 'x' for what differs."""
    tree = ast.parse(source)
    said = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    parts = [
        one for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for one in node.values
    ]
    skipped = {id(one) for one in (*said, *parts)}
    for node in ast.walk(tree):
        if id(node) not in skipped and (text := _text(node)) and SENTENCE(text):
            yield text


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return re.sub(r"\{\d?\}", "'x'", node.value) if isinstance(node.value, str) else ""
    if not isinstance(node, ast.JoinedStr):
        return ""
    return "".join(
        one.value if isinstance(one, ast.Constant) else _filled(one) for one in node.values
    )


def _filled(part: ast.expr) -> str:
    name = ast.unparse(part)
    if "_NO_ENVELOPE" in name:
        return slices._NO_ENVELOPE
    return "7 hexadecimal digits" if name == "{digits}" else "'x'"


def english() -> set[str]:
    return {text for file in files() for text in sentences(file.read_text("utf-8"))}


def test_there_is_a_german_sentence_for_every_reason() -> None:
    known = {de for de, _ in verdicts._REASONS.values()} | {verdicts._PROTECTED[0]}
    found = {one for one in english() if not any(re.fullmatch(no, one) for no in UNSEEN)} - known
    assert len(found) > 150
    assert sorted(one for one in found if reasons.german(one) is None) == []


def test_no_sentence_stands_there_that_nobody_says() -> None:
    said = english()
    for room, some in TABLE.items():
        for sentence in some if room not in {"words", "guard"} else ():
            holes = re.escape(sentence).replace("7\\ ", "")
            pattern = re.sub(r"\\\{\d\\\}", ".+", holes)
            there = any(re.fullmatch(pattern, one) for one in said | OTHERS)
            assert there, sentence


OTHERS = {
    "There is nothing in it.",  # said by the page itself
    "The value is longer than 'x' characters.",  # by looking up
    "The value is not in the normal form of its kind.",  # by entries of lists
}


def test_what_differs_stays_and_words_are_put_into_german_too() -> None:
    assert reasons.german("'x y' is a single word, no domain name.") == (
        "'x y' ist ein einzelnes Wort und kein Domainname."
    )
    packed = reasons.german("a.zip is a ZIP file or a document of an office program, not text;"
                            " unpack or export it first.")  # fmt: skip
    assert packed is not None
    assert "eine ZIP-Datei oder ein Office-Dokument und kein Text" in packed
    assert reasons.german("The value is a number and should be a text.") == (
        "Der Wert ist eine Zahl und müsste ein Text sein."
    )
    assert reasons.german("Something that nobody has ever said.") is None
    assert reasons.german("'{0} {x}' is not a domain name.") == "'{0} {x}' ist kein Domainname."


def test_every_hole_of_a_sentence_is_filled_in_german() -> None:
    for room, some in TABLE.items():
        for sentence, german in some.items():
            holes = [set(re.findall(r"\{\d\}", one)) for one in (sentence, german)]
            assert holes[0] == holes[1], (room, sentence)


def test_the_guard_says_the_same_in_german_everywhere() -> None:
    for rule in (*verdicts._REASONS, *verdicts.OWN):
        said = by_rule(rule, Level.HOLD)
        assert reasons.german(said.reason_en) == said.reason_de


@pytest.mark.parametrize("kind", refusals._KINDS.values())
def test_words_of_the_schema_are_german_ones(kind: str) -> None:
    assert kind in TABLE["words"]


def test_what_has_no_german_is_marked_as_english_and_stays_text() -> None:
    shown = rendering.why('No <b>"sentence"</b>.', "de")
    assert shown == '<span lang="en">No &lt;b&gt;&#34;sentence&#34;&lt;/b&gt;.</span>'
    assert rendering.why("'<b>' is not a domain name.", "de") == (
        "&#39;&lt;b&gt;&#39; ist kein Domainname."
    )
    assert rendering.why("'<b>' is not a domain name.", "en").endswith("is not a domain name.")


async def test_a_person_who_pastes_reads_german_reasons(database_url: str, tmp_path: Path) -> None:
    text = "Siehe readme.md und evil[.]example[.]org, Version 10.0.190.1.\n"
    async with world(database_url, tmp_path) as center:
        owner = await center.org("Landkreis A")
        async with Browser(center) as browser, Browser(center) as english_one:
            for one, word in ((browser, "Dateiname"), (english_one, "name of a file")):
                await one.sign_in(owner.token)
                if one is english_one:
                    await one.get("/?lang=en")
                form = (await one.get("/push")).form("/push/preview")
                seen = await one.send(form, text=text)
                assert word in seen.text
                assert 'lang="en">It' not in seen.source
            form = (await browser.get("/push")).form("/push/preview")
            empty = await browser.send(form, file=("x.txt", b""), text="")
            assert (empty.status, "Es steht nichts darin." in empty.text) == (422, True)
            packed = await browser.send(form, file=("a.gz", b"\x1f\x8b\x08\x00" + b"x" * 40))
            assert "bitte erst entpacken" in packed.text
            form = (await browser.get("/lookup")).form("/lookup")
            found = await browser.send(form, values="010.1.2.3")
            assert "ohne führende Nullen" in found.text
