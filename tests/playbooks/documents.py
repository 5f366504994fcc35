"""Documents to check: the public ones, one of each kind of step, and broken ones made of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
from hypothesis import strategies as st

SCHEMAS = "https://raw.githubusercontent.com/oasis-open/cacao-json-schemas/main/schemas/"
HERE = Path(__file__).resolve().parents[2]
OURS = sorted((HERE / "playbooks").glob("*.json"))


def number(at: int) -> str:
    """Return the UUID of the test thing with this number."""
    return f"00000000-0000-4000-8000-{at:012d}"


def oracle(data: Path) -> Any:
    """Return the published schemas as one validator that asks nobody else."""
    folder = data / "oasis-open__cacao-json-schemas" / "schemas"
    resources = []
    for file in folder.rglob("*.json"):
        schema = json.loads(file.read_text())
        resources.append((schema["$id"], schema))
    registry = jsonschema_rs.Registry(resources, draft=jsonschema_rs.Draft7)
    entry = json.loads((folder / "playbook.json").read_text())
    return jsonschema_rs.Draft7Validator(entry, registry=registry)


def rich() -> dict[str, Any]:
    """Return a document in which about everything occurs that the standard knows."""
    moment = "2026-01-31T08:30:00Z"
    identity = f"identity--{number(1)}"
    reference = {"name": "Quelle", "url": "https://example.org/", "external_id": "1"}
    party = {"name": "x", "location": {"region": "europe", "city": "y"}}
    address = {
        "url": ["https://host.test/"],
        "ipv4": ["192.0.2.1"],
        "ipv6": ["2001:db8::1"],
        "vlan": [5],
        "l2mac": ["00:00:5e:00:53:01"],
        "dname": ["host.example"],
    }
    reached = party | {"address": address, "category": ["server"]}
    contact = {"email": {"work": "it@example.org"}, "phone": {}, "contact_details": "z"}
    return {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": f"playbook--{number(1)}",
        "name": "Alles",
        "description": "Text",
        "playbook_types": ["mitigation"],
        "playbook_activities": ["restrict-access"],
        "playbook_processing_summary": {"if_logic": True},
        "created_by": identity,
        "created": moment,
        "modified": moment,
        "revoked": False,
        "valid_from": moment,
        "valid_until": "2027-01-31T08:30:00.5Z",
        "derived_from": [f"playbook--{number(2)}"],
        "priority": 3,
        "severity": 50,
        "labels": ["a"],
        "external_references": [reference],
        "playbook_variables": {
            "__wert__": {"type": "ipv4-addr", "external": True},
            "__anzahl__": {"type": "integer", "value": "3"},
            "__leer__": {"type": "string", "value": None, "constant": False, "external": True},
        },
        "workflow_start": f"start--{number(1)}",
        "workflow_exception": f"end--{number(9)}",
        "workflow": _steps(),
        "agent_definitions": {
            f"group--{number(1)}": party | {"type": "group", "contact": contact},
            f"organization--{number(1)}": party | {"type": "organization", "contact": contact},
            f"individual--{number(1)}": party | {"type": "individual"},
            f"sector--{number(1)}": party | {"type": "sector", "sector": "government"},
            f"location--{number(1)}": party | {"type": "location", "logical": ["dmz"]},
        },
        "target_definitions": {
            f"http-api--{number(1)}": reached | {"type": "http-api", "port": "443"},
            f"ssh--{number(1)}": reached
            | {"type": "ssh", "authentication_info": f"user-auth--{number(1)}"},
            f"linux--{number(1)}": reached | {"type": "linux"},
            f"net-address--{number(1)}": reached | {"type": "net-address"},
            f"security-category--{number(1)}": party
            | {"type": "security-category", "category": ["firewall"]},
        },
        "authentication_info_definitions": {
            f"user-auth--{number(1)}": {"type": "user-auth", "username": "u", "password": ""},
            f"http-basic--{number(1)}": {"type": "http-basic", "user_id": "u", "kms": True},
            f"oauth2--{number(1)}": {"type": "oauth2", "oauth_header": "h", "token": ""},
        },
        "data_marking_definitions": {
            f"marking-tlp--{number(1)}": {
                "type": "marking-tlp",
                "id": f"marking-tlp--{number(1)}",
                "created_by": identity,
                "created": moment,
                "tlpv2_level": "TLP:GREEN",
            },
            f"marking-statement--{number(1)}": {
                "type": "marking-statement",
                "id": f"marking-statement--{number(1)}",
                "created_by": identity,
                "created": moment,
                "statement": "frei",
            },
        },
        "markings": [f"marking-tlp--{number(1)}"],
        "extension_definitions": {
            f"extension-definition--{number(1)}": {
                "type": "extension-definition",
                "name": "x",
                "created_by": identity,
                "schema": "y",
                "version": "1",
            }
        },
        "signatures": [
            {
                "type": "jss",
                "id": f"jss--{number(1)}",
                "created": moment,
                "modified": moment,
                "signee": "Z",
                "related_to": f"playbook--{number(1)}",
                "related_version": moment,
                "hash_algorithm": "sha-256",
                "algorithm": "Ed25519",
                "thumbprint": "t",
                "value": "v",
            }
        ],
    }


def _steps() -> dict[str, Any]:
    group = f"group--{number(1)}"

    def end(at: int) -> str:
        return f"end--{number(at)}"

    def act(**more: Any) -> dict[str, Any]:
        said = {"type": "manual", "command": "Prüfen Sie __wert__:value."}
        return {"type": "action", "commands": [said], "agent": group} | more

    return {
        f"start--{number(1)}": {"type": "start", "on_completion": f"action--{number(1)}"},
        f"action--{number(1)}": act(
            name="Ask",
            on_success=f"parallel--{number(1)}",
            on_failure=end(1),
            in_args=["__wert__"],
            out_args=["__leer__"],
            timeout=60_000,
            delay=5,
        ),
        f"parallel--{number(1)}": {
            "type": "parallel",
            "next_steps": [f"action--{number(2)}", f"playbook-action--{number(1)}"],
            "on_completion": f"if-condition--{number(1)}",
        },
        f"action--{number(2)}": act(on_completion=end(2)),
        end(2): {"type": "end"},
        f"playbook-action--{number(1)}": {
            "type": "playbook-action",
            "playbook_id": f"playbook--{number(5)}",
            "in_args": ["__wert__"],
            "on_completion": end(3),
        },
        end(3): {"type": "end"},
        f"if-condition--{number(1)}": {
            "type": "if-condition",
            "condition": "__anzahl__:value > 2 AND NOT (__leer__ = 'x')",
            "on_true": f"action--{number(3)}",
            "on_false": end(5),
            "on_completion": f"while-condition--{number(1)}",
        },
        f"action--{number(3)}": act(on_completion=end(4)),
        end(4): {"type": "end"},
        end(5): {"type": "end"},
        f"while-condition--{number(1)}": {
            "type": "while-condition",
            "condition": "__leer__ != 'fertig'",
            "on_true": f"action--{number(4)}",
            "on_completion": f"switch-condition--{number(1)}",
        },
        f"action--{number(4)}": act(on_completion=end(6), out_args=["__leer__"]),
        end(6): {"type": "end"},
        f"switch-condition--{number(1)}": {
            "type": "switch-condition",
            "switch": "__leer__:value",
            "cases": {"ja": f"action--{number(5)}", "default": end(8)},
            "on_completion": end(1),
        },
        f"action--{number(5)}": act(on_completion=end(7)),
        end(7): {"type": "end"},
        end(8): {"type": "end"},
        end(1): {"type": "end"},
        end(9): {"type": "end"},
    }


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield where something stands in a document."""
    yield path
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from places(inside, (*path, key))
    elif isinstance(value, list):
        for at, inside in enumerate(value):
            yield from places(inside, (*path, at))


