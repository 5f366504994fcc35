"""Commands about the tasks of one's own organisation, over HTTP."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cybercoop.cli.asking import HOME, Center, TokenText, Url, at, center
from cybercoop.cli.shown import Json, many, one, out
from cybercoop.errors import Misused

app = typer.Typer(no_args_is_help=True, help="Steps of responses that wait for your people.")

TaskId = Annotated[str, typer.Argument(help="Id of the task; `task list` shows it.")]
_FILE = "@"


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """List the tasks of your organisation, the most urgent first.

    For example:

    cybercoop task list --all --json
    """
    found = center(url, token).all("/tasks", "tasks")
    if not everything:
        found = [each for each in found if each["state"] in {"open", "claimed"}]
    if as_json:
        many("tasks", found, as_json=True)
        return
    names = ("title", "role", "state", "due", "overdue", "assignee", "id")
    many("tasks", [{name: each[name] for name in names} for each in found], as_json=False)


@app.command("show")
def show(task_id: TaskId, token: TokenText = "", url: Url = HOME, as_json: Json = False) -> None:
    """Show what a task says and asks, and what was said about it.

    For example:

    cybercoop task show 5c0ffee0-0000-4000-8000-000000000000
    """
    whole = center(url, token).get(at("tasks", task_id))
    if as_json:
        one(whole, "", as_json=True)
        return
    _show(whole)


def _show(whole: Mapping[str, Any]) -> None:
    task = whole["shown"]
    late = "overdue" if task["overdue"] else ""
    head = (task["title"], task["state"], late, task["due"] and f"due {task['due']}")
    lines = [" · ".join(part for part in head if part), task["text"]]
    lines += [f"  {each['name']} = {each['value']}" for each in task["listed"]]
    for name, asked in task["questions"].items():
        kind = "|".join(asked["choices"]) or asked["kind"]
        given = (task["answers"] or {}).get(name)
        lines.append(f"{name} ({kind}): {asked['ask']}{'' if given is None else f' → {given}'}")
    if task["approvals"]:
        lines.append(f"asks {task['approvals']} people to agree: task agree, or task agree --no")
    if task["reason"]:
        lines.append(f"reason: {task['reason']}")
    for each in whole["remarks"]:
        file = f" [{each['file']}, sha256 {each['sha256']}]" if each["file"] else ""
        lines.append(f"{each['at']} {each['by']}: {each['text']}{file}")
    for line in lines:
        if line:
            out.print(line, markup=False, soft_wrap=True)


@app.command("claim")
def claim(task_id: TaskId, token: TokenText = "", url: Url = HOME, as_json: Json = False) -> None:
    """Take a task over; by that your organisation takes part.

    For example:

    cybercoop task claim 5c0ffee0-0000-4000-8000-000000000000
    """
    _changed(center(url, token).post(at("tasks", task_id, "claim")), as_json=as_json)


def _changed(whole: Mapping[str, Any], *, as_json: bool) -> None:
    one(whole, f"{whole['shown']['title']}: {whole['shown']['state']}", as_json=as_json)


@app.command("done")
def done(
    task_id: TaskId,
    answers: Annotated[
        list[str] | None,
        typer.Argument(help="NAME=ANSWER for every question; NAME=@FILE for a file."),
    ] = None,
    comment: Annotated[str, typer.Option(help="What else there is to say.")] = "",
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """End a task with its answers; the first end counts.

    For example:

    cybercoop task done ID gebraucht=nein treffer=3 nachweis=@stand.txt
    """
    asked = center(url, token)
    pairs = [answer.partition("=") for answer in answers or ()]
    if not all(name and sign for name, sign, _ in pairs):
        raise Misused("Answers are NAME=ANSWER.")
    shown = asked.get(at("tasks", task_id))["shown"] if pairs else {"questions": {}}
    given = {_name(name, shown): value for name, _, value in pairs}
    for name, value in given.items():
        if value.startswith(_FILE) and _kind(name, shown) == "file":
            given[name] = _sent(asked, task_id, Path(value.removeprefix(_FILE)), "")
    said = {"answers": given, "comment": comment}
    _changed(asked.post(at("tasks", task_id, "done"), said), as_json=as_json)


def _name(name: str, shown: Mapping[str, Any]) -> str:
    """Return the name of a question; ``treffer`` is short for ``__treffer__``."""
    return f"__{name}__" if f"__{name}__" in shown["questions"] else name


def _kind(name: str, shown: Mapping[str, Any]) -> str:
    return str(shown["questions"].get(name, {}).get("kind", ""))


def _sent(asked: Center, task_id: str, file: Path, text: str) -> str:
    """Keep a file with a task and return its hash."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Misused(f"The file {file} cannot be read: {error.strerror}.") from error
    asked.send(at("tasks", task_id, "files"), content, name=file.name, text=text)
    return hashlib.sha256(content).hexdigest()


@app.command("fail")
def fail(
    task_id: TaskId,
    reason: Annotated[str, typer.Option(help="Why it cannot be done.")],
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """End a task as one that cannot be done, with the reason.

    For example:

    cybercoop task fail ID --reason "Kein Zugriff auf das Gerät"
    """
    said = {"reason": reason}
    _changed(center(url, token).post(at("tasks", task_id, "fail"), said), as_json=as_json)


@app.command("agree")
def agree(
    task_id: TaskId,
    no: Annotated[bool, typer.Option("--no", help="Do not agree.")] = False,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Say as one person whether a step may be carried out.

    For example:

    cybercoop task agree 5c0ffee0-0000-4000-8000-000000000000
    cybercoop task agree ID --no --reason "erst nach der Sitzung"
    """
    said = {"agreed": not no, "reason": reason}
    _changed(center(url, token).post(at("tasks", task_id, "agree"), said), as_json=as_json)


@app.command("remark")
def remark(
    task_id: TaskId,
    text: Annotated[str, typer.Argument(help="What there is to say.")] = "",
    file: Annotated[Path | None, typer.Option(help="A file as evidence, at most 10 MB.")] = None,
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Say something about a task, or keep a file with it.

    For example:

    cybercoop task remark ID "Dienstleister ist dran" --file protokoll.txt
    """
    asked = center(url, token)
    if file is not None:
        hashed = _sent(asked, task_id, file, text)
        said = {"id": task_id, "file": file.name, "sha256": hashed}
        one(said, f"Kept: {file.name}, sha256 {hashed}", as_json=as_json)
        return
    if not text:
        raise Misused("Say something, or name a --file.")
    _changed(asked.post(at("tasks", task_id, "remarks"), {"text": text}), as_json=as_json)
