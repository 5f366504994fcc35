"""Playbooks are checked and signed on files, without a center or a database."""

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from cli.terminal import ROOT, Terminal

PLAYBOOK = "04-sperrung.json"


@pytest.fixture
def desk(tmp_path: Path) -> Terminal:
    """Lend a terminal in a folder with a playbook, a broken one, and a key pair."""
    shutil.copy(ROOT / "playbooks" / PLAYBOOK, tmp_path)
    document = json.loads((tmp_path / PLAYBOOK).read_text())
    document["workflow_start"] = document["workflow_exception"]
    (tmp_path / "broken.json").write_text(json.dumps(document))
    key = ed25519.Ed25519PrivateKey.generate()
    encoding, hidden = serialization.Encoding.PEM, serialization.BestAvailableEncryption(b"x")
    plain, pkcs8 = serialization.NoEncryption(), serialization.PrivateFormat.PKCS8
    (tmp_path / "center.pem").write_bytes(key.private_bytes(encoding, pkcs8, plain))
    (tmp_path / "locked.pem").write_bytes(key.private_bytes(encoding, pkcs8, hidden))
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "center.pub").write_bytes(key.public_key().public_bytes(encoding, spki))
    return Terminal(tmp_path)


def test_a_good_playbook_is_taken(desk: Terminal) -> None:
    assert desk.run("playbook", "check", PLAYBOOK).stdout == f"{PLAYBOOK}: taken\n"
    (said,) = desk.json("playbook", "check", PLAYBOOK)["playbooks"]
    assert (said["taken"], said["fits_schema"], said["findings"]) == (True, True, [])
    assert said["id"].startswith("playbook--")
    assert list(desk.folder.glob("*.sqlite")) == []


def test_a_broken_one_is_refused_in_both_languages(desk: Terminal) -> None:
    answer = desk.run("playbook", "check", PLAYBOOK, "broken.json", code=1).stdout
    assert f"{PLAYBOOK}: taken" in answer
    assert "broken.json: refused" in answer
    assert "workflow_start names no start step." in answer
    german = desk.run("playbook", "check", "broken.json", "--deutsch", code=1).stdout
    assert "broken.json: abgelehnt" in german
    assert "workflow_start nennt keinen Startschritt." in german
    first = desk.json("playbook", "check", "broken.json", code=1)["playbooks"][0]["findings"][0]
    assert (first["rule"], first["field"]) == ("no-start", "workflow_start")


def test_what_was_signed_is_believed_with_the_pinned_key_only(desk: Terminal) -> None:
    desk.run("playbook", "sign", PLAYBOOK, "--key", "center.pem", "--to", "signed.json")
    (said,) = desk.json("playbook", "check", "signed.json", "--pin", "center.pub")["playbooks"]
    assert [one["owner"] for one in said["signatures"]] == ["center"]
    (unpinned,) = desk.json("playbook", "check", "signed.json")["playbooks"]
    assert [one["owner"] for one in unpinned["signatures"]] == [""]
    printed = desk.run("playbook", "sign", "signed.json", "--key", "center.pem", "--signee", "Amt")
    assert [one["signee"] for one in json.loads(printed.stdout)["signatures"]] == ["center", "Amt"]
    changed = (desk.folder / "signed.json").read_text().replace("Sperrung", "Freigabe", 1)
    (desk.folder / "signed.json").write_text(changed)
    (said,) = desk.json("playbook", "check", "signed.json", "--pin", "center.pub")["playbooks"]
    assert said["signatures"][0]["reason"] == "No pinned key made this signature."


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("check", "nowhere.json"), 2, "No such file"),
        (("check", PLAYBOOK, "--pin", "center.pem"), 2, "no public key"),
        (("sign", PLAYBOOK, "--key", "center.pub"), 2, "no private key"),
        (("sign", PLAYBOOK, "--key", "locked.pem"), 2, "password"),
        (("sign", PLAYBOOK, "--key", "center.pem", "--identity", "me"), 2, "identity--"),
        (("sign", "broken.json", "--key", "center.pem"), 1, ""),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    words: tuple[str, ...], code: int, reason: str, desk: Terminal
) -> None:
    assert reason in desk.run("playbook", *words, code=code, COLUMNS="200").stderr


def test_no_file_stops_the_check(desk: Terminal) -> None:
    for name, raw in {"a": b"", "b": b"\xff", "c": b"[" * 5000, "d": b" " * (2 << 20)}.items():
        (desk.folder / name).write_bytes(raw)
    said = desk.json("playbook", "check", "a", "b", "c", "d", code=1)["playbooks"]
    assert [one["findings"][0]["rule"] for one in said] == ["not-json"] * 4
