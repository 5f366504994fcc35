"""The commands about who takes part, on both databases, without a running server."""

import json
import os
import pty
import stat
import subprocess
from contextlib import ExitStack
from pathlib import Path

from cli.terminal import COMMAND, PATIENCE, Terminal, address_in
from world import envelope, indicator


def test_a_center_is_founded_and_filled(terminal: Terminal) -> None:
    center = terminal.json("init", "--name", "Testzentrum")
    assert (center["kind"], center["groups"]) == ("center", ["members"])
    assert "already has a center" in terminal.run("init", "--name", "Noch eines", code=2).stderr
    county = terminal.json(
        "org", "add", "Landkreis A", "--kind", "member", "--default-tlp", "GREEN"
    )
    client = terminal.json("org", "add", "Stadt A", "--kind", "client", "--of", "Landkreis A")
    assert (county["default_tlp"], client["of"]) == ("green", county["id"])
    assert len({center["id"], county["id"], client["id"]}) == 3
    listed = terminal.json("org", "list")["organisations"]
    assert [one["name"] for one in listed] == ["Landkreis A", "Stadt A", "Testzentrum"]
    group = terminal.json("group", "add", "Krisenstab Prüm")
    assert group["id"] == "krisenstab-pruem"
    joined = terminal.json("group", "join", group["id"], "Landkreis A")
    assert joined["groups"] == ["krisenstab-pruem", "members"]
    found = {one["id"]: one for one in terminal.json("group", "list")["groups"]}
    assert found["krisenstab-pruem"]["organisations"] == ["Landkreis A"]
    assert found["members"]["organisations"] == ["Landkreis A", "Testzentrum"]
    assert found["krisenstab-pruem"]["marking"] == group["marking"]
    terminal.run("group", "join", group["id"], "Landkreis A", code=2)
    assert terminal.json("group", "leave", group["id"], "Landkreis A")["groups"] == ["members"]


def test_of_all_who_found_a_center_at_once_one_does_and_the_others_are_told_so(
    terminal: Terminal,
) -> None:
    with ExitStack() as stack:
        asked = [("init", "--name", f"Zentrum {number}") for number in range(3)]
        going = [stack.enter_context(terminal.started(*words)) for words in asked]
        said = [process.communicate(PATIENCE) for process in going]
        assert sorted(process.returncode or 0 for process in going) == [0, 2, 2]
    refused = [complaint for _, complaint in said if complaint]
    assert refused == ["error: This database already has a center.\n"] * 2


def test_a_token_is_shown_once_rotated_with_overlap_and_revoked(terminal: Terminal) -> None:
    terminal.run("init", "--name", "Testzentrum")
    county = terminal.json("org", "add", "Landkreis A", "--kind", "member")
    person = terminal.json("user", "add", "IT", "--org", "Landkreis A", "--mail", "it@a.example")
    old = terminal.json("token", "create", "Landkreis A", "--scope", "read", "--days", "30")
    own = terminal.json("token", "create", "--person", "it@a.example")
    assert (old["organisation"], old["person"], old["scope"]) == (county["id"], None, "read")
    assert (own["person"], own["scope"]) == (person["id"], "write")
    new = terminal.json("token", "rotate", old["prefix"], "--overlap-hours", "1")
    assert (new["scope"], new["token"]) != ("write", old["token"])
    listed = terminal.run("token", "list", "--json").stdout
    assert not any(one["token"] in listed for one in (old, own, new))
    expiry = {one["id"]: one["expires"] for one in json.loads(listed)["tokens"]}
    assert expiry[old["id"]] < old["expires"] <= expiry[new["id"]]
    again = terminal.json("token", "rotate", old["id"], "--days", "90")
    assert again["expires"] > new["expires"]  # though the old one ends within the hour
    said = terminal.run("token", "rotate", again["id"], "--days", "5").stdout
    (last, *_) = terminal.json("token", "list")["tokens"]
    assert f"good until {last['expires']}" in said
    assert terminal.json("token", "revoke", new["id"])["revoked"] is not None
    terminal.run("token", "revoke", new["id"], code=2)
    with terminal.serving() as said:
        asked = {
            name: terminal.run(
                "push", _file(terminal), "--url", address_in(said), "--token", one["token"], code=1
            ).stderr
            for name, one in (("old", old), ("new", new))
        }
    assert "403" in asked["old"]  # still good, though only to read
    assert "401" in asked["new"]


