"""Say in a plain sentence what the schema library found wrong, and with which field."""

import re

from cybercoop import errors

_KINDS = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "an integer",
    "null": "null",
    "object": "an object",
    "str": "a text",
}
_SENTENCES = [
    (r"Expected (?:array|object) of length >= 1", "It is empty, which STIX does not allow."),
    (r"Expected (?:array|object) of length <= (\d+)", "It has more than {0} items."),
    (r"Expected str of length >= 1", "The text is empty."),
    (r"Expected str of length <= (\d+)", "The text is longer than {0} characters."),
    (r"Expected str matching regex .*--.*", "The id is not of the right type and form."),
    (r"Expected str matching regex .*", "The text does not have the right form."),
    (r"Expected (?:int|float) <= (\S+)", "The number is greater than {0}."),
    (r"Expected (?:int|float) >= (\S+)", "The number is less than {0}."),
    (r"Invalid enum value .*", "The value is not among those that STIX knows."),
]
_WRONG_KIND = re.compile(r"Expected (\w+), got (\w+)")
_MISSING = re.compile(r"Object missing required field (.*)")


def explain(message: str) -> errors.Refused:
    """Return the refusal that a validation message of msgspec stands for."""
    what, _, where = message.replace("`", "").partition(" - at ")
    field = where.partition("$")[2].lstrip(".")
    if missing := _MISSING.fullmatch(what):
        field = f"{field}.{missing[1]}" if field else missing[1]
        return errors.Refused("A required property is missing.", field)
    if wrong := _WRONG_KIND.fullmatch(what):
        expected, got = (_KINDS.get(kind, kind) for kind in wrong.groups())
        return errors.Refused(f"The value is {got} and should be {expected}.", field)
    for pattern, sentence in _SENTENCES:
        if found := re.fullmatch(pattern, what, re.DOTALL):
            return errors.Refused(sentence.format(*found.groups()), field)
    return errors.Refused(what.rstrip(".") + ".", field)
