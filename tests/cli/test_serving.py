"""A server and the worker beside it: neither goes on without the other."""

import os
import signal
import time
from pathlib import Path

import pytest

from cli.terminal import PATIENCE, Terminal


@pytest.fixture
def center(tmp_path: Path) -> Terminal:
    terminal = Terminal(tmp_path)
    terminal.run("init", "--name", "Testzentrum")
    return terminal


def worker_of(pid: int) -> int:
    """Return the process that a server has started."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_server_whose_worker_died_ends_and_says_so(center: Terminal) -> None:
    with center.started("serve") as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(worker_of(process.pid), signal.SIGKILL)
        _, complaints = process.communicate(PATIENCE)
    assert process.returncode == 1, complaints
    assert "worker" in complaints
    assert "Traceback" not in complaints


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_ends_with_its_server(center: Terminal, number: signal.Signals) -> None:
    with center.started("serve") as process:
        assert process.stdout is not None
        process.stdout.readline()
        worker = worker_of(process.pid)
        process.send_signal(number)
        process.wait(PATIENCE)
    over = time.monotonic() + PATIENCE
    while is_there(worker) and time.monotonic() < over:
        time.sleep(0.01)
    assert not is_there(worker)


def test_one_server_alone_works_on_a_sqlite_file_and_leaves_it_when_killed(
    center: Terminal,
) -> None:
    with center.started("serve") as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert "stop that first" in center.run("serve", code=2).stderr
        center.run("org", "add", "Landkreis A", "--kind", "member")
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    with center.serving() as said:
        assert "serves on" in said


def test_what_cannot_be_served_is_said_once(tmp_path: Path) -> None:
    refusal = Terminal(tmp_path).run("serve", code=2).stderr
    assert refusal.count("cybercoop init") == 1


def test_a_certificate_that_cannot_be_read_is_named(center: Terminal) -> None:
    files = {"CYBERCOOP_TLS_CERT": "chain.pem", "CYBERCOOP_TLS_KEY": "key.pem"}
    said = center.run("serve", code=2, **files).stderr
    assert "chain.pem or key.pem, cannot be read" in said
