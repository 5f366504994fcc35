"""Tell people of the county, or of the center, something that the playbook says."""

from cybercoop.notices.telling import Notice, tell
from cybercoop.playbooks import templates
from cybercoop.responses.commands import Doing, Values
from cybercoop.store import responses
from cybercoop.store.database import Connection

KINDS = ("notify",)
IS_EFFECT = False


async def carry_out(doing: Doing) -> Values:
    """Send the notice on its way; the same place of a run sends one."""
    duty, now = doing.step.duty, doing.house.around.now()
    text = templates.rendered(str(duty.arguments["text"]), doing.values)
    title = duty.title or doing.step.name
    marked = f"ÜBUNG: {title}" if doing.response.exercise else title
    notice = Notice(
        key=doing.key,
        org_id=doing.run.org_id,
        urgency="now" if duty.arguments["urgency"] == "now" else "digest",
        lock=doing.response.lock,
        subject_de=marked,
        subject_en=marked,
        text_de=text,
        text_en=text,
        at=now,
        role=str(duty.arguments["to"]),
    )

    async def send(connection: Connection) -> None:
        await tell(connection, notice)
        told = {"to": str(duty.arguments["to"]), "text": text}
        await responses.note(
            connection, doing.response.id, now, "engine", "notified", doing.run.org_id, **told
        )

    await doing.house.record.do(send)
    return {}
