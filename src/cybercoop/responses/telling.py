"""What people are told about responses: in German and English, under the lock of the response."""

from dataclasses import replace
from datetime import datetime

from cybercoop.incidents.reminding import Reminder
from cybercoop.notices.telling import CENTER, Notice, tell
from cybercoop.playbooks.progress import Response, Task
from cybercoop.sharing import locks
from cybercoop.stix.times import WALL
from cybercoop.store.database import Connection

_DAY = 86_400_000_000

_DEPUTIES, _CENTER = 1, 2
_APPROVE = (
    *("Freigabe erbeten: {}", "Approval wanted: {}"),
    "Ein Einsatz wartet auf {} Freigabe(n).",
    "A response waits for {} approval(s).",
)
_PROPOSED = (
    *("Einsatz vorgeschlagen: {}", "Response proposed: {}"),
    "Eine Regel schlägt einen Einsatz vor. Wer ihn übernimmt, braucht dann {} Freigabe(n) anderer.",
    "A rule proposes a response. Whoever takes it up then needs {} approval(s) of others.",
)
_OPENED = ("Neue Aufgabe: {}", "New task: {}")
_WORDS = {
    0: ("Erinnerung: {}", "Reminder: {}"),
    _DEPUTIES: ("Frist abgelaufen, Vertretung gefragt: {}", "Overdue, deputy asked: {}"),
    _CENTER: ("Frist abgelaufen: {}", "Overdue: {}"),
}
"""By how far a deadline has been told: a reminder, the deputy, the center."""


async def of_task(connection: Connection, response: Response, new: Task) -> None:
    """Tell whom a task waits for; what is due within a day at once, the rest once a day."""
    is_critical = new.due_at is not None and new.due_at - new.created_at <= _DAY
    await tell(
        connection,
        _notice(response, new, _OPENED, f"task {new.id}", "now" if is_critical else "digest"),
    )


async def of_deadline(
    connection: Connection, response: Response, late: Task, now: int, person_ids: list[str]
) -> None:
    """Tell of a deadline, one stage after the other: people, their deputies, the center."""
    words = _WORDS[late.stage]
    key = f"task {late.id} stage {late.stage}"
    plain = _notice(response, late, words, key, "now", at=now)
    if late.stage == _DEPUTIES and person_ids:
        for person_id in person_ids:
            await tell(connection, _for_person(plain, person_id))
    elif late.stage == _CENTER:
        await tell(connection, _for_center(plain))
    else:
        await tell(connection, plain)


async def of_approval(connection: Connection, response: Response, center_id: str) -> None:
    """Tell the center's people that a response waits for their approval, or to be taken up."""
    subject, needed = f"{_exercise(response)}{response.title}", response.approvals_needed
    words = _PROPOSED if response.is_free else _APPROVE
    await tell(
        connection,
        Notice(
            key=f"approve {response.id} {response.approvals_since}",
            org_id=center_id,
            urgency="now",
            lock=response.lock,
            subject_de=words[0].format(subject),
            subject_en=words[1].format(subject),
            text_de=words[2].format(needed),
            text_en=words[3].format(needed),
            at=response.approvals_since,
            role=CENTER,
        ),
    )


async def of_duty(connection: Connection, due: Reminder, now: int) -> None:
    """Tell an organisation of a report that a duty asks for; what it is about stays at home."""
    until_de, until_en = ("", "") if due.due_at is None else _until(due.due_at)
    words = ("Meldung überfällig", "Report overdue") if due.overdue else ("Meldung", "Report")
    await tell(
        connection,
        Notice(
            key=due.key,
            org_id=due.org_id,
            urgency="now",
            lock=locks.own(due.org_id),
            subject_de=f"{words[0]}: {due.what.de}",
            subject_en=f"{words[1]}: {due.what.en}",
            text_de=f"{due.what.de}{until_de}",
            text_en=f"{due.what.en}{until_en}",
            at=now,
            role=due.role,
        ),
    )


def _until(moment: int) -> tuple[str, str]:
    """Return a deadline in German and English, as lines below a text."""
    at = datetime.fromtimestamp(moment / 1e6, WALL)
    return (
        f"\n\nFrist: {at:%d.%m.%Y, %H:%M} Uhr ({at.tzname()})",
        f"\n\nDue: {at:%Y-%m-%d %H:%M} ({at.tzname()})",
    )


def _notice(
    response: Response, one: Task, words: tuple[str, str], key: str, urgency: str, at: int = 0
) -> Notice:
    due_de, due_en = ("", "") if one.due_at is None else _until(one.due_at)
    text = "\n".join([one.text, *(f"{name} = {value}" for name, value in one.listed)])
    about = f"{_exercise(response)}{response.title}"
    return Notice(
        key=key,
        org_id=one.org_id,
        urgency="now" if urgency == "now" else "digest",
        lock=response.lock,
        subject_de=words[0].format(one.title),
        subject_en=words[1].format(one.title),
        text_de=f"{about}\n\n{text}{due_de}",
        text_en=f"{about}\n\n{text}{due_en}",
        at=at or one.created_at,
        role=one.role or None,
        task_id=one.id,
    )


def _exercise(response: Response) -> str:
    return "ÜBUNG: " if response.exercise else ""


def _for_person(plain: Notice, person_id: str) -> Notice:
    return replace(plain, key=f"{plain.key} {person_id}", role=None, person_id=person_id)


def _for_center(plain: Notice) -> Notice:
    return replace(plain, role=CENTER)
