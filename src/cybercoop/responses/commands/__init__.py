"""What commands of playbooks do, one file for each kind; found by their folder.

A file offers ``KINDS``, the types of command that it carries out, and ``carry_out(doing)``, which
returns the values that it gave. A command raises ``walking.Failed`` with a reason where it did not
do what it was to do. ``IS_EFFECT`` says that it changes something outside by itself: such a command
waits until its county has accepted. Commands may be carried out again after a crash: whatever they
do outside carries ``doing.key``.
"""

import importlib
import pkgutil
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cybercoop.playbooks.progress import Response, Run, Task
from cybercoop.playbooks.steps import Action, Command, Playbook
from cybercoop.playbooks.variables import Value

if TYPE_CHECKING:
    from cybercoop.responses.carrying import Carrying

Values = Mapping[str, Value]


_SPACE = uuid.UUID("6f2c8f1e-9b0a-5d1c-8b57-3f0c7d1e2a64")


@dataclass(frozen=True, slots=True)
class Doing:
    """Hold one command that is being carried out: where, for whom, and with which values.

    ``values`` are those that the step names in ``in_args``, or all where it names none; ``key`` is
    the same whenever this command of this run is carried out again; ``answered`` puts a task to
    people and waits for what they say.
    """

    house: "Carrying"
    playbook: Playbook
    response: Response
    run: Run
    place: str
    step: Action
    command: Command
    number: int
    key: str
    values: Values
    began_at: int
    answered: Callable[[Task], Awaitable[Values]]


@dataclass(frozen=True, slots=True)
class Kind:
    """Hold how one kind of command is carried out."""

    name: str
    is_effect: bool
    carry_out: Callable[[Doing], Awaitable[Values]]


def name_of(*parts: object) -> str:
    """Return the id of something at a place of a run: the same whenever it is asked for."""
    return str(uuid.uuid5(_SPACE, "\n".join(map(str, parts))))


@cache
def kinds() -> Mapping[str, Kind]:
    """Return all kinds of command that the files of this folder carry out."""
    found: dict[str, Kind] = {}
    for module in pkgutil.iter_modules(__path__):
        file = importlib.import_module(f"{__name__}.{module.name}")
        for name in getattr(file, "KINDS", ()):
            found[name] = Kind(name, file.IS_EFFECT, file.carry_out)
    return found
