"""Commands about responses: ``preview``, ``start``, ``approve``, ``show`` and more, over HTTP."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.text import Text

from cybercoop.cli.asking import HOME, TokenText, Url, at, center
from cybercoop.cli.shown import Json, many, one, out, table
from cybercoop.errors import Misused
from cybercoop.sharing.marking import LEVELS

app = typer.Typer(no_args_is_help=True, help="Playbooks being carried out across counties.")

ResponseId = Annotated[str, typer.Argument(help="Id of the response.")]
Playbook = Annotated[str, typer.Argument(help="Id of the playbook; `playbook list` shows it.")]
Version = Annotated[str, typer.Option("--playbook-version", help="Else the newest.")]
Counties = Annotated[
    list[str] | None, typer.Option("--county", help="Organisation by name or id; repeatable.")
]
OfGroup = Annotated[str | None, typer.Option(help="All organisations of a group; or members.")]
Tag = Annotated[str | None, typer.Option(help="All that carry a tag of the center.")]
Software = Annotated[str | None, typer.Option(help="All that said that they have it.")]
Everybody = Annotated[bool, typer.Option("--everybody", help="All that may see it.")]
Values = Annotated[
    list[str] | None, typer.Option("--set", help="NAME=VALUE of a variable; repeatable.")
]
Title = Annotated[str, typer.Option(help="What it is called; else as the playbook.")]
Tlp = Annotated[str | None, typer.Option(help=f"Who may see it: {', '.join(LEVELS[:-1])}.")]
Group = Annotated[str | None, typer.Option(help="Group that it is meant for.")]
Exercise = Annotated[bool, typer.Option("--exercise", help="Mark it as an exercise everywhere.")]
Known = Annotated[
    str | None, typer.Option(help="When one came to know of the case: 2026-01-31T08:30:00Z.")
]
Incident = Annotated[str | None, typer.Option(help="Id of the incident that it is about.")]
Answers = Annotated[
    list[str] | None,
    typer.Option("--answer", help="NAME=VALUE that all are assumed to answer; repeatable."),
]
BreakGlass = Annotated[
    bool, typer.Option("--break-glass", help="Begin at once; ratify it within the hour.")
]

_MARKS = {
    "open": "○",
    "claimed": "◐",
    "began": "…",
    "done": "✔",
    "failed": "✘",
    "timed-out": "✘",
    "stopped": "-",
    "cancelled": "-",
}
_DECIDES = {
    *("start", "end", "parallel", "playbook-action"),
    *("if-condition", "while-condition", "switch-condition"),
}
_LONGEST = 24


def _plan(
    playbook: str,
    version: str,
    counties: list[str] | None,
    of_group: str | None,
    tag: str | None,
    software: str | None,
    values: list[str] | None,
    title: str,
    *rest: str | None,
    everybody: bool,
    exercise: bool,
) -> dict[str, Any]:
    tlp, group, known, incident = rest
    said = {
        "playbook": playbook,
        "version": version,
        "counties": counties or [],
        "of_group": of_group,
        "tag": tag,
        "software": software,
        "everybody": everybody,
        "values": _by_name("--set", values),
        "title": title,
        "tlp": tlp,
        "group": group,
        "exercise": exercise,
        "known": known,
        "incident": incident,
    }
    return {name: value for name, value in said.items() if value is not None}


def _by_name(option: str, said: list[str] | None) -> dict[str, str]:
    """Return what an option gives to variables, by name."""
    pairs = [one.partition("=") for one in said or ()]
    if not all(name and sign for name, sign, _ in pairs):
        raise Misused(f"{option} takes NAME=VALUE.")
    return {_variable(name): value for name, _, value in pairs}


def _variable(name: str) -> str:
    """Return the name of a variable as playbooks write it; ``wert`` is short for ``__wert__``."""
    return name if name.startswith("__") else f"__{name}__"


@app.command("preview")
def preview(
    playbook: Playbook,
    version: Version = "",
    counties: Counties = None,
    of_group: OfGroup = None,
    tag: Tag = None,
    software: Software = None,
    everybody: Everybody = False,
    values: Values = None,
    title: Title = "",
    tlp: Tlp = None,
    group: Group = None,
    exercise: Exercise = False,
    known: Known = None,
    incident: Incident = None,
    answers: Answers = None,
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Show who would be asked, who has to agree, and what would be done; nothing is done.

    Questions without an assumed answer get the first choice, no, 0 or nothing. For example:

    cybercoop response preview playbook--UUID --of-group members --tlp amber
    cybercoop response preview playbook--UUID --everybody --tlp green --answer n=3
    """
    said = _plan(
        *(playbook, version, counties, of_group, tag, software, values, title),
        *(tlp, group, known, incident),
        everybody=everybody,
        exercise=exercise,
    )
    assumed = {"answers": _by_name("--answer", answers)}
    seen = center(url, token).post("/responses/preview", said | assumed)
    if as_json:
        one(seen, "", as_json=True)
    else:
        _show_preview(seen)


def _show_preview(seen: Mapping[str, Any]) -> None:
    head = f"{_exercise(seen)}{seen['title']}: {len(seen['counties'])} organisations"
    out.print(f"{head}, approvals: {seen['approvals_needed']}", markup=False, soft_wrap=True)
    many("organisations", seen["counties"], as_json=False)
    steps = ("title", "role", "within", "commands", "has_way_back")
    out.print(table(steps, seen["steps"]))
    if seen["blocks"]:
        many("things done by themselves", seen["blocks"], as_json=False)
    out.print(table(("kind", "title", "text", "assumed"), map(_dry, seen["dry_run"])))
    if seen["dry_run_failed"]:
        told = f"it would not come to its end: {seen['dry_run_failed']}"
        out.print(told, markup=False, soft_wrap=True)
    for name in seen["left_out"]:
        out.print(f"left out, may not see it: {name['name']}", markup=False, soft_wrap=True)


