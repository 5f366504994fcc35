"""Which files the house rules look at."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = {"__pycache__", "node_modules", "build", "dist"}


def files() -> list[Path]:
    """Return every file of the project, tracked or about to be, but nothing that was made."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if listed.returncode or not (ROOT / ".git").exists():
        return sorted(filter(_is_source, ROOT.rglob("*")))
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def python_files(*folders: str) -> list[Path]:
    """Return the Python files under the named folders of the project."""
    roots = [ROOT / folder for folder in folders]
    return [
        path
        for path in files()
        if path.suffix == ".py" and any(path.is_relative_to(root) for root in roots)
    ]


def name(path: Path) -> str:
    """Return the name of a file as a person of the project says it."""
    return path.relative_to(ROOT).as_posix()


def _is_source(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    hidden = any(part.startswith(".") and part not in {".ci", ".gitignore"} for part in parts)
    made = any(part in MADE or part.endswith(".egg-info") for part in parts)
    return path.is_file() and not hidden and not made