def _file(terminal: Terminal) -> Path:
    file = terminal.folder / "push.json"
    file.write_bytes(envelope([indicator("evil.example", "green")]))
    return file


def test_who_leaves_takes_everything_along(terminal: Terminal) -> None:
    terminal.run("init", "--name", "Testzentrum")
    tokens = {}
    for name in ("Landkreis A", "Landkreis B"):
        terminal.run("org", "add", name, "--kind", "member")
        tokens[name] = terminal.json("token", "create", name)["token"]
    raw = b'{"type" : "indicator",  "spec_version":"2.1","id":"indicator--%s",' % _ID
    raw += b'"created":"2026-10-01T08:00:00.0Z","modified":"2026-10-01T08:00:00.10Z",'
    raw += '"pattern":"[file:name = \'Müll\']",'.encode()
    raw += b'"pattern_type":"stix","valid_from":"2026-10-01T08:00:00Z","x_odd":1.50e1}'
    (terminal.folder / "odd.json").write_bytes(b'{"objects":[' + raw + b"]}")
    with terminal.serving() as said:
        client = {"CYBERCOOP_URL": address_in(said), "CYBERCOOP_TOKEN": tokens["Landkreis A"]}
        terminal.run("push", "odd.json", "--tlp", "green", **client)
        leave = ("org", "leave", "Landkreis A", "--export", "gone.json")
        unsaid = terminal.run(*leave, code=2).stderr
        assert "--withdraw or --keep" in unsaid
        left = terminal.json(*leave, "--withdraw")
        assert (left["exported"], left["contributions"]) == (1, "withdrawn")
        assert "401" in terminal.run("push", "odd.json", code=1, **client).stderr
    export = terminal.folder / "gone.json"
    assert export.read_bytes() == b'{"objects":[' + raw + b"]}\n"
    assert stat.S_IMODE(export.stat().st_mode) == 0o600
    assert "Landkreis A" not in terminal.run("org", "list").stdout
    terminal.run("token", "create", "Landkreis A", code=2)


_ID = b"0b7c1f8e-9d1e-4b57-8a52-0e6a6a0d6f11"


def test_nobody_leaves_into_a_file_that_is_there(center: Terminal) -> None:
    (center.folder / "mine.json").write_text("mine")
    center.run("org", "leave", "Landkreis B", "--export", "mine.json", "--keep", code=2)
    assert (center.folder / "mine.json").read_text() == "mine"
    center.run("org", "leave", "Landkreis A", "--export", "a.json", "--keep", code=2)
    assert not (center.folder / "a.json").exists()  # it has a client that must leave first
    assert len(center.json("org", "list")["organisations"]) == 4
    kept = center.json("org", "leave", "Landkreis B", "--export", "b.json", "--keep")
    assert (kept["exported"], kept["contributions"]) == (0, "kept")


def test_a_default_group_is_joined_and_has_to_be_there(center: Terminal) -> None:
    add = ("org", "add", "Landkreis C", "--kind", "member", "--default-group")
    assert "no group 'krisenstab'" in center.run(*add, "krisenstab", code=2).stderr
    center.run("group", "add", "Krisenstab")
    assert center.json(*add, "krisenstab")["groups"] == ["krisenstab", "members"]


def test_tags_are_given_shown_and_taken_away(center: Terminal) -> None:
    add = ("org", "add", "Landkreis C", "--kind", "member")
    assert center.json(*add, "--tag", "KRITIS", "--tag", "küste")["tags"] == ["kritis", "küste"]
    tag = ("org", "tag", "Landkreis C")
    changed = center.json(*tag, "--add", "probe", "--add", "kritis", "--remove", "küste")
    assert changed["tags"] == ["kritis", "probe"]
    assert "kritis, probe" in center.run(*tag).stdout
    listed = {one["name"]: one["tags"] for one in center.json("org", "list")["organisations"]}
    assert (listed["Landkreis C"], listed["Landkreis A"]) == (["kritis", "probe"], [])
    for word in ("two words", "-x", "x" * 33, "", "a,b"):
        assert "is no tag" in center.run(*tag, "--add", word, code=2).stderr
    many = [word for number in range(19) for word in ("--add", f"t{number}")]
    assert "at most 20" in center.run(*tag, *many, code=2).stderr
    assert center.json(*tag, "--add", "tief", "--remove", "tief")["tags"][-1] == "tief"


