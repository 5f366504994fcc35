"""The command ``lookup``: values, also defanged, to a center over HTTP."""

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cybercoop import client
from cybercoop.cli.asking import HOME, Url
from cybercoop.cli.shown import Json, err, out, table
from cybercoop.errors import Misused

_STDIN = "-"

Values = Annotated[
    list[str] | None, typer.Argument(help="Values; without any they are read from --file.")
]


def lookup(
    values: Values = None,
    file: Annotated[
        str | None, typer.Option(help="File with a value per line; - for standard input.")
    ] = None,
    token: Annotated[
        str, typer.Option(envvar="CYBERCOOP_TOKEN", help="A token that may read.")
    ] = "",
    url: Url = HOME,
    as_json: Json = False,
) -> None:
    """Say of values whether they are listed, since and until when, and what speaks against it.

    For example:

    cybercoop lookup 198.51.100.7 "hxxps://evil[.]example/login"
    cybercoop lookup --file verdacht.txt --json
    """
    if not token:
        raise Misused("Name a token with --token or CYBERCOOP_TOKEN.")
    asked = [*(values or ()), *(_lines(file) if file else ())]
    if not asked:
        raise Misused("Name values, or a file of them with --file.")
    found = asyncio.run(client.look_up(url, token, asked))
    if as_json:
        sys.stdout.write(json.dumps({"values": found}, ensure_ascii=False) + "\n")
    else:
        out.print(table(("value", "listed", "since", "until", "sure", "remarks"), _rows(found)))
    if any("reason" in one for one in found):
        err.print("Some values cannot be read; see the remarks.")
        raise typer.Exit(1)


def _lines(file: str) -> Iterator[str]:
    try:
        text = sys.stdin.read() if file == _STDIN else Path(file).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{file} cannot be read: {error}."
        raise Misused(msg) from error
    yield from filter(None, map(str.strip, text.splitlines()))


def _rows(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in found:
        listings = one.get("listings", [])
        first = listings[0] if listings else {}
        yield {
            "value": one.get("value") or one["asked"],
            "listed": ", ".join(sorted({each["tlp"] for each in listings})) or None,
            "since": _day(first.get("since")),
            "until": _day(first.get("until")),
            "sure": first.get("confidence"),
            "remarks": "; ".join(_remarks(one)) or None,
        }


def _day(moment: str | None) -> str | None:
    return moment and moment.partition("T")[0]


def _remarks(one: Mapping[str, Any]) -> Iterator[str]:
    if "reason" in one:
        yield one["reason"]
    for listing in one.get("listings", ()):
        if listing.get("contributors"):
            yield f"by {', '.join(listing['contributors'])}"
    for cover in one.get("covered_by", ()):
        yield f"covered by {cover['value']}"
    if "guard" in one:
        yield f"guard: {one['guard']['level']}, {one['guard']['rule']}"
    for exempted in one.get("exceptions", ()):
        whose = "the center" if exempted["scope"] == "all" else "you"
        yield f"excepted by {whose}: {exempted['reason']}"
    for feed in one.get("feeds", ()):
        yield f"in feed {feed['title']}" if feed["listed"] else _absent(feed)


def _absent(feed: Mapping[str, Any]) -> str:
    return f"not in feed {feed['title']}: {feed['reason']}"
