"""The commands ``playbook check`` and ``playbook sign``: on files, without a center."""

import json
import sys
import time
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from cybercoop.cli.shown import Json, err, out, table
from cybercoop.errors import Misused
from cybercoop.playbooks import checking, documents, signatures
from cybercoop.playbooks.checking import Verdict
from cybercoop.playbooks.signatures import Author, Checked, Pin
from cybercoop.stix import strict

app = typer.Typer(no_args_is_help=True, help="What to do: CACAO 2.0 playbooks.")

Files = Annotated[list[Path], typer.Argument(help="Playbooks as JSON.")]
File = Annotated[Path, typer.Argument(help="The playbook as JSON.")]
Key = Annotated[Path, typer.Option(help="Ed25519 or P-256 key as PEM.")]
Pins = Annotated[
    list[Path] | None,
    typer.Option("--pin", help="Public key (PEM) to believe; may be repeated."),
]
German = Annotated[bool, typer.Option("--german", "--deutsch", help="Say it in German.")]


@app.command("check")
def check(files: Files, pins: Pins = None, german: German = False, as_json: Json = False) -> None:
    """Check playbooks: the standard's schema, the way through the steps, all that they use.

    Warnings keep nothing out. Signatures count with a key given by --pin. For example:

    cybercoop playbook check playbooks/sperrung.json
    cybercoop playbook check *.json --pin center.pub --german
    """
    pinned = [Pin(pin.stem, signatures.public_key(_read(pin))) for pin in pins or ()]
    said: list[dict[str, Any]] = []
    for file in files:
        raw = _read(file)
        verdict = checking.check(raw)
        signed = _signed(raw, verdict, pinned)
        said.append(_as_json(file, verdict, signed))
        if not as_json:
            _show(said[-1], german=german)
    if as_json:
        sys.stdout.write(json.dumps({"playbooks": said}, ensure_ascii=False) + "\n")
    if not all(one["taken"] for one in said):
        raise typer.Exit(1)


@app.command("sign")
def sign(
    file: File,
    key: Key,
    signee: Annotated[str, typer.Option(help="Name of who signs.")] = "",
    identity: Annotated[
        str, typer.Option(help="STIX id of who signs; else the playbook's creator.")
    ] = "",
    to: Annotated[Path | None, typer.Option(help="Write it here; else to standard output.")] = None,
) -> None:
    """Sign a playbook that passes the check, beside the signatures that it has.

    For example:

    cybercoop playbook sign sperrung.json --key center.pem --to signed.json
    """
    raw = _read(file)
    verdict = checking.check(raw)
    if verdict.playbook is None:
        _show(_as_json(file, verdict, []), german=False)
        raise typer.Exit(1)
    author = Author(identity or verdict.playbook.created_by, signee or key.stem)
    now, chance = time.time_ns() // 1000, str(uuid.uuid4())
    signed = signatures.sign(documents.parse(raw), _key(key), author, now, chance)
    text = json.dumps(signed, ensure_ascii=False, indent=2) + "\n"
    if checking.check(text.encode()).playbook is None:
        raise Misused("--identity is an id such as identity--5c0ffee0-0000-4000-8000-000000000000.")
    if to is None:
        sys.stdout.write(text)
    else:
        to.write_text(text)
        err.print(f"Signed: {to}", markup=False, soft_wrap=True)


def _read(file: Path) -> bytes:
    """Return a file's bytes, no more of them than a check would look at."""
    try:
        with file.open("rb") as opened:
            return opened.read(strict.MAX_BYTES + 1)
    except OSError as error:
        msg = f"The file {file} cannot be read: {error.strerror}."
        raise Misused(msg) from error


def _key(file: Path) -> signatures.PrivateKey:
    pem = _read(file)
    try:
        return signatures.private_key(pem)
    except TypeError:  # it is encrypted
        password = _asked()
        return signatures.private_key(pem, password.encode())


def _asked() -> str:
    if not sys.stdin.isatty():
        raise Misused("The key has a password, which can be typed in a terminal only.")
    return str(typer.prompt("password of the key", hide_input=True, err=True))


def _signed(raw: bytes, verdict: Verdict, pins: list[Pin]) -> list[Checked]:
    if verdict.playbook is None:
        return []
    return list(signatures.check(documents.parse(raw), pins, time.time_ns() // 1000))


def _as_json(file: Path, verdict: Verdict, signed: list[Checked]) -> dict[str, Any]:
    playbook = verdict.playbook
    return {
        "file": str(file),
        "id": playbook.id if playbook else None,
        "name": playbook.name if playbook else None,
        "digest": playbook.digest if playbook else None,
        "fits_schema": verdict.fits_schema,
        "taken": playbook is not None,
        "findings": [
            {
                "rule": one.rule,
                "grade": one.grade,
                "step": one.step,
                "field": one.field,
                "english": one.english,
                "german": one.german,
            }
            for one in verdict.findings
        ],
        "signatures": [
            {"id": one.id, "signee": one.signee, "owner": one.owner, "reason": one.reason}
            for one in signed
        ],
    }


def _show(said: dict[str, Any], *, german: bool) -> None:
    words = ("in Ordnung", "abgelehnt") if german else ("taken", "refused")
    out.print(f"{said['file']}: {words[not said['taken']]}", markup=False, soft_wrap=True)
    language = "german" if german else "english"
    rows = [
        {"grade": one["grade"], "step": one["step"], "field": one["field"], "what": one[language]}
        for one in said["findings"]
    ]
    if rows:
        out.print(table(("grade", "step", "field", "what"), rows))
    for one in said["signatures"]:
        told = f"signed by {one['owner']}" if one["owner"] else one["reason"]
        out.print(f"{one['id']}: {told}", markup=False, soft_wrap=True)
