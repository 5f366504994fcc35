"""Commands that lead a response or take part in it: ``approve``, ``accept``, ``ask`` and more."""

import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cybercoop.cli.asking import HOME, TokenText, Url, at, center
from cybercoop.cli.responses import ResponseId, show_changed
from cybercoop.cli.responses import app as response
from cybercoop.cli.shown import Json, err, many, one, out
from cybercoop.errors import Misused

app = typer.Typer()
response.add_typer(app)

RunId = Annotated[str, typer.Argument(help="Id of your part; `response show` shows it.")]
Reason = Annotated[str, typer.Option(help="Why.")]


class Format(StrEnum):
    """Name what a report can be taken away as."""

    TEXT = "text"
    PDF = "pdf"
    STIX = "stix"


@app.command("approve")
def approve(
    response_id: ResponseId,
    reason: Reason = "",
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Agree to a response as a person of the center; who started it cannot.

    Who is the first to agree to what a rule only proposed takes it up, and others approve it.
    For example:

    cybercoop response approve 5c0ffee0-0000-4000-8000-000000000000
    """
    path = at("responses", response_id, "approve")
    show_changed(center(url, token).post(path, {"reason": reason}), as_json=as_json)


@app.command("reject")
def reject(
    response_id: ResponseId,
    reason: Reason = "",
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Turn a response down as a person of the center.

    For example:

    cybercoop response reject ID --reason "zu breit"
    """
    path = at("responses", response_id, "reject")
    show_changed(center(url, token).post(path, {"reason": reason}), as_json=as_json)


@app.command("pause")
def pause(
    response_id: ResponseId, token: TokenText = "", url: Url = HOME, as_json: Json = False
) -> None:
    """Let no further step begin.

    For example:

    cybercoop response pause 5c0ffee0-0000-4000-8000-000000000000
    """
    path = at("responses", response_id, "pause")
    show_changed(center(url, token).post(path), as_json=as_json)


@app.command("resume")
def resume(
    response_id: ResponseId, token: TokenText = "", url: Url = HOME, as_json: Json = False
) -> None:
    """Let steps begin again.

    For example:

    cybercoop response resume 5c0ffee0-0000-4000-8000-000000000000
    """
    path = at("responses", response_id, "resume")
    show_changed(center(url, token).post(path), as_json=as_json)


@app.command("cancel")
def cancel(
    response_id: ResponseId,
    reason: Reason = "",
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """End a response where it stands; what was done stays done.

    For example:

    cybercoop response cancel ID --reason Fehlalarm
    """
    path = at("responses", response_id, "cancel")
    show_changed(center(url, token).post(path, {"reason": reason}), as_json=as_json)


@app.command("rollback")
def rollback(
    response_id: ResponseId,
    reason: Reason = "",
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Take back what was done: blocks at once, then every step that names a way back.

    For example:

    cybercoop response rollback ID --reason Fehlalarm
    """
    path = at("responses", response_id, "rollback")
    show_changed(center(url, token).post(path, {"reason": reason}), as_json=as_json)


@app.command("rerun")
def rerun(
    response_id: ResponseId, token: TokenText = "", url: Url = HOME, as_json: Json = False
) -> None:
    """Begin once more where it failed or is late, and nowhere else.

    For example:

    cybercoop response rerun 5c0ffee0-0000-4000-8000-000000000000
    """
    _show_runs(center(url, token).post(at("responses", response_id, "rerun")), as_json=as_json)


@app.command("add")
def add(
    response_id: ResponseId,
    counties: Annotated[list[str], typer.Argument(help="Organisations, by name or id.")],
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Invite further organisations; who takes part already is not asked again.

    For example:

    cybercoop response add 5c0ffee0-0000-4000-8000-000000000000 "Landkreis A"
    """
    path = at("responses", response_id, "counties")
    _show_runs(center(url, token).post(path, {"counties": counties}), as_json=as_json)


def _show_runs(said: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        one(said, "", as_json=True)
    else:
        _show_some("new parts", said["runs"], ("organisation", "state", "attempt", "id"))


def _show_some(
    what: str, things: Sequence[Mapping[str, Any]], names: Sequence[str], **more: object
) -> None:
    many(what, [{name: each[name] for name in names} for each in things], as_json=False, **more)


@app.command("ask")
def ask(
    response_id: ResponseId,
    title: Annotated[str, typer.Argument(help="What is to be done or answered, in one line.")],
    text: Annotated[str, typer.Option(help="What else there is to say.")] = "",
    question: Annotated[
        list[str] | None,
        typer.Option(help="KIND:TEXT or choice:A|B:TEXT; yes-no-unknown, number, text, file."),
    ] = None,
    county: Annotated[list[str] | None, typer.Option(help="Only these; repeatable.")] = None,
    role: Annotated[str, typer.Option(help="Who answers for it: it-lead, for example.")] = "",
    due: Annotated[str | None, typer.Option(help="Until when: 2026-01-31T16:00:00Z.")] = None,
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Put a further task or question to all who take part, or to some.

    For example:

    cybercoop response ask ID "Fassung?" --question "choice:7.4|7.6:Welche?"
    cybercoop response ask ID "Backup offline nehmen" --county "Landkreis A"
    """
    asked = {f"frage_{number}": _question(each) for number, each in enumerate(question or (), 1)}
    said: dict[str, Any] = {"title": title, "text": text, "role": role, "questions": asked}
    said |= {"counties": county or []} | ({} if due is None else {"due": due})
    made = center(url, token).post(at("responses", response_id, "tasks"), said)
    if as_json:
        one(made, "", as_json=True)
    else:
        _show_some("new tasks", made["tasks"], ("organisation", "title", "due", "id"))


def _question(said: str) -> dict[str, Any]:
    kind, _, text = said.partition(":")
    if kind != "choice":
        found: dict[str, Any] = {"kind": kind, "ask": text}
    else:
        choices, _, text = text.partition(":")
        found = {"kind": kind, "ask": text, "choices": choices.split("|")}
    if not text:
        raise Misused("--question takes KIND:TEXT, or choice:A|B:TEXT.")
    return found


@app.command("accept")
def accept(
    run_id: RunId,
    shares_state: Annotated[
        bool,
        typer.Option(
            "--share-state",
            help="Others who take part see how far you are, and your answers count in their sums.",
        ),
    ] = False,
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Take part; what happens by itself, such as blocks, may happen from then on.

    For example:

    cybercoop response accept 5c0ffee0-0000-4000-8000-000000000000 --share-state
    """
    run = center(url, token).post(at("runs", run_id, "accept"), {"shares_state": shares_state})
    one(run, f"{run['organisation']} takes part.", as_json=as_json)


@app.command("decline")
def decline(
    run_id: RunId,
    reason: Annotated[str, typer.Option(help="Why, so that the center can plan.")],
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Stay out of a response, with the reason.

    For example:

    cybercoop response decline ID --reason "kein Personal bis Montag"
    """
    run = center(url, token).post(at("runs", run_id, "decline"), {"reason": reason})
    one(run, f"{run['organisation']} stays out.", as_json=as_json)


@app.command("log")
def log(
    response_id: ResponseId,
    german: Annotated[bool, typer.Option("--german", "--deutsch", help="In German.")] = False,
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Show the log as far as you may see it.

    For example:

    cybercoop response log 5c0ffee0-0000-4000-8000-000000000000 --german
    """
    found = center(url, token).all(at("responses", response_id, "log"), "log")
    if as_json:
        many("log", found, as_json=True)
        return
    language = "german" if german else "english"
    for each in found:
        out.print(f"{each['at']}  {each[language]}", markup=False, soft_wrap=True)


@app.command("report")
def report(
    response_id: ResponseId,
    form: Annotated[Format, typer.Option("--format", help="text, pdf or stix.")] = Format.TEXT,
    to: Annotated[Path | None, typer.Option(help="Write it here; a PDF needs that.")] = None,
    english: Annotated[bool, typer.Option("--english", help="In English.")] = False,
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Show what was kept, missed and left open, or take it away as PDF or STIX.

    For example:

    cybercoop response report 5c0ffee0-0000-4000-8000-000000000000 --json
    cybercoop response report ID --format pdf --to bericht.pdf
    """
    asked, language = center(url, token), "en" if english else "de"
    if form is Format.TEXT:
        _show_report(asked.get(at("responses", response_id, "report")), as_json=as_json)
        return
    if form is Format.PDF and to is None:
        raise Misused("Say with --to into which file the PDF goes.")
    path = at("responses", response_id, f"report.{form.value}")
    content = asked.fetched(path, language=language)
    if to is None:
        sys.stdout.write(content.decode() + "\n")
        return
    to.write_bytes(content)
    err.print(f"Written: {to}", markup=False, soft_wrap=True)


def _show_report(said: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
        return
    shown = said["shown"]
    exercise = "ÜBUNG: " if shown["exercise"] else ""
    head = f"{exercise}{shown['title']}: {shown['state']}"
    kept = f"deadlines kept {said['kept']}, missed {said['missed']}"
    out.print(f"{head} ({kept})", markup=False, soft_wrap=True)
    names = ("organisation", "state", "reached", "accepted", "ended", "reason")
    _show_some("organisations", said["organisations"], names)
    if said["open"]:
        _show_some("open points", said["open"], ("organisation", "title", "state", "reason"))
