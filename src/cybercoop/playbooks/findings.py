"""What a check found: where it stands, and a sentence in German and one in English."""

import json
import re
from typing import Literal

from msgspec import Struct

from cybercoop.playbooks.wording import SENTENCES

Grade = Literal["schema", "refused", "warning"]
Path = tuple[str | int, ...]

_LONGEST = 80
_PLAIN = re.compile(r"[\w.:-]+")


class Finding(Struct, frozen=True, kw_only=True):
    """Hold one finding; ``schema`` and ``refused`` keep a playbook out, ``warning`` does not."""

    rule: str
    grade: Grade
    step: str = ""
    field: str = ""
    said: tuple[tuple[str, str], ...] = ()

    @property
    def english(self) -> str:
        """Return the English sentence."""
        return SENTENCES[self.rule][0].format(**dict(self.said))

    @property
    def german(self) -> str:
        """Return the German sentence."""
        return SENTENCES[self.rule][1].format(**dict(self.said))


def found(rule: str, path: Path, grade: Grade = "refused", **said: object) -> Finding:
    """Return a finding at ``path`` of the document; a path into a step names that step.

    Whatever stands in ``said`` may come from the document: it is shown in plain ASCII and short.
    """
    step = ""
    if len(path) > 1 and path[0] == "workflow":
        step, path = shown(path[1]), path[2:]
    told = tuple((name, shown(value)) for name, value in said.items())
    return Finding(rule=rule, grade=grade, step=step, field=field(path), said=told)


def shown(value: object) -> str:
    """Return ``value`` as it may stand in a sentence, whoever wrote it."""
    text = str(value)[: _LONGEST + 1]
    plain = json.dumps(text[:_LONGEST])[1:-1]
    return plain if len(text) <= _LONGEST else plain + "..."


def field(path: Path) -> str:
    """Return a path as people write it: ``next_steps[1]``, ``commands[0].type``."""
    parts = []
    for part in path:
        if isinstance(part, int):
            parts.append(f"[{part}]")
        else:
            parts.append(f".{shown(part)}" if parts else shown(part))
    return "".join(parts)
