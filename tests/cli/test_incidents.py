"""Incidents on the command line of a county, over HTTP."""

import json
from collections.abc import Iterator

import pytest

from cli.terminal import Terminal, address_in


@pytest.fixture
def county(center: Terminal) -> Iterator[tuple[Terminal, dict[str, str]]]:
    token = center.json("token", "create", "Landkreis A")["token"]
    with center.serving() as said:
        yield center, {"CYBERCOOP_URL": address_in(said), "CYBERCOOP_TOKEN": token}


def test_an_incident_from_its_report_to_its_export(
    county: tuple[Terminal, dict[str, str]],
) -> None:
    terminal, client = county
    file = terminal.folder / "was.txt"
    file.write_text("Erpresserschreiben auf drei Rechnern.\n")
    words = ("--text", f"@{file}", "--category", "malicious-code/infected-system")
    words += ("--severity", "high", "--value", "evil-host[.]net")
    made = terminal.json("incident", "report", "Befall im Bürgeramt", *words, **client)
    number = made["id"]
    assert [one["value"] for one in made["indicators"]] == ["evil-host.net"]
    terminal.json("incident", "update", number, "--state", "contained", "--note", "Netz", **client)
    done = ("--done", "land-cert/early", "--erase-people")
    terminal.run("incident", "update", number, *done, **client)
    (listed,) = terminal.json("incident", "list", "--state", "contained", **client)["incidents"]
    assert listed["id"] == number
    assert number in terminal.run("incident", "list", **client).stdout
    shown = terminal.run("incident", "show", number, COLUMNS="200", **client).stdout
    assert "Erpresserschreiben" in shown
    assert "evil-host.net" in shown
    draft = terminal.run("incident", "show", number, "--draft", "dsgvo-33", **client).stdout
    assert "Art. 33 DSGVO" in draft
    seen = terminal.json("incident", "share", number, "--tlp", "amber", "--dry-run", **client)
    assert "Befall" not in json.dumps(seen, ensure_ascii=False)
    assert (
        "Landkreis B"
        in terminal.run("incident", "share", number, "--tlp", "amber", "--dry-run", **client).stdout
    )
    given = terminal.json("incident", "share", number, "--tlp", "amber", **client)
    assert (given["lock"], given["reduced"]) == ("group:members", True)
    assert terminal.json("incident", "share", number, "--withdraw", **client)["withdrawn"]
    for name, start in (("stix", b"{"), ("pdf", b"%PDF-")):
        target = terminal.folder / f"vorfall.{name}"
        words = ("incident", "export", number, "--to", target, "--format", name)
        terminal.run(*words, **client)
        assert target.read_bytes().startswith(start)
        assert "name another" in terminal.run(*words, code=2, **client).stderr


def test_what_is_wrong_with_an_incident_is_said(county: tuple[Terminal, dict[str, str]]) -> None:
    terminal, client = county
    foreign = "5c0ffee0-0000-4000-8000-000000000000"
    for words, code, reason in (
        (("show", foreign), 1, "404 There is no such incident"),
        (("update", foreign), 2, "Say what to change"),
        (("report", "x", "--category", "fraud"), 2, "fraud/TYPE"),
        (("report", "x", "--category", "fraud/spam"), 1, "fraud has the types"),
        (("report", "x", "--text", "@nowhere.txt"), 2, "cannot be read"),
        (("share", foreign, "--tlp", "blue"), 2, "clear, green, amber"),
        (("list", "--url", "nonsense"), 2, "is not an address"),
        (("list", "--token", "a\nb"), 2, "no token has"),
        (("list", "--token", "coop_nobody"), 1, "401"),
        (("list", "--token", ""), 2, "CYBERCOOP_TOKEN"),
        (("list", "--url", "http://127.0.0.1:1"), 1, "The center did not do it"),
    ):
        assert reason in terminal.run("incident", *words, code=code, **client).stderr, words
    terminal.json("incident", "report", "kurz", **client)
    assert "kurz" in terminal.run("incident", "list", **client).stdout
