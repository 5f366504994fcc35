"""Reminders: who should be told of which duty to report; whoever tells people asks for them."""

from dataclasses import dataclass

from cybercoop.incidents import profiles
from cybercoop.incidents.clocks import Clock
from cybercoop.incidents.taxonomy import Words


@dataclass(frozen=True, slots=True)
class Reminder:
    """Hold what somebody of an organisation is to be told; it stays within that organisation.

    ``key`` names it: whoever has told it once tells it no second time. ``what`` names the duty
    and nothing of the incident. ``due_at`` (microseconds since 1970) is None where there is no
    number.
    """

    org_id: str
    incident_id: str
    role: str
    what: Words
    due_at: int | None
    overdue: bool
    key: str


def reminder(org_id: str, clock: Clock, now: int) -> Reminder | None:
    """Return what is to be told of a clock by now; None while there is time, or it has ended.

    A duty that this version does not know any more is nobody's.
    """
    profile = profiles.profiles().get(clock.profile)
    overdue = clock.is_overdue(now)
    if profile is None or not (overdue or clock.is_soon(now)):
        return None
    stage = profile.stage(clock.stage)
    what = Words(
        f"{profile.title.de}: {stage.title.de}",
        f"{profile.title.en}: {stage.title.en}",
    )
    parts = (clock.incident_id, clock.profile, clock.stage, clock.due_at or "")
    key = "/".join(map(str, (*parts, "overdue" if overdue else "soon")))
    due = clock.due_at
    return Reminder(org_id, clock.incident_id, profile.role, what, due, overdue, key)
