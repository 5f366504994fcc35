"""Cyber-observable objects of STIX 2.1 (section 6). They have no versions."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from cybercoop import errors
from cybercoop.stix.fields import (
    Base64,
    Common,
    Hex,
    Name,
    Natural,
    Open,
    OptBool,
    OptHashes,
    OptInt,
    OptName,
    OptNatural,
    OptOpen,
    OptRef,
    OptRefs,
    OptText,
    OptTexts,
    OptTime,
    OptWord,
    Port,
    Word,
    in_order,
    need_one,
)

_Some = Meta(min_length=1, max_length=1_000)
_Address = Annotated[str, Meta(min_length=1, max_length=1_000)]


class Artifact(Common, kw_only=True, gc=False):
    """Section 6.1."""

    mime_type: OptText = UNSET
    payload_bin: Base64 | UnsetType = UNSET
    url: OptText = UNSET
    hashes: OptHashes = UNSET
    encryption_algorithm: OptWord = UNSET
    decryption_key: OptText = UNSET

    def _obey(self) -> None:
        need_one(self, "payload_bin", "url")
        if self.payload_bin is not UNSET and self.url is not UNSET:
            raise errors.Refused("Only one of payload_bin and url may be there.", "url")
        if self.url is not UNSET:
            need_one(self, "hashes")


class AutonomousSystem(Common, kw_only=True, gc=False):
    """Section 6.2."""

    number: Natural
    name: OptName = UNSET
    rir: OptText = UNSET


class Directory(Common, kw_only=True, gc=False):
    """Section 6.3."""

    path: str
    path_enc: OptWord = UNSET
    ctime: OptTime = UNSET
    mtime: OptTime = UNSET
    atime: OptTime = UNSET
    contains_refs: OptRefs = UNSET


class DomainName(Common, kw_only=True, gc=False):
    """Section 6.4."""

    value: _Address
    resolves_to_refs: OptRefs = UNSET


class EmailAddr(Common, kw_only=True, gc=False):
    """Section 6.5."""

    value: _Address
    display_name: OptText = UNSET
    belongs_to_ref: OptRef = UNSET


class MimePart(Struct):
    """Section 6.6.2."""

    body: OptText = UNSET
    body_raw_ref: OptRef = UNSET
    content_type: OptText = UNSET
    content_disposition: OptText = UNSET


class EmailMessage(Common, kw_only=True, gc=False):
    """Section 6.6."""

    is_multipart: bool
    date: OptTime = UNSET
    content_type: OptText = UNSET
    from_ref: OptRef = UNSET
    sender_ref: OptRef = UNSET
    to_refs: OptRefs = UNSET
    cc_refs: OptRefs = UNSET
    bcc_refs: OptRefs = UNSET
    message_id: OptText = UNSET
    subject: OptText = UNSET
    received_lines: OptTexts = UNSET
    additional_header_fields: OptOpen = UNSET
    body: OptText = UNSET
    body_multipart: Annotated[list[MimePart], _Some] | UnsetType = UNSET
    raw_email_ref: OptRef = UNSET

    def _obey(self) -> None:
        if self.is_multipart and self.body is not UNSET:
            raise errors.Refused("A multipart message has no single body.", "body")
        if not self.is_multipart and self.body_multipart is not UNSET:
            raise errors.Refused("Only a multipart message has several parts.", "body_multipart")


class File(Common, kw_only=True, gc=False):
    """Section 6.7."""

    hashes: OptHashes = UNSET
    size: OptNatural = UNSET
    name: OptName = UNSET
    name_enc: OptWord = UNSET
    magic_number_hex: Hex | UnsetType = UNSET
    mime_type: OptText = UNSET
    ctime: OptTime = UNSET
    mtime: OptTime = UNSET
    atime: OptTime = UNSET
    parent_directory_ref: OptRef = UNSET
    contains_refs: OptRefs = UNSET
    content_ref: OptRef = UNSET

    def _obey(self) -> None:
        need_one(self, "hashes", "name")


class IPAddr(Common, kw_only=True, gc=False):
    """Sections 6.8 and 6.9."""

    value: _Address
    resolves_to_refs: OptRefs = UNSET
    belongs_to_refs: OptRefs = UNSET


class MACAddr(Common, kw_only=True, gc=False):
    """Section 6.10; some real tools write capitals, which does no harm."""

    value: Annotated[str, Meta(pattern=r"\A[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}\Z")]


class Mutex(Common, kw_only=True, gc=False):
    """Section 6.11."""

    name: Name


class NetworkTraffic(Common, kw_only=True, gc=False):
    """Section 6.12."""

    protocols: Annotated[list[Word], _Some]
    start: OptTime = UNSET
    end: OptTime = UNSET
    is_active: OptBool = UNSET
    src_ref: OptRef = UNSET
    dst_ref: OptRef = UNSET
    src_port: Port | UnsetType = UNSET
    dst_port: Port | UnsetType = UNSET
    src_byte_count: OptNatural = UNSET
    dst_byte_count: OptNatural = UNSET
    src_packets: OptNatural = UNSET
    dst_packets: OptNatural = UNSET
    ipfix: OptOpen = UNSET
    src_payload_ref: OptRef = UNSET
    dst_payload_ref: OptRef = UNSET
    encapsulates_refs: OptRefs = UNSET
    encapsulated_by_ref: OptRef = UNSET

    def _obey(self) -> None:
        need_one(self, "src_ref", "dst_ref")
        in_order(self.start, self.end, "end")
        if self.is_active is True and self.end is not UNSET:
            raise errors.Refused("Traffic that still flows has no end.", "end")


class Process(Common, kw_only=True, gc=False):
    """Section 6.13."""

    is_hidden: OptBool = UNSET
    pid: OptInt = UNSET
    created_time: OptTime = UNSET
    cwd: OptText = UNSET
    command_line: OptText = UNSET
    environment_variables: dict[str, str] | UnsetType = UNSET
    opened_connection_refs: OptRefs = UNSET
    creator_user_ref: OptRef = UNSET
    image_ref: OptRef = UNSET
    parent_ref: OptRef = UNSET
    child_refs: OptRefs = UNSET

    def _obey(self) -> None:
        need_one(self, "pid", *_PROCESS_ONE)


_PROCESS_ONE = (
    "command_line",
    "is_hidden",
    "created_time",
    "cwd",
    "environment_variables",
    "opened_connection_refs",
    "creator_user_ref",
    "image_ref",
    "parent_ref",
    "child_refs",
    "extensions",
)


class Software(Common, kw_only=True, gc=False):
    """Section 6.14."""

    name: Name
    cpe: OptText = UNSET
    swid: OptText = UNSET
    languages: OptTexts = UNSET
    vendor: OptText = UNSET
    version: OptText = UNSET


class URL(Common, kw_only=True, gc=False):
    """Section 6.15; addresses of phishing kits run to many thousand characters."""

    value: Annotated[str, Meta(min_length=1)]


class UserAccount(Common, kw_only=True, gc=False):
    """Section 6.16."""

    user_id: OptText = UNSET
    credential: OptText = UNSET
    account_login: OptText = UNSET
    account_type: OptWord = UNSET
    display_name: OptText = UNSET
    is_service_account: OptBool = UNSET
    is_privileged: OptBool = UNSET
    can_escalate_privs: OptBool = UNSET
    is_disabled: OptBool = UNSET
    account_created: OptTime = UNSET
    account_expires: OptTime = UNSET
    credential_last_changed: OptTime = UNSET
    account_first_login: OptTime = UNSET
    account_last_login: OptTime = UNSET


class RegistryValue(Struct):
    """Section 6.17.2."""

    name: OptText = UNSET
    data: OptText = UNSET
    data_type: (
        Literal[
            "REG_NONE",
            "REG_SZ",
            "REG_EXPAND_SZ",
            "REG_BINARY",
            "REG_DWORD",
            "REG_DWORD_BIG_ENDIAN",
            "REG_DWORD_LITTLE_ENDIAN",
            "REG_LINK",
            "REG_MULTI_SZ",
            "REG_RESOURCE_LIST",
            "REG_FULL_RESOURCE_DESCRIPTION",
            "REG_RESOURCE_REQUIREMENTS_LIST",
            "REG_QWORD",
            "REG_INVALID_TYPE",
        ]
        | UnsetType
    ) = UNSET


class WindowsRegistryKey(Common, kw_only=True, gc=False):
    """Section 6.17."""

    key: OptText = UNSET
    values: Annotated[list[RegistryValue], _Some] | UnsetType = UNSET
    modified_time: OptTime = UNSET
    creator_user_ref: OptRef = UNSET
    number_of_subkeys: OptNatural = UNSET

    def _obey(self) -> None:
        need_one(self, "key", "values", "modified_time", "creator_user_ref", "number_of_subkeys")


class X509Certificate(Common, kw_only=True, gc=False):
    """Section 6.18."""

    is_self_signed: OptBool = UNSET
    hashes: OptHashes = UNSET
    version: OptText = UNSET
    serial_number: OptText = UNSET
    signature_algorithm: OptText = UNSET
    issuer: OptText = UNSET
    validity_not_before: OptTime = UNSET
    validity_not_after: OptTime = UNSET
    subject: OptText = UNSET
    subject_public_key_algorithm: OptText = UNSET
    subject_public_key_modulus: OptText = UNSET
    subject_public_key_exponent: OptNatural = UNSET
    x509_v3_extensions: Open | UnsetType = UNSET


SCHEMAS: dict[str, type[Common]] = {
    "artifact": Artifact,
    "autonomous-system": AutonomousSystem,
    "directory": Directory,
    "domain-name": DomainName,
    "email-addr": EmailAddr,
    "email-message": EmailMessage,
    "file": File,
    "ipv4-addr": IPAddr,
    "ipv6-addr": IPAddr,
    "mac-addr": MACAddr,
    "mutex": Mutex,
    "network-traffic": NetworkTraffic,
    "process": Process,
    "software": Software,
    "url": URL,
    "user-account": UserAccount,
    "windows-registry-key": WindowsRegistryKey,
    "x509-certificate": X509Certificate,
}
