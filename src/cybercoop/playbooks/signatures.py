"""Signatures of playbooks: made with a private key, believed only with a key that was pinned.

What is signed is the ASCII text of the hex SHA-256 of the canonical playbook, in which the new
signature stands alone and has no ``value`` yet (CACAO 2.0, appendix on signatures; reproduced
against the published example). ``value`` is base64url without padding. The key that a signature
brings along is never used: whoever can write a signature can write a key beside it.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from msgspec import Struct

from cybercoop import errors
from cybercoop.playbooks import documents
from cybercoop.playbooks.documents import Json
from cybercoop.stix import times

PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

ALGORITHMS = ("RS256", "ES256", "PS256", "Ed25519")

_LEAST_RSA_BITS = 2_048
_NEVER = "9999-12-31T23:59:59Z"
_HALF = 32  # bytes of each of the two numbers of ES256 (RFC 7518, section 3.4)
_HASH = hashes.SHA256()
_PSS = padding.PSS(padding.MGF1(_HASH), _HASH.digest_size)
_SHA256 = frozenset({"sha-256", "sha256"})
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")


class Pin(Struct, frozen=True):
    """Hold a key that the center trusts, and whose it is."""

    owner: str
    key: PublicKey


class Checked(Struct, frozen=True):
    """Hold what became of one signature: who signed it, or why it counts for nothing."""

    id: str
    signee: str
    owner: str = ""
    reason: str = ""


class Author(Struct, frozen=True):
    """Hold who signs: the identity as a STIX id, and the name that people read."""

    id: str
    name: str


def public_key(pem: bytes) -> PublicKey:
    """Return the public key that a PEM text holds; raise Misused where it is none we use."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise errors.Misused("The file is no public key in PEM form.") from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    raise errors.Misused("Pinned keys are Ed25519, P-256, or RSA of at least 2048 bits.")


def private_key(pem: bytes, password: bytes | None = None) -> PrivateKey:
    """Return the Ed25519 or P-256 key that a PEM text holds; raise Misused where it is none.

    Raises TypeError where the key is encrypted and there is no password.
    """
    try:
        key = serialization.load_pem_private_key(pem, password)
    except (ValueError, UnsupportedAlgorithm):
        msg = "The file is no private key in PEM form, or its password is another."
        raise errors.Misused(msg) from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise errors.Misused("Playbooks are signed with an Ed25519 or a P-256 key.")


def sign(document: Json, key: PrivateKey, author: Author, now: int, chance: str) -> Json:
    """Return the document with one more signature; ``chance`` is the new signature's UUID.

    Times are microseconds since 1970. Other signatures stay as they are.
    """
    algorithm = "Ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "ES256"
    moment = times.text(now)
    signature: Json = {
        "type": "jss",
        "id": f"jss--{chance}",
        "created_by": author.id,
        "created": moment,
        "modified": moment,
        "signee": author.name,
        "related_to": document["id"],
        "related_version": document["modified"],
        "hash_algorithm": "sha-256",
        "algorithm": algorithm,
        "public_key": base64.b64encode(_der(key.public_key())).decode(),
    }
    message = _message(document, signature)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        made = key.sign(message)
    else:
        first, second = utils.decode_dss_signature(key.sign(message, ec.ECDSA(_HASH)))
        made = first.to_bytes(_HALF) + second.to_bytes(_HALF)
    value = base64.urlsafe_b64encode(made).decode().rstrip("=")
    signatures = [*document.get("signatures", ()), signature | {"value": value}]
    return document | {"signatures": signatures}


def check(document: Json, pins: Iterable[Pin], now: int) -> Iterator[Checked]:
    """Yield what became of each signature of a document whose form was checked."""
    pinned = list(pins)
    for signature in document.get("signatures", ()):
        told = Checked(signature["id"], signature["signee"])
        try:
            owner = _owner(document, signature, pinned, now)
        except errors.Refused as refused:
            yield Checked(told.id, told.signee, reason=refused.reason)
        else:
            yield Checked(told.id, told.signee, owner)


def _owner(document: Json, signature: Json, pins: list[Pin], now: int) -> str:
    """Return whose pinned key made a signature; raise Refused where none did."""
    if signature["algorithm"] not in ALGORITHMS:
        raise errors.Refused(f"Signatures are made with {', '.join(ALGORITHMS)}.", "algorithm")
    if signature["hash_algorithm"].lower() not in _SHA256:
        raise errors.Refused("The hash of a signature is SHA-256.", "hash_algorithm")
    version = document["id"], document["modified"]
    if (signature["related_to"], signature["related_version"]) != version:
        raise errors.Refused("The signature belongs to another playbook or version.", "related_to")
    if "signature" in signature:
        raise errors.Refused("Signatures of signatures are not checked here.", "signature")
    _check_time(signature, now)
    made = _unpacked(signature["value"])
    bare = {name: value for name, value in signature.items() if name != "value"}
    message = _message(document, bare)
    for pin in pins:
        try:
            _verify(signature["algorithm"], pin.key, made, message)
        except InvalidSignature:
            continue
        return pin.owner
    raise errors.Refused("No pinned key made this signature.", "value")


def _check_time(signature: Json, now: int) -> None:
    try:
        begins = times.micros(signature.get("valid_from") or signature["created"])
        ends = times.micros(signature.get("valid_until") or _NEVER)
    except ValueError as error:
        raise errors.Refused(str(error), "valid_from") from None
    if signature.get("revoked"):
        raise errors.Refused("The signature was revoked.", "revoked")
    if now < begins:
        raise errors.Refused("The signature is not valid yet.", "valid_from")
    if ends <= now:
        raise errors.Refused("The signature is no longer valid.", "valid_until")


def _unpacked(value: str) -> bytes:
    if not _BASE64URL.fullmatch(value):
        raise errors.Refused("The signature is not base64url.", "value")
    bare = value.rstrip("=")
    try:
        made = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except ValueError:
        raise errors.Refused("The signature is not base64url.", "value") from None
    if base64.urlsafe_b64encode(made).decode().rstrip("=") != bare:
        raise errors.Refused("The signature is not base64url.", "value")
    return made


def _message(document: Json, signature: Json) -> bytes:
    whole = documents.canonical(document | {"signatures": [signature]})
    return hashlib.sha256(whole).hexdigest().encode("ascii")


def _der(key: PublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _verify(algorithm: str, key: PublicKey, made: bytes, message: bytes) -> None:
    """Return where the key made the signature in this way; raise InvalidSignature else."""
    match algorithm, key:
        case "RS256", rsa.RSAPublicKey() as one:
            one.verify(made, message, padding.PKCS1v15(), _HASH)
        case "PS256", rsa.RSAPublicKey() as one:
            one.verify(made, message, _PSS, _HASH)
        case "ES256", ec.EllipticCurvePublicKey() as one if len(made) == 2 * _HALF:
            halves = int.from_bytes(made[:_HALF]), int.from_bytes(made[_HALF:])
            one.verify(utils.encode_dss_signature(*halves), message, ec.ECDSA(_HASH))
        case "Ed25519", ed25519.Ed25519PublicKey() as one:
            one.verify(made, message)
        case _:
            raise InvalidSignature
