"""What a CACAO 2.0 document looks like, in our own words.

The verdict equals that of the published schemas read as draft-07, which is what they declare: their
``unevaluatedProperties`` says nothing there, so keys of unknown form are let pass and commands are
held against their common part only. Both are rules of ours, graded ``refused``.
"""

import re
from collections.abc import Iterator
from typing import Any

from cybercoop.playbooks import addresses, shapes
from cybercoop.playbooks.findings import Finding, Path, found
from cybercoop.playbooks.shapes import Form, boolean, either, integer, items, keyed, record, text

_UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
_ID = re.compile(rf"\A[a-z][a-z0-9-]+[a-z0-9]--{_UUID}\Z")
_TIME = re.compile(
    r"\A[0-9]{4}-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?Z\Z"
)
NAME = re.compile(r"\A__[a-zA-Z_][a-zA-Z0-9_-]{0,199}__\Z")
_CONTACT = re.compile(r"\A[a-zA-Z0-9_-]{0,250}\Z")
# The schema leaves playbook-action out of what a case may lead to, and does not look at the front.
_CASE = re.compile(
    rf"(?:action|end|if-condition|parallel|playbook|start|switch-condition|while-condition)--{_UUID}\Z"
)
_TEXT = text()
_TEXTS = items(_TEXT, 1)
_IDENTIFIER = text(_ID, "type--UUID")
_MOMENT = text(_TIME, "2026-01-31T08:30:00Z")
_REGIONS = (
    *("africa", "eastern-africa", "middle-africa", "northern-africa", "southern-africa"),
    *("western-africa", "americas", "caribbean", "central-america", "latin-america-caribbean"),
    *("northern-america", "south-america", "asia", "central-asia", "eastern-asia"),
    *("southern-asia", "south-eastern-asia", "western-asia", "europe", "eastern-europe"),
    *("northern-europe", "southern-europe", "western-europe", "oceania", "antarctica"),
    *("australia-new-zealand", "melanesia", "micronesia", "polynesia"),
)


def _named(kind: str) -> re.Pattern[str]:
    return re.compile(rf"\A{kind}--{_UUID}\Z")


def _texts(*names: str) -> dict[str, Form]:
    return dict.fromkeys(names, _TEXT)


def _kinds(forms: dict[str, Form], least: int = 0) -> Form:
    return keyed({_named(kind): form for kind, form in forms.items()}, least)


_EXTENSIONS = keyed({_named("extension-definition"): shapes.anything}, 1)
_REFERENCE = record(
    _texts("name", "description", "source", "url", "external_id", "reference_id"), "name"
)
_REFERENCES = items(_REFERENCE, 1)
_VARIABLE = record(
    {
        "type": _TEXT,
        "description": _TEXT,
        "value": either(shapes.null, _TEXT),
        "constant": boolean,
        "external": boolean,
    },
    "type",
)
_VARIABLES = keyed({NAME: _VARIABLE})
_LOCATION = record(
    {"region": shapes.word(*_REGIONS)}
    | _texts("name", "description", "building_details", "network_details", "country")
    | _texts("administrative_area", "city", "street_address", "postal_code", "latitude")
    | _texts("longitude", "precision")
)
_CONTACT_LIST = keyed({_CONTACT: _TEXT})
_CONTACTS = record({"email": _CONTACT_LIST, "phone": _CONTACT_LIST, "contact_details": _TEXT})

_PARTY: dict[str, Form] = {
    "type": _TEXT,
    "name": _TEXT,
    "description": _TEXT,
    "location": _LOCATION,
    "agent_target_extensions": _EXTENSIONS,
}
_REACHED: dict[str, Form] = {"authentication_info": _IDENTIFIER, "category": _TEXTS}


def _party(kind: str, more: dict[str, Form], *required: str) -> Form:
    return record(_PARTY | {"type": shapes.word(kind)} | more, "type", "name", *required)


def _reached(kind: str, **more: Form) -> Form:
    vlan = shapes.number if kind in {"linux", "net-address"} else integer
    return _party(kind, _REACHED | more | {"address": addresses.form(vlan(0, 4095))}, "address")


_PARTIES = {
    "group": _party("group", {"contact": _CONTACTS}),
    "individual": _party("individual", {"contact": _CONTACTS}),
    "organization": _party("organization", {"contact": _CONTACTS}),
    "location": _party("location", {"logical": _TEXTS}),
    "sector": _party("sector", {"sector": _TEXT}, "sector"),
    "security-category": _party("security-category", {"category": _TEXTS}, "category"),
    "http-api": _reached("http-api", port=_TEXT),
    "linux": _reached("linux", port=_TEXT),
    "ssh": _reached("ssh", port=_TEXT),
    # The schema of net-address knows no port and lets it pass; playbooks for WinRM name one.
    "net-address": _reached("net-address", port=shapes.ours(_TEXT)),
}
_PARTY_KEYS = [_named(kind) for kind in _PARTIES]
_FOREIGN_PARTY = shapes.ours(record(_PARTY, "type", "name"))


