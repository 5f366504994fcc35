"""Commands about playbooks: checked and signed on files, imported and shown over HTTP."""

import base64
import json
import sys
import time
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from cybercoop.cli.asking import HOME, TokenText, Url, at, center
from cybercoop.cli.shown import Json, err, many, one, out, table
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

    cybercoop playbook check playbooks/04-sperrung.json
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


@app.command("import")
def import_(
    files: Files,
    token: TokenText = "",
    url: Url = HOME,
    german: German = False,
    as_json: Json = False,
) -> None:
    """Import playbooks into the center; their marking decides who sees them.

    For example:

    cybercoop playbook import playbooks/04-sperrung.json
    """
    asked, said = center(url, token), []
    for file in files:
        told = asked.send("/playbooks", _read(file)) | {"file": str(file), "signatures": []}
        said.append(told)
        if not as_json:
            _show(told, german=german)
    if as_json:
        taken = [each["playbook"]["id"] for each in said if each["taken"]]
        many("playbooks", said, as_json=True, id=taken[0] if taken else None)
    if not all(each["taken"] for each in said):
        raise typer.Exit(1)


@app.command("list")
def list_(token: TokenText = "", url: Url = HOME, as_json: Json = False) -> None:
    """List the playbooks that you may see, each in its newest version.

    For example:

    cybercoop playbook list
    """
    found = center(url, token).all("/playbooks", "playbooks")
    if as_json:
        many("playbooks", found, as_json=True)
        return
    names = ("name", "version", "lock", "revoked", "signed_by", "id")
    many("playbooks", [{name: each[name] for name in names} for each in found], as_json=False)


@app.command("show")
def show(
    playbook_id: Annotated[str, typer.Argument(help="Id of the playbook.")],
    version: Annotated[str, typer.Option(help="Else the newest.")] = "",
    document: Annotated[
        bool, typer.Option("--document", help="Print the document, byte for byte.")
    ] = False,
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Show which values a playbook needs and what it does, or print it as it came.

    For example:

    cybercoop playbook show playbook--5c0ffee0-0000-4000-8000-000000000000
    """
    asked, query = center(url, token), {"version": version} if version else {}
    if document:
        told = asked.get(at("playbooks", playbook_id, "document"), **query)
        sys.stdout.buffer.write(base64.b64decode(told["content"]))
        return
    said = asked.get(at("playbooks", playbook_id), **query)
    if as_json:
        one(said, "", as_json=True)
        return
    head = f"{said['shown']['name']} ({said['shown']['version']}, {said['shown']['lock']})"
    out.print(head, markup=False, soft_wrap=True)
    out.print(said["description"], markup=False, soft_wrap=True)
    outside = [each for each in said["variables"] if each["external"]]
    many("values to give", _columns(outside, "name", "kind", "value", "description"), as_json=False)
    acts = [each for each in said["steps"] if each["commands"]]
    many("steps", _columns(acts, "title", "role", "within", "commands"), as_json=False)


def _columns(things: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [{name: each[name] for name in names} for each in things]


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
    for each in said["signatures"]:
        told = f"signed by {each['owner']}" if each["owner"] else each["reason"]
        out.print(f"{each['id']}: {told}", markup=False, soft_wrap=True)
