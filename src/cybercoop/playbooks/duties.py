"""What the standard has no words for: who answers for a step, until when, questions, the way back.

It stands in ``step_extensions`` under one extension id of ours. All entries are optional::

    title       what people read as the step's name, in their language
    role        who answers for it, one of ROLES
    deadline    {"within": "PT4H", "from": "step" | "start" | "knowledge"}: wall clock, no time-out.
                ``within`` is months, days, hours, minutes (P1M, P2D, PT72H); ``from`` is when the
                step was reached (default), the county's run began, or the county knew of the case
    questions   by variable of out_args: {"ask", "kind", "choices", "required", "confirms"}; see
                ``answer``. A yes to a question that confirms is a person's word that the blocks of
                the run are in force
    revert      head of the branch that takes this step back; it has its own end
    approvals   how many people must agree before the step is carried out (0 to 5)
    arguments   of block, unblock, notify and report: see ``ARGUMENTS``
    max_rounds  how often a while-condition may repeat (default 100, at most 1000)
    sums        for if, while and switch: by variable that it reads, what all counties answered
                together: {"of", "as": "total" | "count", "answer"}; see ``Sum``
    wait        like ``deadline``: until when such a step waits before it looks at its sums

``block``, ``unblock``, ``notify`` and ``report`` are types of command: the vocabulary is open. A
command has no place for arguments in the standard, so they stand here, and such a command is alone
in its step. Whoever does not know the type has to refuse it, which is what should happen.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec
from msgspec import Struct, field

from cybercoop import errors
from cybercoop.playbooks import shapes, variables
from cybercoop.playbooks.findings import Finding, Path
from cybercoop.playbooks.schema import NAME
from cybercoop.playbooks.shapes import Form, integer, items, keyed, record, short, word
from cybercoop.playbooks.variables import Value
from cybercoop.stix import times

EXTENSION = "extension-definition--2f6a4d0e-6f0b-5d3c-9a41-7c1e5b8d9f20"

ROLES = {
    "it-lead": "IT-Leitung",
    "it-operations": "IT-Betrieb",
    "service-desk": "Benutzerservice",
    "security-officer": "Informationssicherheitsbeauftragte Person",
    "privacy-officer": "Datenschutzbeauftragte Person",
    "leadership": "Verwaltungsleitung",
    "crisis-team": "Krisenstab",
    "process-owner": "Verfahrensverantwortliche Person",
    "legal": "Rechtsamt",
    "press": "Pressestelle",
    "center": "Virtuelles Zentrum",
}

_ADDRESSES = {"string", "uri", "ipv4-addr", "ipv6-addr", "md5-hash", "sha256-hash", "hash"}
# What a variable must be to stand for an argument; an empty set takes no variable.
ARGUMENTS: dict[str, dict[str, frozenset[str]]] = {
    "block": {"value": frozenset(_ADDRESSES), "hours": frozenset({"integer"})},
    "unblock": {"value": frozenset(_ADDRESSES)},
    "notify": {"to": frozenset(), "urgency": frozenset(), "text": frozenset()},
    "report": {"profile": frozenset(), "stage": frozenset()},
}
"""Arguments of each command of ours, all required.