def _parties(value: Any, path: Path) -> Iterator[Finding]:
    """Take agents or targets; those of a type outside the vocabulary are kept and warned of."""
    if not isinstance(value, dict) or not value:
        yield from _kinds(_PARTIES, 1)(value, path)
        return
    foreign = [key for key in value if not any(one.search(key) for one in _PARTY_KEYS)]
    yield from _kinds(_PARTIES)({key: value[key] for key in value if key not in foreign}, path)
    for key in foreign:
        if _ID.search(key):
            yield found("unknown-agent-type", (*path, key), "warning", name=key)
            yield from _FOREIGN_PARTY(value[key], (*path, key))
        else:
            yield found("unknown-key", (*path, key), name=key)


def _command(value: Any, path: Path) -> Iterator[Finding]:
    """Take what all commands share; their own properties are ours to check, by type."""
    common: dict[str, Form] = {
        "type": _TEXT,
        "playbook_activity": _TEXT,
        "external_references": items(_REFERENCE),
    } | _texts("description", "version")
    kind = str(value.get("type")) if isinstance(value, dict) else ""
    for finding in record(common | _COMMANDS.get(kind, {}), "type")(value, path):
        # What a command has that nobody here knows is no second finding.
        if finding.rule != "unknown-property" or kind in _COMMANDS:
            yield finding


_SHELL: dict[str, Form] = {
    "command": shapes.ours(_TEXT),
    "command_b64": shapes.ours(shapes.base64_text),
}
_HTTP: dict[str, Form] = {
    "command": shapes.ours(_TEXT),
    "headers": shapes.ours(keyed({re.compile(""): items(_TEXT)})),
    "content": shapes.ours(_TEXT),
    "content_b64": shapes.ours(shapes.base64_text),
}
_COMMANDS: dict[str, dict[str, Form]] = {
    **dict.fromkeys(("manual", "bash", "ssh", "powershell"), _SHELL),
    **dict.fromkeys(("http-api", "openc2-http"), _HTTP),
    **{kind: {} for kind in ("block", "unblock", "notify", "report")},
}


def _step(kind: str, more: dict[str, Form], *required: str) -> Form:
    common = {
        "type": shapes.word(kind),
        "external_references": _REFERENCES,
        "delay": integer(least=1),
        "timeout": integer(),
        "step_variables": _VARIABLES,
        "step_extensions": _EXTENSIONS,
    }
    common |= _texts("name", "description")
    common |= dict.fromkeys(("owner", "on_completion", "on_success", "on_failure"), _IDENTIFIER)
    return record(common | more, "type", *required)


def _without(form: Form, *names: str) -> Form:
    def check(value: Any, path: Path) -> Iterator[Finding]:
        yield from form(value, path)
        for name in names:
            if isinstance(value, dict) and name in value:
                yield found("forbidden", path, "schema", name=name)

    return check


_ARGUMENTS = {"in_args": _TEXTS, "out_args": _TEXTS}
_BRANCH = {"condition": _TEXT, "on_true": _IDENTIFIER}
_CASES = keyed({re.compile(""): text(_CASE, "type--UUID")})
_ACTION = {"commands": items(_command, 1), "agent": _IDENTIFIER, "targets": items(_IDENTIFIER, 1)}
_CALL = {"playbook_id": _IDENTIFIER, "playbook_version": _MOMENT}
_STEPS = {
    "start": _without(_step("start", {}), "on_success", "on_failure"),
    "end": _without(_step("end", {}), "on_completion", "on_success", "on_failure"),
    "action": _step("action", _ACTION | _ARGUMENTS, "commands", "agent"),
    "playbook-action": _step("playbook-action", _CALL | _ARGUMENTS, "playbook_id"),
    "parallel": _step("parallel", {"next_steps": items(_IDENTIFIER, 2)}, "next_steps"),
    "if-condition": _step(
        "if-condition", _BRANCH | {"on_false": _IDENTIFIER}, "condition", "on_true"
    ),
    "while-condition": _step("while-condition", _BRANCH, "condition", "on_true"),
    "switch-condition": _step(
        "switch-condition", {"switch": _TEXT, "cases": _CASES}, "switch", "cases"
    ),
}

_LOGIN: dict[str, Form] = {
    "authentication_info_extensions": _EXTENSIONS,
    "kms": boolean,
} | _texts("name", "description", "kms_key_identifier")


def _login(kind: str, *names: str, required: tuple[str, ...] = ()) -> Form:
    return record(_LOGIN | {"type": shapes.word(kind)} | _texts(*names), "type", *required)


_LOGINS = {
    "http-basic": _login("http-basic", "user_id", "password"),
    "oauth2": _login("oauth2", "oauth_header", "token", required=("oauth_header", "token")),
    "user-auth": _login("user-auth", "username", "password"),
}

