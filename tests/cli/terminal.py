"""A terminal in which the ``cybercoop`` command is run as a person or a script runs it.

Every command is a process of its own. Those that end by themselves are forked from a server that
has imported the product already: a second of start for each of them would make minutes.
"""

import json
import multiprocessing
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "cybercoop")
# Where tests are broken off by force, nothing of theirs goes on (Linux has this program).
ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
PATIENCE = 120
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["cybercoop.__main__"])


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
        words = [str(one) for one in arguments]
        with tempfile.TemporaryDirectory() as folder:
            printed = [Path(folder) / name for name in ("out", "err")]
            process = _FORKS.Process(
                target=_become, args=(words, self.folder, self.environment | more, *printed)
            )
            process.start()
            try:
                process.join(PATIENCE)
            finally:
                process.kill()
                process.join()
            texts = [file.read_text() for file in printed]
        done = subprocess.CompletedProcess(words, process.exitcode or 0, *texts)
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done

    def json(self, *arguments: object, code: int = 0, **more: str) -> dict[str, Any]:
        """Run a command with --json and return the one object that it prints."""
        printed = self.run(*arguments, "--json", code=code, **more).stdout
        assert printed.count("\n") == 1
        said = json.loads(printed)
        assert isinstance(said, dict)
        return said

    @contextmanager
    def started(self, *arguments: object, **more: str) -> Iterator[subprocess.Popen[str]]:
        """Lend a command that runs; whatever comes between, it has ended afterwards."""
        with subprocess.Popen(
            [*ENDS_WITH_US, *COMMAND, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
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
            rest, complaints = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, (rest, complaints)
        assert "Traceback" not in complaints


def _become(
    words: list[str], folder: Path, environment: dict[str, str], out: Path, err: Path
) -> None:
    """Turn this process into a command, with files for what it prints."""
    from cybercoop.__main__ import main  # noqa: PLC0415 - preloaded where this runs

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["cybercoop", *words]
    sys.stdout, sys.stderr = out.open("w"), err.open("w")
    main()


def _first_words(process: subprocess.Popen[str]) -> str:
    """Return what a process prints in one go, as soon as it prints something."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], PATIENCE)[0], "It prints nothing."
    said = os.read(process.stdout.fileno(), 65536).decode()
    assert said, process.communicate(timeout=PATIENCE)
    return said


def address_in(said: str) -> str:
    """Return the address in what a server printed."""
    return next(word for word in said.split() if word.startswith("http://"))
