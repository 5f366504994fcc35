"""Commands about rules: ``trigger list`` and ``trigger test``, without a running server."""

from typing import Annotated, Any

import typer

from cybercoop.cli.opened import configured, on_database
from cybercoop.cli.shown import Json, date, many, out, table
from cybercoop.errors import Misused
from cybercoop.responses import firing, rules
from cybercoop.responses.firing import State, Would
from cybercoop.responses.rules import Book, Rule
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings

app = typer.Typer(no_args_is_help=True, help="Rules that propose or start responses.")


def _book() -> Book:
    folder = configured().playbooks
    if not (folder / rules.FILE).is_file():
        msg = f"There is no {folder / rules.FILE}; set CYBERCOOP_PLAYBOOKS."
        raise Misused(msg)
    return rules.read(folder)


@app.command("list")
def list_all(as_json: Json = False) -> None:
    """List all rules: which are on, when each fired last, and what came of it.

    For example:

    cybercoop trigger list
    CYBERCOOP_PLAYBOOKS=/etc/cybercoop/playbooks cybercoop trigger list --json
    """
    book = _book()

    async def work(database: Database) -> list[State]:
        async with database.read() as connection:
            return await firing.states(connection, book, Surroundings().now())

    listed = [_shown(one) for one in on_database(work)]
    if not as_json:
        kept = ("name", "kind", "on", "action", "counties", "last", "verdict", "problem")
        listed = [{key: row[key] for key in kept} for row in listed]
    many("rules", listed, as_json=as_json)


def _shown(state: State) -> dict[str, Any]:
    rule, last = state.rule, state.last
    return {
        "name": rule.name,
        "title": rule.title,
        "kind": rule.kind,
        "on": rule.enabled,
        "action": rule.action,
        "playbook": rule.playbook,
        "counties": rule.counties,
        "limit": rule.limit,
        "acted": state.acted,
        "last": date(last.at) if last else None,
        "verdict": last.verdict if last else None,
        "response": last.response_id if last else None,
        "problem": state.problem or None,
    }


@app.command("test")
def replay(
    name: Annotated[str, typer.Argument(metavar="RULE", help="Name of the rule, on or off.")],
    since: Annotated[str, typer.Option(help="How far to look back: 12h, 7d.")] = "7d",
    german: Annotated[
        bool, typer.Option("--german", "--deutsch", help="Say it in German.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Replay a rule over what is past and print what it would have done; touch nothing.

    For example:

    cybercoop trigger test zwei-melden-dasselbe --since 30d
    """
    rule = _one(name)
    now = Surroundings().now()
    back = rules.span_of(since)

    async def work(database: Database) -> list[Would]:
        async with database.read() as connection:
            return await firing.replay(connection, rule, now - back, now)

    found = on_database(work)
    fired = [one for one in found if one.verdict in {"proposed", "waiting"}]
    counts: dict[str, int] = {}
    for one in found:
        counts[one.verdict] = counts.get(one.verdict, 0) + 1
    rows = [_would(one, german=german) for one in fired]
    if as_json:
        many("firings", rows, as_json=True, rule=name, since=since, verdicts=counts)
        return
    if rows:
        kept = ("at", "subject", "lock", "counties", "why")
        out.print(table(kept, rows))
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    out.print(f"{name} since {since}: {told or 'nothing would have fired it'}.", markup=False)


def _one(name: str) -> Rule:
    found = _book().rules.get(name)
    if found is None:
        msg = f"There is no rule {name!r}; `cybercoop trigger list` shows them."
        raise Misused(msg)
    return found


def _would(one: Would, *, german: bool) -> dict[str, Any]:
    return {
        "at": date(one.at),
        "verdict": one.verdict,
        "subject": one.subject,
        "lock": one.lock,
        "counties": list(one.counties),
        "why": one.german if german else one.english,
    }
