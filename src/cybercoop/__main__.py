"""Entry of the ``cybercoop`` command: one map from errors to exit codes."""

import sys

from typer.core import TyperGroup

from cybercoop.cli.later import Later
from cybercoop.cli.shown import err
from cybercoop.errors import CoopError, Misused

# Where each command stands, and the first line of its help, which a list of them all shows.
_COMMANDS = (
    ("init", "members:init", "Make the center on the configured database."),
    (
        "demo",
        "serving:demo",
        "Start a demo center with sample contributions, and say how to push and read.",
    ),
    ("serve", "serving:serve", "Serve the center on CYBERCOOP_LISTEN until stopped."),
    ("work", "serving:work", "Add a worker process: it projects contributions into releases."),
    (
        "push",
        "pushing:push",
        "Push lists, tables, mails, MISP or STIX, and show what became of every line and object.",
    ),
    (
        "lookup",
        "looking_up:lookup",
        "Say of values whether they are listed, since and until when, and what speaks against it.",
    ),
    ("collect", "sources:collect", "Collect from sources now, whether they are due or not."),
    (
        "backup",
        "backups:backup",
        "Keep all of a SQLite center in one file, also while it runs, and check that file.",
    ),
    (
        "restore",
        "backups:restore",
        "Put a backup where the configured SQLite database stands, while no server runs on it.",
    ),
    ("org", "members:org", "Organisations: members, clients, partners."),
    ("group", "members:group", "Groups that share under a common agreement."),
    ("user", "people:user", "People of an organisation."),
    ("token", "tokens:app", "Tokens of organisations and of people."),
    ("feed", "feeds:app", "Feeds for firewalls, DNS servers and other devices."),
    ("guard", "guarding:guard", "What the guard keeps out of blocklists."),
    ("exception", "guarding:exception", "Values that must not be blocked."),
    ("asset", "guarding:asset", "What organisations have: networks, names, software."),
    ("sighting", "sightings:app", "What was seen here, and what is harmless for us."),
    ("incident", "incidents:app", "Incidents: yours alone until you share them."),
    ("source", "sources:app", "Sources that the center collects from."),
    ("notice", "notices:notice", "What people and programs were told."),
    ("webhook", "notices:webhook", "Where programs of organisations are told."),
    ("playbook", "playbooks:app", "What to do: CACAO 2.0 playbooks."),
    ("response", "leading:response", "Playbooks being carried out across counties."),
    ("task", "tasks:app", "Steps of responses that wait for your people."),
    ("trigger", "triggers:app", "Rules that propose or start responses."),
    ("db", "serving:db", "The database itself."),
)

cli = TyperGroup(
    name="cybercoop",
    commands=[Later(*one) for one in _COMMANDS],
    no_args_is_help=True,
    help="A virtual center for counties: push indicators, merge them, share them over TAXII.",
)


def main() -> None:
    """Run a command; exit with 0 for done, 1 for refused or failed, 2 for wrong usage."""
    try:
        cli()
    except CoopError as error:
        err.print(f"error: {error}", markup=False, soft_wrap=True)
        sys.exit(2 if isinstance(error, Misused) else 1)
    except OSError as error:  # the database, a file or the terminal is not there
        at = f"{error.filename}: " if error.filename else ""
        err.print(f"error: {at}{error.strerror or error}", markup=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