def test_a_client_belongs_to_a_member(center: Terminal) -> None:
    add = ("org", "add", "Stadt B", "--kind", "client")
    center.run(*add, code=2)
    assert "is a client" in center.run(*add, "--of", "Stadt A", code=2).stderr


def test_the_group_of_all_members_is_not_joined_by_hand(center: Terminal) -> None:
    center.run("group", "join", "members", "Stadt A", code=2)
    center.run("group", "leave", "members", "Landkreis A", code=2)


def test_a_list_that_is_no_terminal_folds_no_id(center: Terminal) -> None:
    ids = [one["id"] for one in center.json("org", "list")["organisations"]]
    with center.started("org", "list") as process:
        printed, _ = process.communicate(timeout=PATIENCE)
    assert [one for one in ids if one not in printed] == []


def test_what_is_known_of_a_person_is_changed(center: Terminal) -> None:
    add = ("user", "add", "--org", "Landkreis A", "--mail")
    anna = center.json(*add, "anna@a.example", "Anna", "--phone", "112", "--role", "it-lead")
    bert = center.json(*add, "bert@a.example", "Bert")
    change = ("user", "change", "anna@a.example")
    moved = center.json(*change, "--mail", "a@a.example", "--role", "press", "--role", "legal")
    assert moved == anna | {"mail": "a@a.example", "roles": ["press", "legal"]}
    change = ("user", "change", anna["id"])
    changed = center.json(*change, "--deputy", "bert@a.example", "--without", "phones")
    assert (changed["deputy"], changed["phones"]) == (bert["id"], [])
    center.run("user", "add", "Cem", "--org", "Landkreis B", "--mail", "cem@b.example")
    for words, reason in (
        (("--mail", "bert@a.example"), "already known"),
        (("--mail", "anna"), "not a mail address"),
        (("--deputy", "cem@b.example"), "same organisation"),
        (("--deputy", anna["id"]), "stands in for himself"),
        (("--name", " "), "is no name"),
        (("--without", "mail"), "phones"),
    ):
        assert reason in center.run(*change, *words, code=2, COLUMNS="200").stderr
    alone = center.json(*change, "--without", "deputy", "--name", "Anna Meier")
    assert alone == changed | {"deputy": None, "name": "Anna Meier"}
    complaint = center.run("user", "change", "anna@a.example", code=2).stderr
    assert "Nobody is known as 'anna@a.example'" in complaint


def test_a_mail_address_is_the_same_in_any_letter_case(terminal: Terminal) -> None:
    terminal.run("init", "--name", "Testzentrum")
    for name in ("Landkreis A", "Landkreis B"):
        terminal.run("org", "add", name, "--kind", "member")
    add = ("user", "add", "Anna", "--org", "Landkreis A", "--mail")
    anna = terminal.json(*add, "Anna@A.example")
    assert anna["mail"] == "Anna@A.example"
    assert "already known" in terminal.run(*add, "anna@a.EXAMPLE", code=2).stderr
    bert = terminal.json(*add, "bert@a.example", "--deputy", "anna@a.example")
    assert bert["deputy"] == anna["id"]
    change = ("user", "change", "BERT@a.example")
    assert "already known" in terminal.run(*change, "--mail", "anna@A.example", code=2).stderr
    assert terminal.json(*change, "--mail", "Bert@a.example")["id"] == bert["id"]
    there = terminal.json("user", "add", "A", "--org", "Landkreis B", "--mail", "anna@a.example")
    several = terminal.run("token", "create", "--person", "ANNA@a.example", code=2).stderr
    assert anna["id"] in several
    assert there["id"] in several
    made = terminal.json("token", "create", "--person", "Anna@A.example")
    assert made["person"] == anna["id"]


def test_what_looks_like_markup_is_shown_as_it_was_written(center: Terminal) -> None:
    name = r"Amt \[/x] [bold]Mitte [/y]"
    center.run("org", "add", name, "--kind", "member")
    assert name in center.run("org", "list").stdout
    assert name in center.run("group", "list").stdout


def test_a_narrow_terminal_cuts_no_name(center: Terminal) -> None:
    ours, theirs = pty.openpty()
    surroundings = center.environment | {"COLUMNS": "60"}
    subprocess.run(
        [*COMMAND, "org", "list"], check=True, cwd=center.folder, env=surroundings, stdout=theirs
    )
    os.close(theirs)
    lines = os.read(ours, 65536).decode().splitlines()
    os.close(ours)
    assert "name: Landkreis A" in lines
    assert "of: Landkreis A" in lines
