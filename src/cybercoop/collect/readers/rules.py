"""Rules of detection: YARA, Sigma, Snort and Suricata, each rule as one pattern.

A rule is cut out and never run; what it means is for the tool that it was written for.
"""

import re
from collections.abc import Iterator, Sequence

from cybercoop.collect.readers import _documents
from cybercoop.collect.reading import (
    LINE_LIMIT,
    Found,
    Given,
    Options,
    Passed,
    bad,
    lines,
)

NAME = "rules"
TITLE = {
    "de": "Regeln: YARA, Sigma, Snort oder Suricata",
    "en": "Rules: YARA, Sigma, Snort or Suricata",
}
PREVIEW = False

_RULE_LINES = 5000
_LINES_TO_BRACE = 20
_YARA = re.compile(r"(?:(?:private|global)\s+){0,2}rule\s+(\w{1,128})\b").match
_IMPORT = re.compile(r'(?:import|include)\s+"([^"]*)"').match
_ACTION = re.compile(
    r"(?:alert|log|pass|drop|reject|sdrop|rejectsrc|rejectdst|rejectboth)\s+[a-z0-9-]+\s+\S.*\("
).match
_MESSAGE = re.compile(r'\bmsg\s*:\s*"((?:[^"\\]|\\.)*)"').search
_SURICATA = re.compile(
    r"\b(?:http|dns|tls|ja3|ja4|ssh|smb|file|krb5|quic|sip)\.[a-z_]+\s*;|\bapp-layer-|\bdataset\s*:"
    r"|\balert\s+(?:dns|tls|ssh|smb|http2|krb5|quic)\s"
).search
_SIGMA = re.compile(r"^(?:detection|logsource)\s*:", re.MULTILINE).findall
_SIGMA_TITLE = re.compile(r"^title\s*:\s*(.+)$", re.MULTILINE).search
# A brace within a text, a regular expression or a remark neither opens nor closes a rule. What is
# not closed goes on to the end of the line, so that nothing is searched twice.
_SILENT = re.compile(
    r'"(?:[^"\\]|\\.)*"?|//.*|/\*.*?(?:\*/|\Z)|(?:(?<=[=(,])\s*|matches\s+)/(?:[^/\\]|\\.)+/?'
).sub
_OPEN_REMARK = "\0"


def sureness(name: str, head: str) -> int:
    """Return 97 for text in which a rule begins where rules do."""
    if name.endswith((".yml", ".yaml")):
        return 97 if len(set(_SIGMA(head))) > 1 else 0
    begun = [line.lstrip() for line in head.splitlines()]
    return 97 if any(_ACTION(line) or _is_yara(line, begun) for line in begun) else 0


def read(given: Given, options: Options) -> Iterator[Found]:
    """Yield every rule as a pattern with its name; remarks between rules are passed."""
    del options
    if given.name.lower().endswith((".yml", ".yaml")):
        return _sigma(given)
    return _rules(given)


def _is_yara(line: str, text: Sequence[str]) -> bool:
    return bool(_YARA(line)) and any("condition" in one for one in text)


def _sigma(given: Given) -> Iterator[Found]:
    """Yield the one rule of a file; several are parted by three hyphens."""
    rule: list[str] = []
    first = 1
    for number, line in enumerate((*lines(given), "---"), 1):
        if line.rstrip() != "---":
            rule.append(line)
            continue
        text = "\n".join(rule)
        where = f"lines {first} to {number}"
        if text.strip():
            title = _SIGMA_TITLE(text)
            name = title[1].strip("'\" ") if title else ""
            yield _documents.pattern(where, text, "sigma", name=name)
        else:
            yield Passed(where, "blank")
        rule, first = [], number + 1


def _rules(given: Given) -> Iterator[Found]:
    imports: list[str] = []
    numbered = enumerate(lines(given), 1)
    remark = False
    for number, line in numbered:
        where, text = f"line {number}", line.strip()
        if len(line) > LINE_LIMIT:
            yield bad(where, line, f"The line is longer than {LINE_LIMIT} characters.")
        elif remark or text.startswith(("#", "//", "/*")):
            remark = _goes_on(text, remark=remark)
            yield Passed(where, "comment")
        elif not text:
            yield Passed(where, "blank")
        elif _IMPORT(text):
            imports.append(text)
            yield Passed(where, "import of a YARA module")
        elif _YARA(text):
            yield _yara(number, line, numbered, imports)
        elif _ACTION(text):
            yield _snort(number, line, numbered)
        else:
            yield bad(where, text, "The line is in no rule that is known here.")


def _goes_on(text: str, *, remark: bool) -> bool:
    """Say whether a remark of several lines is still open after this one."""
    if not remark and not text.startswith("/*"):
        return False
    return "*/" not in text


def _yara(
    first: int, line: str, numbered: Iterator[tuple[int, str]], imports: Sequence[str]
) -> Found:
    """Return a rule up to the brace that closes it, with the imports that it uses before it."""
    rule, last = [line], first
    name = _YARA(line.strip())
    depth, remark = _braces(line, 0, remark=False)
    most = _RULE_LINES if "{" in line else _LINES_TO_BRACE
    while (depth > 0 or most == _LINES_TO_BRACE) and len(rule) < most:
        following = next(numbered, None)
        if following is None:
            break
        last, line = following
        rule.append(line)
        depth, remark = _braces(line, depth, remark=remark)
        most = _RULE_LINES if "{" in line else most
    where = f"lines {first} to {last}" if last > first else f"line {first}"
    text = "\n".join(rule)
    if depth > 0 or most == _LINES_TO_BRACE:
        return bad(where, text, "The braces of the rule are not closed.")
    used = [one for one in imports if (module := _IMPORT(one)) and f"{module[1]}." in text]
    pattern = "\n".join((*used, text))
    return _documents.pattern(where, pattern, "yara", name=name[1] if name else "")


def _braces(line: str, depth: int, *, remark: bool) -> tuple[int, bool]:
    """Return how many braces are open after ``line``, and whether a remark is."""
    if remark:
        _, closed, line = line.partition("*/")
        if not closed:
            return depth, True
    text = _SILENT(_silenced, line)
    return depth + text.count("{") - text.count("}"), _OPEN_REMARK in text


def _silenced(found: re.Match[str]) -> str:
    is_open = found[0].startswith("/*") and not found[0].endswith("*/")
    return _OPEN_REMARK if is_open else ""


def _snort(first: int, line: str, numbered: Iterator[tuple[int, str]]) -> Found:
    rule, last = [line.strip()], first
    while rule[-1].endswith("\\") and len(rule) < _RULE_LINES:
        last, following = next(numbered, (last, ""))
        rule.append(following.strip())
    where = f"lines {first} to {last}" if last > first else f"line {first}"
    text = " ".join(part.removesuffix("\\").rstrip() for part in rule)
    if not text.endswith(")"):
        return bad(where, text, "The rule does not end with a closing parenthesis.")
    message = _MESSAGE(text)
    kind = "suricata" if _SURICATA(text) else "snort"
    return _documents.pattern(where, text, kind, name=message[1] if message else "")
