"""The commands about sources, on both databases, without a running server."""

from pathlib import Path
from typing import Any

from cli.terminal import Terminal


def defined(terminal: Terminal, name: str, **more: Any) -> dict[str, str]:
    """Write a definition of a folder and return the setting that names where it stands."""
    feeds = terminal.folder / "feeds"
    (feeds / name).mkdir(parents=True, exist_ok=True)
    said = {"title": name.title(), "kind": "directory", "path": name, "reader": "plain"}
    said |= {"licence": "CC0-1.0", "terms": "https://terms.example/", "attribution": "nobody"}
    said |= {"tlp": "green", "schedule": "every 1h"} | more
    lines = [f"{key} = {value!r}\n" for key, value in said.items() if isinstance(value, str)]
    lines += [f"{key} = {str(value).lower()}\n" for key, value in said.items() if value is True]
    (feeds / f"{name}.toml").write_text("".join(lines) + "confidence = 50\n")
    return {"CYBERCOOP_FEEDS": str(feeds)}


def listed(terminal: Terminal, more: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in terminal.json("source", "list", **more)["sources"]}


def put(terminal: Terminal, name: str, text: str) -> Path:
    file = terminal.folder / "feeds" / name / "list.txt"
    file.write_text(text)
    return file


def test_a_source_is_added_collected_listed_and_stopped(terminal: Terminal) -> None:
    terminal.run("init", "--name", "Testzentrum")
    more = defined(terminal, "good", verified=True)
    assert listed(terminal, more)["good"]["state"] == "off"
    put(terminal, "good", "a.example\n# more to come\nb.example\n???\n")
    added = terminal.json("source", "add", "good", **more)
    orgs = {one["name"]: one for one in terminal.json("org", "list")["organisations"]}
    assert (orgs["good"]["kind"], orgs["good"]["id"]) == ("source", added["id"])
    assert (orgs["good"]["community"], orgs["good"]["groups"]) == (False, [])
    assert listed(terminal, more)["good"]["state"] == "never"
    (run,) = terminal.json("collect", **more)["runs"]
    assert (run["accepted"], run["refused"], run["done"]) == (2, 1, True)
    found = listed(terminal, more)["good"]
    assert (found["state"], found["objects"], found["alarm"]) == ("fresh", 2, False)
    assert found["succeeded"] < found["next"]
    assert "already" in terminal.run("source", "add", "good", code=2, **more).stderr
    terminal.run("source", "stop", "good", **more)
    assert listed(terminal, more)["good"]["state"] == "off"
    (off,) = terminal.json("collect", "good", code=1, **more)["runs"]
    assert "off" in off["reason"]
    assert terminal.json("collect", **more)["runs"] == []
    terminal.run("source", "add", "good", **more)
    assert listed(terminal, more)["good"]["state"] == "fresh"


def test_one_that_fails_says_why_and_keeps_no_other_back(center: Terminal) -> None:
    defined(center, "bad", verified=True)
    more = defined(center, "good", verified=True)
    put(center, "bad", "<html><body>Wartung</body></html>")
    put(center, "good", "a.example\n")
    for name in ("bad", "good"):
        center.run("source", "add", name, **more)
    printed = center.run("collect", code=1, **more).stdout
    found = listed(center, more)
    assert (found["bad"]["state"], found["bad"]["alarm"]) == ("failing", True)
    assert found["bad"]["reason"] in printed
    assert (found["good"]["state"], found["good"]["objects"]) == ("fresh", 1)
    assert "bad" in center.run("source", "list", **more).stdout


def test_terms_are_accepted_in_words(center: Terminal) -> None:
    more = defined(center, "unread")
    refused = center.run("source", "add", "unread", code=2, **more).stderr
    assert "https://terms.example/" in refused
    assert center.json("source", "add", "unread", "--accept-terms", **more)["name"] == "unread"
    assert "no definition" in center.run("source", "add", "other", code=2, **more).stderr


def test_a_check_reads_all_and_takes_in_nothing(tmp_path: Path) -> None:
    nowhere = Terminal(tmp_path)  # there is no center at all
    more = defined(nowhere, "good")
    put(nowhere, "good", "a.example\na.example\n203.0.113.7 # scanner\n???\n\n# end\n")
    found = nowhere.json("source", "check", "good", **more)
    assert found["values"] == {"domain": 1, "ipv4": 1}
    assert (found["duplicates"], sum(found["refused"].values())) == (1, 1)
    assert "blank" in str(found["passed"])
    assert "domain" in nowhere.run("source", "check", "good", **more).stdout
    put(nowhere, "good", "<html></html>")
    assert "web page" in nowhere.run("source", "check", "good", code=1, **more).stderr
    assert not (tmp_path / "cybercoop.sqlite").exists()


def test_the_definitions_that_came_along_are_listed_and_off(center: Terminal) -> None:
    found = listed(center, {})
    assert len(found) >= 12
    assert {one["state"] for one in found.values()} == {"off"}
