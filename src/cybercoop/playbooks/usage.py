"""Whether everything that a playbook uses is there and fits: variables, agents, targets, duties."""

from collections.abc import Iterator, Mapping

from cybercoop.playbooks import conditions, contents, duties, templates
from cybercoop.playbooks.duties import ANSWERS, ARGUMENTS, EXTENSION, YES_NO, Question, Sum
from cybercoop.playbooks.findings import Finding, Path, found
from cybercoop.playbooks.steps import Action, AnyStep, Call, If, Playbook, Switch, While
from cybercoop.playbooks.variables import NUMBERS, Variable

FEWEST_CHOICES, MOST_CHOICES = 2, 20

Scope = Mapping[str, Variable]


def check(playbook: Playbook) -> Iterator[Finding]:
    """Yield what is used and not there, not needed and there, or of the wrong type."""
    given = {name for name, one in playbook.variables.items() if _has_value(one)}
    for step in playbook.steps.values():
        given.update(_out_args(step))
    for name in templates.names(playbook.description):
        if name not in playbook.variables:
            yield found("undeclared", ("description",), name=name)
    for step in playbook.steps.values():
        scope = {**playbook.variables, **step.variables}
        yield from _scope(playbook, step)
        yield from _variables(step, scope, given)
        yield from _conditions(step, scope)
        yield from _duty(step, scope)
        yield from _sums(playbook, step, scope)
        if isinstance(step, Action):
            yield from _parties(playbook, step)
    for target in [*playbook.targets.values(), *playbook.agents.values()]:
        yield from _login(playbook, target.id, target.login)


def _has_value(variable: Variable) -> bool:
    return variable.value is not None or variable.is_external


def _out_args(step: AnyStep) -> tuple[str, ...]:
    return step.out_args if isinstance(step, Action | Call) else ()


def _scope(playbook: Playbook, step: AnyStep) -> Iterator[Finding]:
    for name in step.variables:
        if name in playbook.variables:
            yield found("shadows", ("workflow", step.id, "step_variables", name))


def _reads(step: AnyStep) -> Iterator[tuple[Path, str]]:
    """Yield the variables that a step reads, each with where."""
    yield from ((("name",), name) for name in templates.names(step.name))
    yield from ((("description",), name) for name in templates.names(step.description))
    for where, name in _ours(step):
        yield ("step_extensions", EXTENSION, *where), name
    if isinstance(step, Action):
        for at, command in enumerate(step.commands):
            texts = (command.text, command.description, command.content.decode(errors="replace"))
            for text in texts:
                yield from ((("commands", at), name) for name in templates.names(text))
    if isinstance(step, Action | Call):
        yield from ((("in_args", at), name) for at, name in enumerate(step.in_args))
    if isinstance(step, If | While):
        yield from ((("condition",), name) for name in conditions.names(step.condition))
    if isinstance(step, Switch):
        yield ("switch",), step.variable


def _ours(step: AnyStep) -> Iterator[tuple[Path, str]]:
    duty = step.duty
    yield from ((("title",), name) for name in templates.names(duty.title))
    for key, question in duty.questions.items():
        yield from ((("questions", key, "ask"), name) for name in templates.names(question.ask))
    for key, argument in duty.arguments.items():
        yield from ((("arguments", key), name) for name in templates.names(str(argument)))


def _variables(step: AnyStep, scope: Scope, given: set[str]) -> Iterator[Finding]:
    path, given = ("workflow", step.id), given | step.duty.sums.keys()
    for where, name in _reads(step):
        if name not in scope:
            yield found("undeclared", (*path, *where), name=name)
        elif name not in given and not _has_value(scope[name]):
            yield found("never-set", (*path, *where), "warning", name=name)
    for at, name in enumerate(_out_args(step)):
        if name not in scope:
            yield found("undeclared", (*path, "out_args", at), name=name)
        elif scope[name].is_constant:
            yield found("constant-changed", (*path, "out_args", at), name=name)


def _conditions(step: AnyStep, scope: Scope) -> Iterator[Finding]:
    path: Path = ("workflow", step.id)
    if isinstance(step, If | While):
        for one in conditions.comparisons(step.condition):
            kind = scope[one.name].kind if one.name in scope else ""
            if kind and not conditions.fits(one, kind):
                yield _incomparable((*path, "condition"), one.name, kind, one.literal)
    if isinstance(step, Switch) and step.variable in scope:
        kind = scope[step.variable].kind
        for case in step.cases:
            if not step.takes(case, kind):
                yield _incomparable((*path, "cases", case), step.variable, kind, case)


def _incomparable(path: Path, name: str, kind: str, literal: object) -> Finding:
    return found("bad-comparison", path, name=name, kind=kind, literal=literal)