def _dry(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step of the dry run as a row; the text of a step that only decides is an id."""
    text = Text("" if line["kind"] in _DECIDES else line["text"])
    text.truncate(_LONGEST * 2, overflow="ellipsis")
    assumed = [f"{name} = {value}" for name, value in line["assumed"].items()]
    return {**line, "text": text.plain, "assumed": assumed}


@app.command("start")
def start(
    playbook: Playbook,
    version: Version = "",
    counties: Counties = None,
    of_group: OfGroup = None,
    tag: Tag = None,
    software: Software = None,
    everybody: Everybody = False,
    values: Values = None,
    title: Title = "",
    tlp: Tlp = None,
    group: Group = None,
    exercise: Exercise = False,
    known: Known = None,
    incident: Incident = None,
    break_glass: BreakGlass = False,
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Propose a response; it begins when others than you have approved it.

    For example:

    cybercoop response start playbook--UUID --county "Landkreis A" --tlp green
    cybercoop response start playbook--UUID --everybody --tlp amber --set n=x.org
    """
    said = _plan(
        *(playbook, version, counties, of_group, tag, software, values, title),
        *(tlp, group, known, incident),
        everybody=everybody,
        exercise=exercise,
    )
    made = center(url, token).post("/responses", said | {"break_glass": break_glass})
    show_changed(made, as_json=as_json)


def show_changed(shown: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a response as it is after a deed."""
    needed = (shown.get("led") or {}).get("approvals_needed", 0)
    more = f", approvals needed: {needed}" if shown["state"] == "proposed" else ""
    state = "paused" if shown["paused"] else shown["ending"] or shown["state"]
    one(shown, f"{_exercise(shown)}{shown['title']}: {state}{more}\n{shown['id']}", as_json=as_json)


def _exercise(shown: Mapping[str, Any]) -> str:
    return "ÜBUNG: " if shown["exercise"] else ""


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only in this state.")] = None,
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """List the responses that you lead or take part in, oldest first.

    For example:

    cybercoop response list --state running
    """
    query = {} if state is None else {"state": state}
    found = center(url, token).all("/responses", "responses", **query)
    if as_json:
        many("responses", found, as_json=True)
        return
    names = ("title", "state", "exercise", "lock", "created", "ended", "id")
    many("responses", [{name: each[name] for name in names} for each in found], as_json=False)


@app.command("show")
def show(
    response_id: ResponseId,
    answers: Annotated[bool, typer.Option("--answers", help="Show the answers, too.")] = False,
    token: TokenText = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Draw the board: organisation by step, with what is late marked by an exclamation mark.

    ○ open, ◐ taken over, … runs, ✔ done, ✘ failed. For example:

    cybercoop response show 5c0ffee0-0000-4000-8000-000000000000 --answers
    """
    seen = center(url, token).get(at("responses", response_id, "board"))
    if as_json:
        one(seen, "", as_json=True)
        return
    shown = seen["shown"]
    head = f"{_exercise(shown)}{shown['title']}: {shown['state']}"
    counts = ", ".join(f"{state} {count}" for state, count in sorted(seen["states"].items()))
    out.print(f"{head} ({counts}; overdue {seen['overdue']})", markup=False, soft_wrap=True)
    if seen["lines"]:
        titles = ["organisation", "state", *_titles(seen["columns"]), "run"]
        rows = [dict(zip(titles, _line(each), strict=True)) for each in seen["lines"]]
        out.print(table(titles, rows))
    for block in seen["blocks"]:
        out.print(f"{block['organisation']}: {block['value']}, {_force(block)}", markup=False)
    for each in seen["others"]:
        out.print(f"{each['organisation']}: {each['state']}", markup=False)
    if answers:
        many("answers", [_sum(each) for each in seen["sums"]], as_json=False)


def _titles(columns: list[dict[str, Any]]) -> Iterator[str]:
    for number, column in enumerate(columns, 1):
        done = column["counts"].get("done", 0)
        short = Text(column["title"])
        short.truncate(_LONGEST, overflow="ellipsis")
        yield f"{number}. {short.plain} ({done})"


def _line(line: Mapping[str, Any]) -> Iterator[str]:
    yield line["organisation"]
    yield f"{line['state']}{'!' if line['overdue'] else ''}"
    for cell in line["cells"]:
        late = "!" if cell and cell["overdue"] else ""
        yield f"{_MARKS.get(cell['state'], cell['state'])}{late}" if cell else ""
    yield line["run"]


def _force(block: Mapping[str, Any]) -> str:
    if block["fetched"]:
        return "fetched by a device"
    return "confirmed by a person" if block["confirmed"] else "not known to be in force"


def _sum(said: Mapping[str, Any]) -> dict[str, Any]:
    counted = ", ".join(f"{name} {count}" for name, count in said["counts"].items())
    return {
        "question": said["ask"],
        "answered": said["answered"],
        "waiting": said["waiting"],
        "counts": counted or None,
        "sum": said["total"],
        "least": said["least"],
        "most": said["most"],
        "texts": "; ".join(f"{org}: {text}" for org, text in said["texts"]) or None,
    }