def changed(document: Any, path: tuple[str | int, ...], how: Any) -> Any:
    """Return the document in which ``how`` was done to what holds the last part of ``path``."""
    if len(path) == 1:
        copy = document.copy()
        how(copy, path[0])
        return copy
    copy = document.copy()
    copy[path[0]] = changed(document[path[0]], path[1:], how)
    return copy


TEXTS = st.one_of(
    st.sampled_from(
        [
            *("", "x", "a b", "YQ==", "YQ", "YR==", "playbook", "end", "manual", "block"),
            *("2026-02-31T08:30:00Z", "2026-01-31T08:30:60.1Z", "2026-01-31T08:30:00Z\n", "europe"),
            *(f"end--{number(1)}", f"x-action--{number(1)}", f"end--{number(1)}\n", "e--x"),
            *(f"playbook-action--{number(1)}", "1.2.3.4", "x256.1.1.1", "::", "1::2", "fe80:%1"),
            *("::ffff:1.2.3.4", "a.de", "ab.dex", "ab.deé", "0:0:0:0:0:0:0:0"),
            *("__x__", "__x__:value", "TLP:RED"),
        ]
    ),
    st.text(max_size=8),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5000),
    st.sampled_from([1.0, 0.5, -1.0, 100.0]),
    TEXTS,
    st.just([]),
    st.just({}),
    st.lists(TEXTS, max_size=2),
    st.dictionaries(TEXTS, TEXTS, max_size=2),
)
NAMES = st.one_of(
    st.sampled_from(
        [
            *("type", "name", "signature", "value", "on_completion", "on_failure", "on_true"),
            *("thumbprint", "cert_url", "public_cert_chain", "extra", "timeout", "delay", "agent"),
            *(f"action--{number(7)}", f"soarca--{number(7)}", "__neu__", "kms", "contact", "port"),
        ]
    ),
    TEXTS,
)


def broken(document: dict[str, Any], chance: st.DataObject, times: int) -> dict[str, Any]:
    """Return the document after some changes: taken out, replaced, renamed, added or doubled."""
    for _ in range(times):
        path = chance.draw(st.sampled_from([place for place in places(document) if place]))
        act = chance.draw(st.sampled_from([_drop, _put(chance), _add(chance), _double]))
        document = changed(document, path, act)
    return document


def _drop(holder: Any, key: Any) -> None:
    del holder[key]


def _put(chance: st.DataObject) -> Any:
    value = chance.draw(LEAVES)

    def put(holder: Any, key: Any) -> None:
        holder[key] = value

    return put


def _add(chance: st.DataObject) -> Any:
    name, value = chance.draw(NAMES), chance.draw(LEAVES)

    def add(holder: Any, key: Any) -> None:
        if isinstance(holder, dict):
            holder[name] = value
        else:
            holder.insert(key, value)

    return add


def _double(holder: Any, key: Any) -> None:
    """Say the same again: a second item, or a value in a list of one."""
    if isinstance(holder, list):
        holder.append(holder[key])
    else:
        holder[key] = [holder[key]]
