"""Entry of the ``cybercoop`` command: one map from errors to exit codes."""

import sys

import typer

from cybercoop.cli import (
    backups,
    feeds,
    guarding,
    incidents,
    leading,
    looking_up,
    members,
    notices,
    playbooks,
    pushing,
    responses,
    serving,
    sightings,
    sources,
    tasks,
    tokens,
    triggers,
)
from cybercoop.cli.shown import err
from cybercoop.errors import CoopError, Misused

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A virtual center for counties: push indicators, merge them, share them over TAXII.",
)
for name, group in (
    ("org", members.org),
    ("group", members.group),
    ("user", members.user),
    ("token", tokens.app),
    ("feed", feeds.app),
    ("guard", guarding.guard),
    ("exception", guarding.exception),
    ("asset", guarding.asset),
    ("sighting", sightings.app),
    ("incident", incidents.app),
    ("source", sources.app),
    ("notice", notices.notice),
    ("webhook", notices.webhook),
    ("playbook", playbooks.app),
    ("response", responses.app),
    ("task", tasks.app),
    ("trigger", triggers.app),
    ("db", serving.db),
):
    cli.add_typer(group, name=name)
responses.app.add_typer(leading.app)
for command in (
    *(members.init, serving.demo, serving.serve, serving.work, pushing.push),
    *(looking_up.lookup, sources.collect, backups.backup, backups.restore),
):
    cli.command()(command)


def main() -> None:
    """Run a command; exit with 0 for done, 1 for refused or failed, 2 for wrong usage."""
    try:
        cli()
    except CoopError as error:
        err.print(f"error: {error}", markup=False, soft_wrap=True)
        sys.exit(2 if isinstance(error, Misused) else 1)
    except OSError as error:  # the database, a file or the terminal is not there
        err.print(f"error: {error.strerror or error}", markup=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
