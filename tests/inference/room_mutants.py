"""Mistakes to plant: in what is read of responses, incidents, playbooks, and in what is told."""

from typing import Any

import msgspec
import pytest
from sqlalchemy import and_, exists, select

from cybercoop.collect import incident_sharing
from cybercoop.notices import carrying
from cybercoop.store import blocks, incidents, members, notices, playbooks, runs
from cybercoop.store.response_tables import responses, tasks
from cybercoop.store.response_tables import runs as parts


def responses_reach_whoever_opens_their_lock(patch: pytest.MonkeyPatch) -> None:
    def may(reader: runs.Reader) -> Any:
        c = responses.c
        opened = and_(c.lock.in_(sorted(reader.keys)), c.began_at.is_not(None))
        return c.id.is_not(None) if reader.is_center else opened

    patch.setattr(runs, "_may", may)


def responses_stay_with_who_has_lost_the_key(patch: pytest.MonkeyPatch) -> None:
    def may(reader: runs.Reader) -> Any:
        c = responses.c
        inside = exists().where(parts.c.response_id == c.id, parts.c.org_id == reader.org_id)
        return c.id.is_not(None) if reader.is_center else and_(inside, c.began_at.is_not(None))

    patch.setattr(runs, "_may", may)


def responses_are_seen_before_they_begin(patch: pytest.MonkeyPatch) -> None:
    def may(reader: runs.Reader) -> Any:
        c = responses.c
        inside = exists().where(parts.c.response_id == c.id, parts.c.org_id == reader.org_id)
        shown = and_(c.state.not_in(("proposed", "rejected")), inside)
        return c.id.is_not(None) if reader.is_center else shown

    patch.setattr(runs, "_may", may)


def boards_sum_the_answers_of_all(patch: pytest.MonkeyPatch) -> None:
    real = runs.read

    async def read(connection: Any, reader: Any, response_id: str, **more: Any) -> Any:
        every = await real(connection, _center(reader), response_id, **more)
        mine = await real(connection, reader, response_id, **more)
        return msgspec.structs.replace(mine, tasks=every.tasks, steps=every.steps)

    patch.setattr(runs, "read", read)


def logs_show_the_lines_of_all(patch: pytest.MonkeyPatch) -> None:
    real = runs._log
    patch.setattr(runs, "_log", lambda one, reader, name: real(one, _center(reader), name))


def sums_count_who_did_not_agree(patch: pytest.MonkeyPatch) -> None:
    async def answers(connection: Any, run: Any, *_: Any) -> Any:
        query = select(tasks.c.answers).where(tasks.c.response_id == run.response_id)
        rows = await connection.scalars(query.where(tasks.c.answers.is_not(None)))
        found = [msgspec.json.decode(row) for row in rows]
        return [one["__many__"] for one in found if "__many__" in one]

    patch.setattr(runs, "answers", answers)


def _center(reader: runs.Reader) -> runs.Reader:
    return msgspec.structs.replace(reader, is_center=True)


def others_are_shown_who_did_not_agree(patch: pytest.MonkeyPatch) -> None:
    async def others(connection: Any, reader: runs.Reader, response_id: str) -> Any:
        c = parts.c
        query = select(c.org_id, c.state).where(c.response_id == response_id, c.latest)
        query = query.where(c.org_id != reader.org_id).order_by(c.org_id)
        return [(row.org_id, row.state) for row in await connection.execute(query)]

    patch.setattr(runs, "_others", others)


def events_tell_of_all_that_is_done_by_who_agreed(patch: pytest.MonkeyPatch) -> None:
    real = runs.Pulse.concerns

    def concerns(self: runs.Pulse, before: runs.Pulse) -> frozenset[str | None]:
        shown = {who for who, _, state in self.runs.values() if state}
        heard = real(self, before)
        return heard | {None} if heard & shown else heard

    patch.setattr(runs.Pulse, "concerns", concerns)


def blocks_of_all_counties_have_one_clock(patch: pytest.MonkeyPatch) -> None:
    real = blocks.stamp
    patch.setattr(blocks, "stamp", lambda one, _org_id, now: real(one, "all", now))


def notices_are_listed_whoever_they_are_for(patch: pytest.MonkeyPatch) -> None:
    real = notices.all_of
    patch.setattr(notices, "all_of", lambda one, _org_id, *more: real(one, None, *more))


def mail_carries_what_is_strict(patch: pytest.MonkeyPatch) -> None:
    real = carrying._needed
    patch.setattr(carrying, "_needed", lambda lock: real(lock.replace("strict:", "group:")))


def incidents_are_shown_to_the_center(patch: pytest.MonkeyPatch) -> None:
    real = incidents.all_of

    async def all_of(connection: Any, org_id: str) -> Any:
        if org_id != (await members.the_center(connection)).org_id:
            return await real(connection, org_id)
        known = await members.all_organisations(connection)
        return [one for org in known for one in await real(connection, org.id)]

    patch.setattr(incidents, "all_of", all_of)


def incidents_are_found_whoever_asks(patch: pytest.MonkeyPatch) -> None:
    real = incidents.find

    async def find(connection: Any, org_id: str, incident_id: str, **more: Any) -> Any:
        query = select(incidents.incidents.c.org_id)
        query = query.where(incidents.incidents.c.id == incident_id)
        return await real(connection, await connection.scalar(query) or org_id, incident_id, **more)

    patch.setattr(incidents, "find", find)


def incidents_are_shared_with_their_words(patch: pytest.MonkeyPatch) -> None:
    real = incident_sharing.bundle.incident_object
    patch.setattr(
        incident_sharing.bundle,
        "incident_object",
        lambda incident, modified, **_: real(incident, modified, reduced=False),
    )


def playbooks_are_listed_whatever_their_mark(patch: pytest.MonkeyPatch) -> None:
    real = playbooks.newest
    patch.setattr(playbooks, "newest", lambda connection, _locks=None: real(connection))
