"""What must not be blocked, said on the command line, and what comes of it over HTTP."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cli.terminal import Terminal, address_in
from world import indicator

SEEN = "seen.cybercoop-test.net"


def _until(found: Callable[[], Any]) -> Any:
    """Ask again until there is something; a projector needs a moment."""
    for _ in range(100):
        if said := found():
            return said
        time.sleep(0.1)
    raise AssertionError("It never came.")


def test_own_values_exceptions_and_guard_rules_come_and_go(center: Terminal) -> None:
    added = center.json("asset", "add", "network", "194.8.0.0/16", "--org", "Landkreis A")
    assert [one["value"] for one in added["added"]] == ["194.8.0.0/16"]
    assert center.json("asset", "list", "--org", "Landkreis B")["assets"] == []
    assert len(center.json("asset", "list", "--org", "Landkreis A")["assets"]) == 1
    center.run("asset", "drop", added["id"], "--org", "Landkreis B", code=1)
    center.run("asset", "drop", added["id"], "--org", "Landkreis A")
    said = ("--reason", "Bürgerportal", "--until", "2099-01-31")
    made = center.json("exception", "add", "portal[.]example.de", *said)
    assert (made["kind"], made["value"]) == ("domain", "portal.example.de")
    assert [one["id"] for one in center.json("exception", "list")["exceptions"]] == [made["id"]]
    center.run("exception", "end", made["id"])
    assert center.json("exception", "list")["exceptions"] == []
    kinds = center.json("guard", "add", "buergerportal-test.de", "194.8.0.0/16")["added"]
    assert [one["kind"] for one in kinds] == ["domain", "network"]


def test_what_nobody_can_own_or_except_is_refused_with_the_reason(center: Terminal) -> None:
    assert "de" in center.run("asset", "add", "domain", "de", code=1).stderr
    assert "wider" in center.run("guard", "add", "0.0.0.0/0", code=1).stderr
    late = ("--reason", "x", "--until", "2020-01-01")
    assert "future" in center.run("exception", "add", "a.example.de", *late, code=2).stderr
    assert center.run("exception", "add", "no value at all", "--reason", "x", code=1).stderr


def test_a_software_list_is_taken_in_whole(center: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "inventar.csv"
    file.write_text("Vendor;Product;Version\nFortinet;FortiOS;7.4.4\nCitrix;NetScaler;\n", "utf-8")
    assert center.json("asset", "import", file, "--org", "Landkreis A")["added"] == 2
    found = center.json("asset", "list", "--org", "Landkreis A")["assets"]
    assert {(one["vendor"], one["value"], one["version"]) for one in found} == {
        ("Fortinet", "FortiOS", "7.4.4"),
        ("Citrix", "NetScaler", None),
    }
    file.write_text("a;b\n1;2\n", "utf-8")
    assert "columns" in center.run("asset", "import", file, code=1).stderr


def test_what_is_held_is_decided_and_what_is_seen_is_told(center: Terminal, tmp_path: Path) -> None:
    token = center.json("token", "create", "Landkreis A")["token"]
    other = center.json("token", "create", "Landkreis B")["token"]
    file = tmp_path / "push.json"
    wide = indicator("[ipv4-addr:value = '45.12.0.0/20']", "green")
    file.write_text(json.dumps({"objects": [wide, indicator(SEEN, "green")]}))
    with center.serving() as said:
        client = {"CYBERCOOP_URL": address_in(said), "CYBERCOOP_TOKEN": token}
        center.run("push", file, **client)
        (held,) = _until(lambda: center.json("guard", "list")["held"])
        assert (held["value"], held["decision"]) == ("45.12.0.0/20", None)
        center.run("guard", "decide", held["id"], "release")
        assert center.json("guard", "list")["held"][0]["decision"] == "release"
        told = client | {"CYBERCOOP_TOKEN": other}
        first = center.json("sighting", "add", "seen[.]cybercoop-test.net", **told)
        assert [one["outcome"] for one in first["sightings"]] == ["accepted"]
        voted = center.json("sighting", "add", SEEN, "--false-positive", **told)
        assert [one["outcome"] for one in voted["sightings"]] == ["accepted"]
        missing = center.run("sighting", "add", "never.cybercoop-test.net", code=1, **told)
        assert "push it" in missing.stderr
