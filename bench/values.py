"""What the counties of the bench push: indicators of four kinds, numbered, all different."""

import hashlib
import ipaddress
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from cybercoop.sharing import marking

GREEN = (marking.TLP2["green"],)
DAY_ONE = "2025-12-01T08:00:00.000Z"
ROUND = 5
"""Numbers that are equal modulo this have the same kind of value."""

encode = msgspec.json.Encoder().encode


def pattern(number: int) -> str:
    """Return pattern ``number``: two domains, an address, a URL and a hash in turn."""
    match number % ROUND:
        case 0 | 1:
            return f"[domain-name:value = 'x{number:07x}.cybercoop-bench.net']"
        case 2:
            return f"[ipv4-addr:value = '{ipaddress.IPv4Address(0x0B000000 + number)}']"
        case 3:
            return f"[url:value = 'http://x{number:07x}.cybercoop-bench.net/login/{number}']"
        case _:
            digest = hashlib.sha256(str(number).encode()).hexdigest()
            return f"[file:hashes.'SHA-256' = '{digest}']"


def given_id(county: str, number: int) -> str:
    """Return the id that a county gave its indicator ``number``."""
    seed = hashlib.blake2b(f"{county}|{number}".encode(), digest_size=16).digest()
    return f"indicator--{uuid.UUID(bytes=seed, version=4)}"


def indicator(county: str, number: int, marks: Sequence[str] = GREEN) -> bytes:
    """Return indicator ``number`` as a county writes it, with what usual feeds carry."""
    body: dict[str, Any] = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": given_id(county, number),
        "created": DAY_ONE,
        "modified": DAY_ONE,
        "name": f"Fund {number}",
        "description": "Aus der Auswertung der eigenen Protokolle; Verbindung blockiert.",
        "indicator_types": ["malicious-activity"],
        "pattern": pattern(number),
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": DAY_ONE,
        "kill_chain_phases": [
            {"kill_chain_name": "lockheed-martin-cyber-kill-chain", "phase_name": "delivery"}
        ],
        "labels": ["phishing"],
        "confidence": 60,
        "object_marking_refs": list(marks),
    }
    return encode(body)


def envelope(objects: Iterable[bytes]) -> bytes:
    """Return a TAXII envelope of these exact bytes."""
    return b'{"objects":[' + b",".join(objects) + b"]}"
