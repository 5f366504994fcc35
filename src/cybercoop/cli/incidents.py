"""Commands about incidents, told to a center over HTTP: ``report``, ``list``, ``show`` and more."""

import base64
import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Protocol
from urllib.parse import quote

import typer

from cybercoop.cli.asking import HOME, Url, WritingToken, center
from cybercoop.cli.shown import Json, many, one, out, table
from cybercoop.errors import Misused
from cybercoop.incidents.cases import Severity, State
from cybercoop.sharing.marking import LEVELS

app = typer.Typer(no_args_is_help=True, help="Incidents: yours alone until you share them.")

IncidentId = Annotated[str, typer.Argument(help="Id of the incident.")]
Text = Annotated[str | None, typer.Option(help="What happened; @FILE reads it from a file.")]
Category = Annotated[
    str | None, typer.Option(help="Of the RSIT taxonomy: fraud/phishing, for example.")
]
Known = Annotated[str | None, typer.Option(help="When you came to know: 2026-01-31T08:30:00Z.")]
Began = Annotated[str | None, typer.Option(help="When it began, if known.")]
Values = Annotated[list[str] | None, typer.Option("--value", help="A value that belongs to it.")]


class Ask(Protocol):
    """Promise to send one request, and to return what the center answers."""

    def __call__(
        self, method: str, path: str, said: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the answer; raise ``PushFailed``."""


class Format(StrEnum):
    """Name what an incident can be taken away as."""

    STIX = "stix"
    PDF = "pdf"


def _asker(url: str, token: str) -> Ask:
    """Return what asks one center with one token; it raises ``PushFailed`` with its reason."""
    asked = center(url, token)

    def ask(method: str, path: str, said: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return asked.told(method, path, None if said is None else json.dumps(said).encode())

    return ask


def _at(incident_id: str, end: str = "") -> str:
    return f"/incidents/{quote(incident_id, safe='')}{end}"


def _text(said: str | None) -> str | None:
    if said is None or not said.startswith("@"):
        return said
    try:
        return Path(said[1:]).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"{said[1:]} cannot be read: {error}.") from error


def _category(said: str | None) -> dict[str, str]:
    if said is None:
        return {}
    category, _, kind = said.partition("/")
    if not kind:
        raise Misused(f"--category {category} needs one of its types: {category}/TYPE.")
    return {"category": category, "type": kind}


def _said(**some: object) -> dict[str, Any]:
    return {name: value for name, value in some.items() if value is not None}


@app.command("report")
def report(
    title: Annotated[str, typer.Argument(help="What happened, in a line.")],
    token: WritingToken = "",
    url: Url = HOME,
    text: Text = None,
    category: Category = None,
    severity: Annotated[Severity, typer.Option(help="How grave it is for you.")] = Severity.MEDIUM,
    known: Known = None,
    began: Began = None,
    value: Values = None,
    as_json: Json = False,
) -> None:
    """Report an incident; nobody else sees it, and its reporting clocks run.

    For example:

    cybercoop incident report "Phishing im Jugendamt" --category fraud/phishing
    cybercoop incident report "Befall" --severity high --value evil.example
    """
    ask = _asker(url, token)
    said = _said(text=_text(text), known=known, began=began) | _category(category)
    made = ask("POST", "/incidents", {"title": title, "severity": severity.value} | said)
    if value:
        ask("POST", _at(made["id"], "/indicators"), {"values": value})
        made = ask("GET", _at(made["id"]))
    due = [clock["due"] for clock in made["clocks"] if clock["due"]]
    first = f" First report due {min(due)}." if due else ""
    one(made, f"Incident {made['id']} is noted; nobody else sees it.{first}", as_json=as_json)


@app.command("list")
def list_(
    token: WritingToken = "",
    url: Url = HOME,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    as_json: Json = False,
) -> None:
    """List the incidents of your organisation, oldest first.

    For example:

    cybercoop incident list --state investigating
    """
    ask, found = _asker(url, token), []
    query = f"?limit=1000{f'&state={state.value}' if state else ''}"
    following = ""
    while following is not None:
        answer = ask("GET", f"/incidents{query}{following and f'&cursor={following}'}")
        found += answer["incidents"]
        following = answer["next"]
    columns = ("id", "title", "category", "severity", "state", "known")
    many(
        "incidents",
        found if as_json else [{name: each[name] for name in columns} for each in found],
        as_json=as_json,
    )


@app.command("show")
def show(
    incident_id: IncidentId,
    token: WritingToken = "",
    url: Url = HOME,
    draft: Annotated[
        str | None, typer.Option(help="Instead a draft in German: PROFILE/STAGE.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show an incident with its clocks and timeline, or the draft of a report.

    For example:

    cybercoop incident show 5c0ffee0-0000-4000-8000-000000000000
    cybercoop incident show 5c0ffee0-0000-4000-8000-000000000000 --draft bsig/early
    """
    ask = _asker(url, token)
    if draft is not None:
        profile, _, stage = draft.partition("/")
        end = f"/drafts/{quote(profile, safe='')}/{quote(stage or 'report', safe='')}"
        made = ask("GET", _at(incident_id, end))
        one(made, made["text"], as_json=as_json)
        return
    found = ask("GET", _at(incident_id))
    if as_json:
        one(found, "", as_json=True)
        return
    shown = found["shown"]
    said = f"{shown['title']}\n{shown['category']}/{shown['type']}, {shown['severity']}"
    out.print(f"{said}, {shown['state']}, known {shown['known']}", markup=False, soft_wrap=True)
    if found["text"]:
        out.print(found["text"], markup=False, soft_wrap=True)
    for name, columns in (
        ("clocks", ("profile", "stage", "due", "overdue", "outcome")),
        ("indicators", ("kind", "value", "push")),
        ("files", ("id", "name", "size", "sha256")),
        ("timeline", ("at", "what", "text")),
    ):
        if found[name]:
            out.print(table(columns, found[name]))


@app.command("update")
def update(
    incident_id: IncidentId,
    token: WritingToken = "",
    url: Url = HOME,
    state: Annotated[State | None, typer.Option(help="How far it has come.")] = None,
    severity: Annotated[Severity | None, typer.Option(help="How grave it is.")] = None,
    title: Annotated[str | None, typer.Option(help="What happened, in a line.")] = None,
    text: Text = None,
    category: Category = None,
    note: Annotated[str | None, typer.Option(help="A line for the timeline.")] = None,
    value: Values = None,
    done: Annotated[str | None, typer.Option(help="A report that was made: PROFILE/STAGE.")] = None,
    erase_people: Annotated[
        bool, typer.Option("--erase-people", help="Delete its personal data for good.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Change an incident, note something, add values, or say that a report was made.

    For example:

    cybercoop incident update 5c0ffee0-0000-4000-8000-000000000000 --state closed
    """
    ask, path = _asker(url, token), _at(incident_id)
    said = _said(state=state, severity=severity, title=title, text=_text(text))
    said |= _category(category)
    profile, _, stage = (done or "").partition("/")
    clock = f"/clocks/{quote(profile, safe='')}/{quote(stage or 'report', safe='')}"
    deeds: dict[str, tuple[bool, str, dict[str, Any] | None]] = {
        "": (bool(said), "PATCH", said),
        "/notes": (note is not None, "POST", {"text": note}),
        "/indicators": (bool(value), "POST", {"values": value}),
        clock: (done is not None, "PATCH", {"outcome": "done"}),
        "/people": (erase_people, "DELETE", None),
    }
    if not any(wanted for wanted, _, _ in deeds.values()):
        raise Misused("Say what to change; --help lists what can be.")
    for end, (wanted, method, body) in deeds.items():
        if wanted:
            ask(method, path + end, body)
    found = ask("GET", path)
    one(found, f"Incident {incident_id} is {found['shown']['state']}.", as_json=as_json)


@app.command("share")
def share(
    incident_id: IncidentId,
    token: WritingToken = "",
    url: Url = HOME,
    tlp: Annotated[str | None, typer.Option(help=f"One of {', '.join(LEVELS[:-1])}.")] = None,
    group: Annotated[str | None, typer.Option(help="Group that it is meant for.")] = None,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Title and text, too; look at --dry-run first.")
    ] = False,
    named: Annotated[bool, typer.Option("--named", help="Be named as contributor.")] = False,
    without_values: Annotated[
        bool, typer.Option("--without-values", help="Keep its values to yourself.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be given to whom.")
    ] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take it back instead.")] = False,
    as_json: Json = False,
) -> None:
    """Share an incident: category, severity, days and values; with --with-text its words, too.

    For example:

    cybercoop incident share 5c0ffee0-0000-4000-8000-000000000000 --tlp amber
    """
    ask, path = _asker(url, token), _at(incident_id, "/share")
    if withdraw:
        gone = ask("DELETE", path)
        one(gone, "It is taken back; what others have read they know.", as_json=as_json)
        return
    if tlp is not None and tlp.lower() not in LEVELS:
        raise Misused(f"--tlp is one of {', '.join(LEVELS[:-1])}.")
    said = _said(tlp=tlp, group=group)
    said |= {"with_text": with_text, "named": named, "indicators": not without_values}
    if dry_run:
        seen = ask("POST", f"{path}/preview", said)
        listed = json.dumps(seen["objects"], ensure_ascii=False, indent=2)
        names = ", ".join(seen["audience"]) or "nobody else"
        one(seen, f"{listed}\nUnder {seen['lock']}, for: {names}", as_json=as_json)
        return
    given = ask("POST", path, said)
    one(given, f"It is shared under {given['lock']}.", as_json=as_json)


@app.command("export")
def export(
    incident_id: IncidentId,
    to: Annotated[Path, typer.Option(help="File to write; it must not be there yet.")],
    token: WritingToken = "",
    url: Url = HOME,
    format_: Annotated[Format, typer.Option("--format", help="stix or pdf.")] = Format.STIX,
    as_json: Json = False,
) -> None:
    """Take an incident away as STIX 2.1 or PDF, for your own use; people are not in it.

    For example:

    cybercoop incident export ID --to vorfall.pdf --format pdf
    """
    made = _asker(url, token)("GET", _at(incident_id, f"/{format_.value}"))
    content = (
        base64.b64decode(made["content"])
        if format_ is Format.PDF
        else json.dumps(made, ensure_ascii=False, indent=2).encode() + b"\n"
    )
    try:
        with to.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise Misused(f"The file {to} cannot be made ({error.strerror}); name another.") from error
    said = {"id": incident_id, "file": str(to), "bytes": len(content)}
    one(said, f"{to} has {len(content)} bytes.", as_json=as_json)
