"""Pruning notices: what was told long ago is kept as a key and nothing else."""

from sqlalchemy import and_, delete, or_, select, update

from cybercoop.store.database import Connection
from cybercoop.store.notice_tables import deliveries, notices
from cybercoop.store.notices import State


async def prune(connection: Connection, before: int) -> None:
    """Forget deliveries that ended before ``before``, and the words of notices of that age.

    What still waits for anybody keeps its words, however old it is. Keys stay for ever: the same
    would be told once more without them.
    """
    d, n = deliveries.c, notices.c
    waits = and_(d.state.in_((State.GATHERED.value, State.WAITING.value)), d.next_at.is_not(None))
    ended = d.state.in_((State.SENT.value, State.FAILED.value, State.KEPT.value))
    long_ago = or_(d.ended_at.is_(None), d.ended_at < before)
    await connection.execute(delete(deliveries).where(d.at < before, ended, long_ago))
    told = n.at < before, n.subject_de != "", n.key.not_in(select(d.notice_key).where(waits))
    empty = dict.fromkeys(("subject_de", "subject_en", "text_de", "text_en"), "")
    await connection.execute(update(notices).where(*told).values(empty))
