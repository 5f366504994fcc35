"""The command ``sighting add``: "seen here", or "harmless for us", told to a center over HTTP."""

import asyncio
from typing import Annotated, Any

import typer

from cybercoop import client
from cybercoop.cli.asking import HOME, Url, WritingToken
from cybercoop.cli.shown import Json, many
from cybercoop.collect.sighting import Opinion
from cybercoop.errors import Misused

app = typer.Typer(no_args_is_help=True, help="What was seen here, and what is harmless for us.")


@app.command("add")
def add(
    values: Annotated[list[str], typer.Argument(help="Listed values, or ids of releases.")],
    token: WritingToken = "",
    url: Url = HOME,
    false_positive: Annotated[
        bool, typer.Option("--false-positive", help="It is harmless for us: a vote against it.")
    ] = False,
    count: Annotated[int, typer.Option(min=1, help="How often it was seen.")] = 1,
    as_json: Json = False,
) -> None:
    """Tell the center that a listed value was seen here, or that it is harmless for us.

    Both change how sure all are; who said so is not shown. For example:

    cybercoop sighting add 198.51.100.7 --count 12
    cybercoop sighting add portal.example.de --false-positive
    """
    if not token:
        raise Misused("Name a token with --token or CYBERCOOP_TOKEN.")
    opinion = Opinion.FALSE_POSITIVE if false_positive else Opinion.SEEN
    told = [{"about": value, "opinion": opinion.value, "count": count} for value in values]
    answers = asyncio.run(client.sight(url, token, told))
    rows: list[dict[str, Any]] = [
        {"value": value, "outcome": answer["outcome"], "reason": answer.get("reason") or ""}
        for value, answer in zip(values, answers, strict=True)
    ]
    many("sightings", rows, as_json=as_json)
    if any(row["outcome"] == "refused" for row in rows):
        raise typer.Exit(1)
