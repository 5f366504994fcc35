"""Make ``.venv`` ready for ./run and ./test; the standard library is all it needs.

An old Python, too, gets as far as the sentence that says which one is needed.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - ./run and ./test start with any python3
    sys.exit(
        f"cybercoop: Python 3.11 or newer is needed, and this is {sys.version.split()[0]}. "
        "Debian 12 and Ubuntu 24.04 have it as the package python3."
    )

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "cybercoop-stamp"
RUN_LOCK = "requirements.lock"
TEST_LOCK = "requirements-test.lock"


def start(lock: str, command: list[str]) -> None:
    """Install what ``lock`` lists where that is not done yet, then become ``python -m command``."""
    prepare(lock)
    os.execve(PYTHON, [str(PYTHON), "-m", *command], surroundings())


def surroundings() -> dict[str, str]:
    """Return the environment; who wants no bytecode beside the sources has it in ``.venv``.

    Without any, each process compiles all that it imports: 1 s for a command, 10 s for the tests.
    """
    ours = dict(os.environ)
    if ours.pop("PYTHONDONTWRITEBYTECODE", ""):
        ours.setdefault("PYTHONPYCACHEPREFIX", str(VENV / "bytecode"))
    return ours


def prepare(lock: str) -> None:
    """Bring ``.venv`` to the state that ``lock`` and pyproject.toml ask for."""
    if is_ready(lock):
        return
    # Two starts at once would write into one .venv; the second waits here and finds it done.
    checkout = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(checkout, fcntl.LOCK_EX)
    if not is_ready(lock):
        install(lock)
    os.close(checkout)


def is_ready(lock: str) -> bool:
    """Say whether ``.venv`` holds ``lock``; what the tests need holds what a run needs."""
    if not (PYTHON.exists() and STAMP.exists()):
        return False
    return STAMP.read_text() in (digest(lock), digest(TEST_LOCK))


def digest(lock: str) -> str:
    """Name the state of ``.venv`` by all that decides it, the place of the checkout too."""
    parts = [lock.encode(), bytes(ROOT)]
    parts += [(ROOT / name).read_bytes() for name in ("pyproject.toml", RUN_LOCK, lock)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def install(lock: str) -> None:
    """Install the locked packages by their hashes, then cybercoop itself from this checkout."""
    uv = shutil.which("uv")
    make_venv(uv)
    # .venv may be older than a change of the lock: until this is through it is in neither state.
    STAMP.unlink(missing_ok=True)
    pip = [uv, "pip", "install", "--python", str(PYTHON)] if uv else pip_install()
    say(f"installing the packages of {lock} with {'uv' if uv else 'pip'}")
    work([*pip, "--require-hashes", "--no-deps", "-r", str(ROOT / lock)])
    say("installing cybercoop itself")
    work([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)])
    compile_all()
    STAMP.write_text(digest(lock))


def pip_install() -> list[str]:
    """Return the start of a pip command line that installs into ``.venv``."""
    return [str(PYTHON), "-m", "pip", "install", "--no-compile", "--disable-pip-version-check"]


def compile_all() -> None:
    """Compile what was installed on all cores, to where the processes to come look for it.

    What does not compile, an example of a package say, is compiled by nobody who does not need it.
    """
    folders = [str(VENV / "lib"), str(ROOT / "src")]
    compiling = [str(PYTHON), "-m", "compileall", "-q", "-j", "0", *folders]
    subprocess.run(compiling, check=False, env=surroundings(), stdout=subprocess.DEVNULL)


def make_venv(uv: str | None) -> None:
    """Make ``.venv`` unless a usable one is there; one that uv made holds no pip."""
    if PYTHON.exists() and (uv or has_pip()):
        return
    say("making .venv (this start takes a minute, the next ones none)")
    if uv:
        work([uv, "venv", "--clear", "--python", sys.executable, str(VENV)])
        return
    if importlib.util.find_spec("ensurepip") is None:
        stop(
            "This Python cannot make virtual environments: the module ensurepip is missing. On "
            "Debian and Ubuntu install it with: apt install python3-venv. Then start again."
        )
    work([sys.executable, "-m", "venv", "--clear", str(VENV)])


def has_pip() -> bool:
    """Say whether the Python of ``.venv`` starts and has pip."""
    asked = subprocess.run([PYTHON, "-c", "import pip"], check=False, capture_output=True)
    return asked.returncode == 0


def work(command: list[str]) -> None:
    """Run ``command`` with its output on standard error, and stop where it fails."""
    if subprocess.run(command, check=False, cwd=ROOT, stdout=sys.stderr).returncode:
        stop(
            "That did not work; the lines above say why. The first start needs the network "
            "(or a mirror that pip or uv is configured for); the later ones do not."
        )


def say(sentence: str) -> None:
    """Tell the person at the terminal what goes on; standard output belongs to the command."""
    sys.stderr.write(f"cybercoop: {sentence}\n")
    sys.stderr.flush()


def stop(sentence: str) -> None:
    """End with exit code 1 and the reason."""
    sys.exit(f"cybercoop: {sentence}")