_MARKING: dict[str, Form] = {
    "id": _IDENTIFIER,
    "created_by": _IDENTIFIER,
    "created": _MOMENT,
    "revoked": boolean,
    "valid_from": _MOMENT,
    "valid_until": _MOMENT,
    "labels": _TEXTS,
    "external_references": _REFERENCES,
    "marking_extensions": _EXTENSIONS,
} | _texts("name", "description")
_IEP_TEXTS = (
    *("name", "description", "tlp", "encrypt_in_transit", "permitted_actions"),
    *("affected_party_notifications", "attribution", "unmodified_resale"),
)
_IEP: dict[str, Form] = _texts(*_IEP_TEXTS) | {
    "iep_version": integer(),
    "start_date": _MOMENT,
    "end_date": either(shapes.null, _MOMENT),
    # Two parts of the schema contradict each other here: no value fits, and so none does for us.
    "external_references": shapes.both(_REFERENCES, items(_TEXT)),
}
_LEVELS = ("TLP:RED", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:GREEN", "TLP:CLEAR")


def _marking(kind: str, more: dict[str, Form]) -> Form:
    needed = ("type", "id", "created_by", "created", *more)
    return record(_MARKING | {"type": shapes.word(kind)} | more, *needed)


_MARKINGS = {
    "marking-tlp": _marking("marking-tlp", {"tlpv2_level": shapes.word(*_LEVELS)}),
    "marking-statement": _marking("marking-statement", {"statement": _TEXT}),
    "marking-iep": _marking("marking-iep", _IEP),
}

_KEYS = ("public_key", "public_cert_chain", "cert_url", "thumbprint")
_SIGNED = (
    *("type", "id", "created", "modified", "signee", "related_to", "related_version"),
    *("hash_algorithm", "algorithm", "value"),
)


def _signature(value: Any, path: Path) -> Iterator[Finding]:
    """Take a signature, which may carry another one."""
    forms: dict[str, Form] = {
        "type": shapes.word("jss"),
        "id": _IDENTIFIER,
        "revoked": boolean,
        "public_cert_chain": _TEXTS,
        "related_to": _IDENTIFIER,
        "created_by": _IDENTIFIER,
        "signature": _signature,
    }
    times = ("created", "modified", "valid_from", "valid_until", "related_version")
    forms |= dict.fromkeys(times, _MOMENT)
    forms |= _texts("signee", "hash_algorithm", "algorithm", "public_key", "cert_url")
    forms |= _texts("thumbprint", "value")
    yield from record(forms, *_SIGNED)(value, path)
    if isinstance(value, dict) and sum(name in value for name in _KEYS) != 1:
        yield found("one-key", path, "schema", words=", ".join(_KEYS))


_DEFINITION = record(
    {"type": shapes.word("extension-definition"), "created_by": _IDENTIFIER}
    | {"external_references": items(_REFERENCE)}
    | _texts("name", "description", "schema", "version"),
    *("type", "name", "created_by", "schema", "version"),
)
_SUMMARY = (
    *("manual_playbook", "external_playbooks", "parallel_processing", "if_logic", "while_logic"),
    *("switch_logic", "temporal_logic", "data_markings", "digital_signatures"),
    *("countersigned_signatures", "extensions"),
)
_PERCENT = integer(0, 100)
_PLAYBOOK = record(
    {
        "type": shapes.word("playbook"),
        "spec_version": shapes.word("cacao-2.0"),
        "playbook_types": items(_TEXT),
        "playbook_processing_summary": record(dict.fromkeys(_SUMMARY, boolean)),
        "revoked": boolean,
        "external_references": _REFERENCES,
        "playbook_variables": _VARIABLES,
        "workflow": _kinds(_STEPS),
        "playbook_extensions": _EXTENSIONS,
        "authentication_info_definitions": _kinds(_LOGINS, 1),
        "agent_definitions": _parties,
        "target_definitions": _parties,
        "extension_definitions": _kinds({"extension-definition": _DEFINITION}),
        "data_marking_definitions": _kinds(_MARKINGS),
        "signatures": items(_signature, 1),
    }
    | _texts("name", "description")
    | dict.fromkeys(("created", "modified", "valid_from", "valid_until"), _MOMENT)
    | dict.fromkeys(("id", "created_by", "workflow_start", "workflow_exception"), _IDENTIFIER)
    | dict.fromkeys(("derived_from", "related_to", "markings"), items(_IDENTIFIER, 1))
    | dict.fromkeys(("playbook_activities", "industry_sectors", "labels"), _TEXTS)
    | dict.fromkeys(("priority", "severity", "impact"), _PERCENT),
    *("type", "spec_version", "id", "name", "created_by", "created", "modified"),
    *("workflow_start", "workflow"),
)


def check(document: Any) -> Iterator[Finding]:
    """Yield what is wrong with the form of a document, in its order."""
    yield from _PLAYBOOK(document, ())