def _duty(step: AnyStep, scope: Scope) -> Iterator[Finding]:
    duty, path = step.duty, ("workflow", step.id, "step_extensions", EXTENSION)
    own = {
        "questions": (bool(duty.questions), isinstance(step, Action)),
        "arguments": (bool(duty.arguments), isinstance(step, Action)),
        "revert": (bool(duty.revert), isinstance(step, Action)),
        "approvals": (bool(duty.approvals), isinstance(step, Action)),
        "deadline": (duty.deadline is not None, isinstance(step, Action)),
        "role": (bool(duty.role), isinstance(step, Action)),
        "sums": (bool(duty.sums), isinstance(step, If | While | Switch)),
        "wait": (duty.wait is not None, bool(duty.sums)),
    }
    for name, (is_there, may_be) in own.items():
        if is_there and not may_be:
            yield found("misplaced", (*path, name), name=name)
    if isinstance(step, Action):
        for name, question in duty.questions.items():
            yield from _question(step, name, question, scope)
        yield from _arguments(step, scope)


def _question(step: Action, name: str, question: Question, scope: Scope) -> Iterator[Finding]:
    path = ("workflow", step.id, "step_extensions", EXTENSION, "questions", name)
    if name not in step.out_args:
        yield found("not-asked", path, name=name)
    elif name in scope and scope[name].kind not in ANSWERS[question.kind]:
        yield found("question-type", path, name=question.kind, kind=scope[name].kind)
    fits = FEWEST_CHOICES <= len(set(question.choices)) <= MOST_CHOICES
    if fits != (question.kind == "choice") or (question.choices and question.kind != "choice"):
        yield found("no-choices", path)


def _sums(playbook: Playbook, step: AnyStep, scope: Scope) -> Iterator[Finding]:
    """Yield sums of what nobody asks, and those that do not fit the variable that holds them."""
    for name, one in step.duty.sums.items():
        path = ("workflow", step.id, "step_extensions", EXTENSION, "sums", name)
        asking = [other for other in playbook.steps.values() if one.of in other.duty.questions]
        questions = [other.duty.questions[one.of] for other in asking]
        if not asking:
            yield found("nobody-asks", (*path, "of"), name=one.of)
        if name not in scope:
            yield found("undeclared", path, name=name)
        elif scope[name].is_constant:
            yield found("constant-changed", path, name=name)
        else:
            kinds = {_kind(one.of, playbook.variables, other.variables) for other in asking}
            if not _holds(scope[name].kind, one, kinds):
                yield found("sum-type", path, name=one.of, kind=scope[name].kind)
        if one.answer and not all(_is_answer(one, question) for question in questions):
            yield found("sum-answer", (*path, "answer"), name=one.answer)


def _kind(name: str, *scopes: Scope) -> str:
    return next((scope[name].kind for scope in scopes if name in scope), "")


def _holds(kind: str, one: Sum, kinds: set[str]) -> bool:
    """Say whether a variable of this type can hold a sum of answers of those types."""
    if one.kind == "count":
        return kind in NUMBERS
    return kind in NUMBERS and kinds <= NUMBERS and (kind == "float" or "float" not in kinds)


def _is_answer(one: Sum, question: Question) -> bool:
    """Say whether counties can be counted that answer a question so."""
    choices = YES_NO if question.kind == "yes-no-unknown" else question.choices
    return one.kind == "count" and one.answer in choices


def _arguments(step: Action, scope: Scope) -> Iterator[Finding]:
    path = ("workflow", step.id, "step_extensions", EXTENSION, "arguments")
    ours = [command.kind for command in step.commands if command.kind in contents.OURS]
    known = ARGUMENTS[ours[0]] if ours else {}
    if ours and len(step.commands) > 1:
        yield found("several-commands", ("workflow", step.id, "commands"), name=ours[0])
    if "block" in ours and not step.duty.revert:
        yield found("no-revert", ("workflow", step.id))
    for name in known:
        if name not in step.duty.arguments:
            yield found("missing", path, name=name)
    for name, argument in step.duty.arguments.items():
        if name in known:
            yield from _argument(name, argument, known[name], scope, (*path, name))
        else:
            yield found("foreign-argument", (*path, name), name=name)


def _argument(
    name: str, argument: str | int, kinds: frozenset[str], scope: Scope, path: Path
) -> Iterator[Finding]:
    variable = templates.whole(argument) if isinstance(argument, str) and kinds else None
    if variable is None and name in duties.WORDS:
        yield from duties.literal(name, argument, path)
    elif variable is None:
        yield found("wrong-form", path, form="__name__:value")
    elif variable in scope and scope[variable].kind not in kinds:
        yield found("argument-type", path, kind=scope[variable].kind)


def _parties(playbook: Playbook, step: Action) -> Iterator[Finding]:
    path = ("workflow", step.id)
    if step.agent not in playbook.agents:
        yield found("unresolved-agent", (*path, "agent"), name=step.agent)
    for at, name in enumerate(step.targets):
        if name not in playbook.targets:
            yield found("unresolved-target", (*path, "targets", at), name=name)
    if any(command.kind in contents.REQUESTS for command in step.commands):
        parties = [playbook.targets.get(name) for name in step.targets]
        if not parties or not all(party is None or party.addresses for party in parties):
            yield found("no-target", path)


def _login(playbook: Playbook, target: str, login: str) -> Iterator[Finding]:
    if login and login not in playbook.logins:
        place = "target_definitions" if target in playbook.targets else "agent_definitions"
        yield found("unresolved-secret", (place, target, "authentication_info"), name=login)
