"""Fill the draft of a report that a duty asks for; people check it and send it themselves."""

from zoneinfo import ZoneInfo

from cybercoop.incidents import drafts, profiles
from cybercoop.incidents.clocks import after
from cybercoop.incidents.drafts import local
from cybercoop.playbooks.templates import shown
from cybercoop.responses.commands import Doing, Values
from cybercoop.store import drafts as kept
from cybercoop.store import members, responses
from cybercoop.store.database import Connection

KINDS = ("report",)
IS_EFFECT = False


async def carry_out(doing: Doing) -> Values:
    """Keep a draft for the county; the same place of a run keeps one."""
    arguments, now = doing.step.duty.arguments, doing.house.around.now()
    profile, stage = str(arguments["profile"]), str(arguments["stage"])
    duty = profiles.find(profile)
    span = duty.stage(stage).span
    known_at = doing.response.known_at
    due = None if span is None else after(known_at, span, ZoneInfo(duty.zone))
    said = "\n".join(f"{name.strip('_')}: {shown(value)}" for name, value in doing.values.items())
    async with doing.house.database.read() as connection:
        org = await members.find(connection, doing.run.org_id)
    facts = {"organisation": org.name, "known": local(known_at, duty.zone)}
    facts["text"] = f"{doing.response.title}\n{said}".strip()
    row = {
        "id": doing.key,
        "response_id": doing.response.id,
        "run_id": doing.run.id,
        "org_id": doing.run.org_id,
        "profile": profile,
        "stage": stage,
        "due_at": due,
        "text": drafts.draft(profile, stage, facts),
        "created_at": now,
    }

    async def keep(connection: Connection) -> None:
        await kept.add(connection, row)
        told = {"profile": profile, "stage": stage}
        await responses.note(
            connection, doing.response.id, now, "engine", "drafted", doing.run.org_id, **told
        )

    await doing.house.record.do(keep)
    return {}
