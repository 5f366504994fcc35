"""Importing playbooks: checked, signed by whom we know, kept for ever, shared by their marking."""

from pathlib import Path

import msgspec
from msgspec import Struct

from cybercoop.collect.intake import Push, accept_within
from cybercoop.errors import Misused, Refused
from cybercoop.playbooks import checking, documents, shared, signatures
from cybercoop.playbooks.findings import Finding
from cybercoop.playbooks.signatures import Checked, Pin
from cybercoop.playbooks.steps import Playbook, calls
from cybercoop.sharing import locks
from cybercoop.sharing.marking import TLP2
from cybercoop.store import contributions, members, playbooks
from cybercoop.store.database import Connection
from cybercoop.store.members import Center
from cybercoop.store.playbooks import Kept

_LOCKS = {
    "clear": locks.PUBLIC,
    "green": locks.COMMUNITY,
    "amber": locks.group("members"),
    "amber+strict": locks.strict("members"),
}


class Imported(Struct, frozen=True, kw_only=True):
    """Hold what became of a document: the version that is kept, or why it is not."""

    kept: Kept | None
    findings: tuple[Finding, ...]
    signed: tuple[Checked, ...] = ()
    is_new: bool = False


def pinned(folder: Path | None) -> list[Pin]:
    """Return the keys of a folder, each named by its file; raise Misused where one is none."""
    if folder is None:
        return []
    if not folder.is_dir():
        raise Misused(f"CYBERCOOP_PLAYBOOK_KEYS: {folder} is no folder.")
    files = sorted(file for file in folder.iterdir() if file.suffix in {".pem", ".pub"})
    return [Pin(file.stem, signatures.public_key(file.read_bytes())) for file in files]


async def take(
    connection: Connection, raw: bytes, org_id: str, pins: list[Pin], now: int
) -> Imported:
    """Keep a playbook; raise Refused where its version is there with other content.

    Where keys are pinned, a playbook needs a good signature by one of them.
    """
    verdict = checking.check(raw)
    if verdict.playbook is None:
        return Imported(kept=None, findings=verdict.findings)
    document = documents.parse(raw)
    signed = tuple(signatures.check(document, pins, now))
    playbook = verdict.playbook
    if pins and not any(one.owner for one in signed):
        why = "; ".join(one.reason for one in signed) or "it carries none."
        raise Refused(f"It needs a signature by a pinned key: {why}", "signatures")
    if playbook.level == "red":
        raise Refused(
            "TLP:RED is for the ears of its receivers; no playbook carries it.", "markings"
        )
    new = Kept(
        id=playbook.id,
        modified=playbook.modified,
        digest=playbook.digest,
        name=playbook.name,
        org_id=org_id,
        lock=_LOCKS.get(playbook.level, locks.own(org_id)),
        revoked=playbook.revoked,
        signed_by=[one.owner for one in signed if one.owner],
        imported_at=now,
    )
    center = await members.the_center(connection)
    # Its clock is held until commit: one import comes after the other, and sees what it brought.
    await contributions.stamps(connection, center.org_id, now, 0)
    await _require_called(connection, playbook)
    known = await playbooks.version(connection, new.id, new.modified)
    if known is None:
        await playbooks.add(connection, new, raw)
        await _share(connection, center, playbook, raw, now)
    elif known.digest != new.digest:
        raise Refused("This version is there with other content; raise modified.", "modified")
    return Imported(
        kept=known or new, findings=verdict.findings, signed=signed, is_new=known is None
    )


async def _share(
    connection: Connection, center: Center, playbook: Playbook, raw: bytes, now: int
) -> None:
    """Give a playbook to whom its marking lets have it, as a course of action over TAXII."""
    if playbook.level not in _LOCKS:
        return
    org = await members.find(connection, center.org_id)
    document = documents.parse(raw)
    said = shared.course_of_action(document, raw, TLP2[playbook.level])
    body = msgspec.json.encode({"objects": [said]})
    (verdict,) = await accept_within(connection, center, org, body, Push(with_text=True), now)
    if verdict.outcome == "refused":
        raise Refused(f"It cannot be shared: {verdict.reason}", verdict.field)


async def _require_called(connection: Connection, playbook: Playbook) -> None:
    """Raise Refused where a playbook calls itself, at once or by way of others."""
    seen: set[str] = set()
    waiting = [one for one, _ in calls(playbook)]
    while waiting:
        called = waiting.pop()
        if called == playbook.id:
            raise Refused("It calls itself, at once or by way of another playbook.", "playbook_id")
        if called in seen:
            continue
        seen.add(called)
        kept = await playbooks.usable(connection, called, None)
        if kept is not None:
            raw = await playbooks.content(connection, kept.id, kept.modified)
            waiting += documents.called(documents.parse(raw))
