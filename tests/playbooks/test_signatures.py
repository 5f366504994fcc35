"""A signature counts when a pinned key made it for exactly this playbook; no other does."""

import base64
import hashlib
import json
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from cybercoop.errors import Misused
from cybercoop.playbooks import checking, signatures
from cybercoop.playbooks.signatures import Author, Pin
from cybercoop.stix import times
from playbooks.documents import broken, number, rich

NOW = times.micros("2026-02-01T12:00:00Z")
CHANCE = "5c0ffee0-0000-4000-8000-000000000000"
CENTER = Author(f"identity--{number(3)}", "Zentrum")
ED = ed25519.Ed25519PrivateKey.generate()
EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
PINS = [Pin("rsa", RSA.public_key()), Pin("ec", EC.public_key()), Pin("ed", ED.public_key())]


def plain() -> dict[str, Any]:
    return {key: value for key, value in rich().items() if key != "signatures"}


def signed(key: Any = ED) -> dict[str, Any]:
    return signatures.sign(plain(), key, CENTER, NOW, CHANCE)


def owners(document: dict[str, Any], pins: list[Pin] = PINS, now: int = NOW) -> list[str]:
    return [one.owner for one in signatures.check(document, pins, now)]


def reason(document: dict[str, Any], pins: list[Pin] = PINS, now: int = NOW) -> str:
    (one,) = signatures.check(document, pins, now)
    assert not one.owner
    return one.reason


def changed(**entry: Any) -> dict[str, Any]:
    document = signed()
    return document | {"signatures": [document["signatures"][0] | entry]}


@pytest.mark.parametrize(("key", "owner"), [(ED, "ed"), (EC, "ec")])
def test_what_was_signed_is_believed_and_still_fits_the_schema(key: Any, owner: str) -> None:
    document = signed(key)
    assert owners(document) == [owner]
    assert checking.check(json.dumps(document).encode()).playbook is not None


@pytest.mark.parametrize("name", ["RS256", "PS256"])
def test_signatures_of_others_are_made_as_the_standard_says(name: str) -> None:
    """Make a signature by the letter of the standard, without the code under test."""
    bare = signed()["signatures"][0] | {"algorithm": name, "thumbprint": "x"}
    del bare["public_key"], bare["value"]
    message = hashlib.sha256(rfc8785.dumps(plain() | {"signatures": [bare]})).hexdigest().encode()
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    made = RSA.sign(message, padding.PKCS1v15() if name == "RS256" else pss, hashes.SHA256())
    for value in (base64.urlsafe_b64encode(made), base64.urlsafe_b64encode(made).rstrip(b"=")):
        document = plain() | {"signatures": [bare | {"value": value.decode()}]}
        assert owners(document) == ["rsa"]
        other = {"RS256": "PS256", "PS256": "RS256"}[name]
        assert owners(
            plain() | {"signatures": [document["signatures"][0] | {"algorithm": other}]}
        ) == [""]


def test_a_key_that_comes_along_is_never_believed() -> None:
    document = signed(ed25519.Ed25519PrivateKey.generate())
    assert reason(document) == "No pinned key made this signature."
    assert reason(signed(), []) == "No pinned key made this signature."


def test_signatures_stand_beside_each_other() -> None:
    first = signed()
    second = signatures.sign(first, EC, CENTER, NOW, CHANCE)
    assert owners(second) == ["ed", "ec"]
    swapped = second | {"signatures": second["signatures"][::-1]}
    assert owners(swapped) == ["ec", "ed"]
    assert owners(second | {"name": "anders"}) == ["", ""]
    assert len(list(signatures.check(plain(), PINS, NOW))) == 0


@given(st.data())
def test_a_changed_playbook_has_no_signature(chance: st.DataObject) -> None:
    document = broken(plain(), chance, 1) | {"id": plain()["id"], "modified": plain()["modified"]}
    if document == plain():
        return
    try:
        rfc8785.dumps(document)
    except rfc8785.CanonicalizationError:
        return
    assert owners(document | {"signatures": signed()["signatures"]}) == [""]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"value": "AAAA"}, "No pinned key"),
        ({"value": ""}, "base64url"),
        ({"value": "A"}, "base64url"),
        ({"value": "a b"}, "base64url"),
        ({"value": "AB"}, "base64url"),
        ({"algorithm": "none"}, "made with"),
        ({"algorithm": "HS256"}, "made with"),
        ({"algorithm": "ES256"}, "No pinned key"),
        ({"hash_algorithm": "md5"}, "SHA-256"),
        ({"signee": "Jemand anders"}, "No pinned key"),
        ({"related_to": f"playbook--{number(9)}"}, "another playbook"),
        ({"related_version": "2026-01-31T08:30:01Z"}, "another playbook"),
        ({"revoked": True}, "revoked"),
        ({"valid_from": "2026-02-01T12:00:01Z"}, "not valid yet"),
        ({"valid_until": "2026-02-01T12:00:00Z"}, "no longer valid"),
        ({"valid_until": "2026-02-31T12:00:00Z"}, "does not exist"),
        ({"signature": {}}, "not checked"),
    ],
)
def test_a_signature_that_does_not_count_says_why(entry: dict[str, Any], said: str) -> None:
    assert said in reason(changed(**entry))


def test_a_signature_is_not_valid_before_it_was_made() -> None:
    assert "not valid yet" in reason(signed(), now=NOW - 1)
    assert owners(signed(), now=NOW) == ["ed"]


def pem(key: Any, password: bytes | None = None) -> bytes:
    hidden: Any = serialization.NoEncryption()
    if password:
        hidden = serialization.BestAvailableEncryption(password)
    made: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden
    )
    return made


def public_pem(key: Any) -> bytes:
    made: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return made


def test_keys_are_read_from_pem() -> None:
    for key in (ED, EC):
        read = signatures.private_key(pem(key))
        assert owners(signed(read)) == owners(signed(key))
        assert signatures.public_key(public_pem(key)) == key.public_key()
    assert signatures.public_key(public_pem(RSA)) == RSA.public_key()
    with pytest.raises(TypeError):
        signatures.private_key(pem(ED, b"geheim"))
    assert isinstance(signatures.private_key(pem(ED, b"geheim"), b"geheim"), type(ED))


@pytest.mark.parametrize(
    "key", [RSA, ec.generate_private_key(ec.SECP384R1())], ids=["rsa", "p-384"]
)
def test_other_keys_sign_nothing(key: Any) -> None:
    with pytest.raises(Misused):
        signatures.private_key(pem(key))


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),  # noqa: S505 - short on purpose
        ec.generate_private_key(ec.SECP384R1()),
    ],
    ids=["short rsa", "p-384"],
)
def test_weak_or_other_keys_are_not_pinned(key: Any) -> None:
    with pytest.raises(Misused):
        signatures.public_key(public_pem(key))
    with pytest.raises(Misused):
        signatures.public_key(b"nonsense")
    with pytest.raises(Misused):
        signatures.private_key(b"nonsense")
