"""A terminal in which the ``cybercoop`` command is run as a person or a script runs it.

Every command is a process of its own. Only ``COMMAND`` starts Python anew: a second or two for
each of them would make minutes.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forks import Fork

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "cybercoop")
PATIENCE = 120


@dataclass(frozen=True)
class Terminal:
    """One folder, one database, and no settings but these."""

    folder: Path
    database: str = ""

    @property
    def environment(self) -> dict[str, str]:
        ours = {name: text for name, text in os.environ.items() if not name.startswith("CYBERCOOP")}
        said = {"CYBERCOOP_DATA": str(self.folder), "CYBERCOOP_LISTEN": "127.0.0.1:0"}
        return ours | said | ({"CYBERCOOP_DATABASE": self.database} if self.database else {})

    def run(
        self, *arguments: object, code: int = 0, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; it has to end with ``code``."""
        with self.started(*arguments, **more) as process:
            texts = process.communicate(PATIENCE)
        done = subprocess.CompletedProcess(process.args, process.returncode or 0, *texts)
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def json(self, *arguments: object, code: int = 0, **more: str) -> dict[str, Any]:
        """Run a command with --json and return the one object that it prints."""
        printed = self.run(*arguments, "--json", code=code, **more).stdout
        assert printed.count("\n") == 1
        said = json.loads(printed)
        assert isinstance(said, dict)
        return said

    @contextmanager
    def started(self, *arguments: object, **more: str) -> Iterator[Fork]:
        """Lend a command that runs; whatever comes between, it has ended afterwards."""
        with Fork(list(map(str, arguments)), self.folder, self.environment | more) as process:
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def serving(self, command: str = "serve", **more: str) -> Iterator[str]:
        """Lend the text that a server prints once pushes are possible; end it afterwards."""
        with self.started(command, **more) as process:
            yield _first_words(process)
            process.send_signal(signal.SIGTERM)
            rest, complaints = process.communicate(PATIENCE)
        assert process.returncode == 0, (rest, complaints)
        assert "Traceback" not in complaints, complaints


def _first_words(process: Fork) -> str:
    """Return what a process prints in one go, as soon as it prints something."""
    assert select.select([process.stdout], [], [], PATIENCE)[0], "It prints nothing."
    said = os.read(process.stdout.fileno(), 65536).decode()
    assert said, process.communicate(PATIENCE)
    return said


def address_in(said: str) -> str:
    """Return the address in what a server printed."""
    return next(word for word in said.split() if word.startswith("http://"))