``value`` and ``hours`` (until the block ends by itself) are ``__name__:value`` or, for hours, a
number; ``to`` is a role; ``urgency`` is ``now`` or ``digest``; ``text`` may use variables;
``profile`` and ``stage`` name a reporting duty that is data elsewhere.
"""
LONGEST_BLOCK_HOURS = 8_760

_WORD = re.compile(r"\A[a-z][a-z0-9-]{0,39}\Z")
_DURATION = re.compile(
    r"\AP(?=[0-9T])(?:([0-9]{1,2})M)?(?:([0-9]{1,3})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,3})H)?(?:([0-9]{1,4})M)?)?\Z"
)
_REVERT = re.compile(r"\A(?:action|playbook-action)--")

Kind = Literal["yes-no-unknown", "number", "choice", "text", "file"]
Since = Literal["step", "start", "knowledge"]

_ANYTHING = frozenset(variables.KINDS) - {"dictionary"}
ANSWERS: dict[str, frozenset[str]] = {
    "yes-no-unknown": frozenset({"string"}),
    "number": variables.NUMBERS,
    "choice": frozenset({"string"}),
    "text": _ANYTHING,
    "file": frozenset({"sha256-hash"}),
}
"""Which types of variable an answer of each kind may go into."""
YES_NO = ("yes", "no", "unknown")
_YES_NO = {"yes": "yes", "ja": "yes", "no": "no", "nein": "no"}
_YES_NO |= {"unknown": "unknown", "unbekannt": "unknown"}


class Deadline(Struct, frozen=True):
    """Hold a time span on the calendar, and from when it runs."""

    months: int
    minutes: int
    since: Since = "step"

    def after(self, moment: int) -> int:
        """Return when the span that began at ``moment`` ends (microseconds since 1970).

        Months count on the calendar on the wall, and end on its last day where the day is missing;
        minutes are real time, whatever the clocks do.
        """
        return times.later(moment, times.WALL, months=self.months, minutes=self.minutes)


class Question(Struct, frozen=True):
    """Hold what a task asks; the answer becomes a variable, in a task one of type ``fills``."""

    ask: str
    kind: Kind
    choices: tuple[str, ...] = ()
    required: bool = True
    confirms: bool = False
    fills: str = ""


class Sum(Struct, frozen=True):
    """Say what a variable holds for one decision: the answers of all counties, put together.

    ``of`` is a variable that questions of this playbook fill. ``total`` adds numbers up, ``count``
    says how many counties answered, or gave this one ``answer``; the last of each county counts.
    """

    of: str
    kind: Literal["total", "count"] = field(name="as")
    answer: str = ""


class Duty(Struct, frozen=True, kw_only=True):
    """Hold all that our extension says of a step."""

    title: str = ""
    role: str = ""
    deadline: Deadline | None = None
    questions: Mapping[str, Question] = {}
    revert: str = ""
    approvals: int = 0
    arguments: Mapping[str, str | int] = {}
    max_rounds: int = 100
    sums: Mapping[str, Sum] = {}
    wait: Deadline | None = None


def _argument() -> Form:
    return shapes.either(integer(1, LONGEST_BLOCK_HOURS), short(2_000))


_DEADLINE = record(
    {
        "within": shapes.text(_DURATION, "PT4H"),
        "from": word("step", "start", "knowledge"),
    },
    "within",
)
_QUESTION = record(
    {
        "ask": short(500),
        "kind": word(*ANSWERS),
        "choices": items(short(200)),
        "required": shapes.boolean,
        "confirms": shapes.boolean,
    },
    *("ask", "kind"),
)
_SUM = record(
    {"of": shapes.text(NAME, "__name__"), "as": word("total", "count"), "answer": short(200)},
    *("of", "as"),
)
FORM = shapes.ours(
    record(
        {
            "title": short(200),
            "role": word(*ROLES),
            "deadline": _DEADLINE,
            "questions": keyed({NAME: _QUESTION}, 1),
            "revert": shapes.text(_REVERT, "action--UUID"),
            "approvals": integer(0, 5),
            "arguments": keyed({_WORD: _argument()}, 1),
            "max_rounds": integer(1, 1_000),
            "sums": keyed({NAME: _SUM}, 1),
            "wait": _DEADLINE,
        }
    )
)
WORDS: dict[str, Form] = {
    "hours": integer(1, LONGEST_BLOCK_HOURS),
    "to": word(*ROLES),
    "urgency": word("now", "digest"),
    "profile": shapes.text(_WORD, "a-z, 0-9, -"),
    "stage": shapes.text(_WORD, "a-z, 0-9, -"),
    "text": short(2_000),
}
"""What an argument looks like that is no variable; ``value`` always is one."""


def literal(name: str, given: str | int, path: Path) -> Iterator[Finding]:
    """Yield what is wrong with an argument that is no variable."""
    yield from shapes.ours(WORDS[name])(given, path)


def read(entry: Mapping[str, object]) -> Duty:
    """Return what a checked entry of the extension says."""
    deadline, wait = entry.get("deadline"), entry.get("wait")
    return Duty(
        title=str(entry.get("title", "")),
        role=str(entry.get("role", "")),
        deadline=_deadline(deadline) if isinstance(deadline, dict) else None,
        questions=msgspec.convert(entry.get("questions", {}), dict[str, Question]),
        revert=str(entry.get("revert", "")),
        approvals=_count(entry.get("approvals"), 0),
        arguments=_arguments(entry.get("arguments")),
        max_rounds=_count(entry.get("max_rounds"), 100),
        sums=msgspec.convert(entry.get("sums", {}), dict[str, Sum]),
        wait=_deadline(wait) if isinstance(wait, dict) else None,
    )


def answer(question: Question, kind: str, given: object) -> Value:
    """Return an answer as a value of a variable of type ``kind``; raise Refused where it is none.

    Yes, no and unknown are told apart in English and German and kept in English.
    """
    if question.kind == "yes-no-unknown":
        told = _YES_NO.get(str(given).strip().lower())
        if told is None:
            raise errors.Refused("The answer is yes, no or unknown.")
        return told
    if question.kind == "choice" and given not in question.choices:
        raise errors.Refused("The answer is none of the choices.")
    return variables.value(kind, given)


def _deadline(entry: Mapping[str, str]) -> Deadline:
    match = _DURATION.match(entry["within"])
    parts = match.groups(default="0") if match else ("0",) * 4
    months, days, hours, minutes = map(int, parts)
    since = msgspec.convert(entry.get("from", "step"), Since)
    return Deadline(months, (days * 24 + hours) * 60 + minutes, since)


def _count(given: object, default: int) -> int:
    return int(given) if isinstance(given, int | float) else default


def _arguments(entries: object) -> dict[str, str | int]:
    if not isinstance(entries, dict):
        return {}
    return {
        name: int(given) if isinstance(given, int | float) else given
        for name, given in entries.items()
    }
