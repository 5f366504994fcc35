"""Commands whose files are imported when they are called, and not before.

All of them together import the whole product, which takes two seconds; most need little of it.
"""

from functools import cached_property
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand


class Later(TyperCommand):
    """A command, or a group of commands, that is known by name and first line alone."""

    def __init__(self, name: str, place: str, line: str) -> None:
        super().__init__(name, help=line)
        self._place = place

    @cached_property
    def real(self) -> Any:  # typer has no public name for what is a command or a group
        """Return what stands in the file: ``place`` is ``module:member`` in this folder."""
        module, _, member = self._place.partition(":")
        found = getattr(import_module(f"cybercoop.cli.{module}"), member)
        if isinstance(found, typer.Typer):
            return typer.main.get_group(found)
        alone = typer.Typer(add_completion=False)
        alone.command(self.name)(found)
        return typer.main.get_command(alone)

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> typer.Context:
        """Hand everything over to the real command; it is the one that is then invoked."""
        made: typer.Context = self.real.make_context(info_name, args, parent, **extra)
        return made
