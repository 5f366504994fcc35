"""Responses: a list, the board of each with what may be done, and a new one with its preview."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from cybercoop.errors import Forbidden, Malformed, Misused, Refused
from cybercoop.members.tokens import Scope
from cybercoop.playbooks.duties import ROLES, Question
from cybercoop.responses import doing, leading, papers, reporting, starting
from cybercoop.responses.asking import Put
from cybercoop.sharing.marking import LEVELS
from cybercoop.store import members, playbooks, runs
from cybercoop.store.database import Connection
from cybercoop.web.api.planning import Planned, chosen
from cybercoop.web.pages.tasks import as_reader, house, who, words
from cybercoop.web.pages.visits import Room, Visit, see_other
from cybercoop.web.reports import board_of, file_answer, pdf_of
from cybercoop.web.taking_part import note_reached

MOST = 200
_LONGEST_TITLE, _LONGEST_QUESTION = 200, 500
_VALUE = "value."


def _is_center(visit: Visit) -> bool:
    return visit.org.id == visit.center.org_id


def _place(visit: Visit) -> str:
    return visit.request.match_info["response_id"]


async def listing(visit: Visit) -> web.StreamResponse:
    """Show the responses that the organisation leads or takes part in, newest first."""
    async with visit.database.read() as connection:
        found = await runs.all_of(connection, as_reader(visit))
    may_start = _is_center(visit) and visit.may_write
    return visit.page("responses.html", found=found[:MOST], may_start=may_start, **words(visit))


async def show(visit: Visit) -> web.StreamResponse:
    """Show the board of a response, and what the visitor may do."""
    return await _shown(visit)


async def _shown(visit: Visit, reason: str = "") -> web.Response:
    now = visit.now  # before the look: what is accepted afterwards was not seen
    found = await board_of(visit.request.app, visit.org, _place(visit))
    note_reached(visit.request.app, visit.org.id, found.seen.runs)
    lines = sorted(found.board.lines, key=lambda one: found.names.get(one.run.org_id, ""))
    return visit.page(
        "response.html",
        422 if reason else 200,
        board=found.board,
        one=found.board.response,
        lines=lines,
        others=found.seen.others,
        approvals=found.seen.approvals,
        blocks=reporting.blocks_in_words(found.blocks, found.names),
        names=found.names,
        is_center=_is_center(visit),
        roles=ROLES,
        reason=reason,
        now=now,
        summed=lambda one: papers.summed(one, visit.language),
        **words(visit),
    )


async def act(visit: Visit) -> web.StreamResponse:
    """Do what the form says with the response; leading is for the center alone."""
    name = visit.form.text("deed")
    deed = (_LED if _is_center(visit) else _TAKING_PART).get(name)
    if deed is None:
        raise Malformed("The form does not say what to do.")
    try:
        async with visit.database.write() as connection:
            await runs.response(connection, as_reader(visit), _place(visit))
            await deed(connection, visit, _place(visit))
    except (Refused, Misused, Forbidden) as refused:
        return await _shown(visit, str(refused))
    return see_other(f"/responses/{_place(visit)}")


def _reason(visit: Visit) -> str:
    return visit.form.text("text").strip()[:2_000]


async def _say(connection: Connection, visit: Visit, one: str, *, agreed: bool) -> None:
    by, reason = await who(connection, visit), _reason(visit)
    await starting.say(house(visit), connection, one, by.person_id, agreed=agreed, reason=reason)


async def _approve(connection: Connection, visit: Visit, one: str) -> None:
    await _say(connection, visit, one, agreed=True)


async def _reject(connection: Connection, visit: Visit, one: str) -> None:
    await _say(connection, visit, one, agreed=False)


async def _pause(connection: Connection, visit: Visit, one: str) -> None:
    by = (await who(connection, visit)).name
    await leading.pause(house(visit), connection, one, by, paused=True)


async def _resume(connection: Connection, visit: Visit, one: str) -> None:
    by = (await who(connection, visit)).name
    await leading.pause(house(visit), connection, one, by, paused=False)


async def _cancel(connection: Connection, visit: Visit, one: str) -> None:
    by = (await who(connection, visit)).name
    await leading.cancel(house(visit), connection, one, by, _reason(visit))


async def _roll_back(connection: Connection, visit: Visit, one: str) -> None:
    by = (await who(connection, visit)).name
    await leading.roll_back(house(visit), connection, one, by, _reason(visit))


async def _rerun(connection: Connection, visit: Visit, one: str) -> None:
    await leading.rerun(house(visit), connection, one, (await who(connection, visit)).name)


async def _ask(connection: Connection, visit: Visit, one: str) -> None:
    """Put a question, or a task without one, to all who take part."""
    said, around = visit.form, house(visit).around
    title, question, kind = said.text("title").strip(), said.text("ask").strip(), said.text("kind")
    if not (0 < len(title) <= _LONGEST_TITLE and title.isprintable()):
        raise Refused("A title is one line.", "title")
    asked: dict[str, Question] = {}
    if question:
        if kind not in {"yes-no-unknown", "number", "text"} or len(question) > _LONGEST_QUESTION:
            raise Refused("A question is short, and is about yes or no, a number or a text.", "ask")
        asked["frage_1"] = Question(question, kind)  # type: ignore[arg-type] # looked at above
    text = said.text("text").strip()[:10_000]
    what = Put(around.uuid(), "", title, around.now(), text, questions=asked)
    await leading.ask(house(visit), connection, one, what, (await who(connection, visit)).name)


async def _accept(connection: Connection, visit: Visit, one: str) -> None:
    by, shares = await who(connection, visit), visit.form.text("shares_state") == "1"
    run = await _own_run(connection, visit, one)
    await doing.accept(house(visit), connection, run, by, shares_state=shares)


async def _decline(connection: Connection, visit: Visit, one: str) -> None:
    by, run = await who(connection, visit), await _own_run(connection, visit, one)
    seen = visit.form.text("seen")
    asked = int(seen) if re.fullmatch("[0-9]{1,18}", seen) else None
    await doing.decline(house(visit), connection, run, by, visit.form.text("text"), asked=asked)


async def _own_run(connection: Connection, visit: Visit, one: str) -> str:
    seen = await runs.read(connection, as_reader(visit), one, log_too=False)
    return next(run.id for run in seen.runs if run.latest and run.org_id == visit.org.id)


_Deed = Callable[[Connection, Visit, str], Awaitable[None]]
_TAKING_PART: Mapping[str, _Deed] = {"accept": _accept, "decline": _decline}
_LED: Mapping[str, _Deed] = {
    "approve": _approve,
    "reject": _reject,
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "rollback": _roll_back,
    "rerun": _rerun,
    "ask": _ask,
}


async def form(visit: Visit) -> web.StreamResponse:
    """Show which playbook may be started, and what the chosen one needs."""
    return await _form(visit, visit.request.query.get("playbook", ""))


def _require_center(visit: Visit) -> None:
    if not _is_center(visit):
        raise Forbidden("Only the center may do this.")


async def _form(visit: Visit, playbook_id: str, reason: str = "", field: str = "") -> web.Response:
    _require_center(visit)
    async with visit.database.read() as connection:
        known = [one for one in await playbooks.newest(connection) if not one.revoked]
        groups = await members.all_groups(connection)
        everybody = await members.all_organisations(connection)
    kept = next((one for one in known if one.id == playbook_id), None)
    book = None if kept is None else await house(visit).book(kept.id, kept.modified)
    asked = [] if book is None else [one for one in book.variables.values() if one.is_external]
    return visit.page(
        "response_new.html",
        422 if reason else 200,
        books=known,
        kept=kept,
        asked=asked,
        groups=groups,
        tags=sorted({tag for one in everybody for tag in one.tags}),
        levels=LEVELS[:-1],
        said=visit.form,
        reason=reason,
        field=field,
        **words(visit),
    )


async def make(visit: Visit) -> web.StreamResponse:
    """Show what a response would do; start it from there, and only as it was shown."""
    _require_center(visit)
    said = visit.form
    try:
        plan = Planned.model_validate(_planned(visit))
        if said.text("deed") == "start":
            return see_other(f"/responses/{await _started(visit, plan)}")
        return await _previewed(visit, plan)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return await _form(visit, said.text("playbook"), first["msg"], str(first["loc"][0]))
    except Refused as refused:
        return await _form(visit, said.text("playbook"), refused.reason, refused.field)


def _planned(visit: Visit) -> dict[str, Any]:
    said = visit.form
    names = [line.strip() for line in said.text("counties").splitlines() if line.strip()]
    values = {
        name.removeprefix(_VALUE): some[0]
        for name, some in said.texts.items()
        if name.startswith(_VALUE) and some[0]
    }
    return {
        "playbook": said.text("playbook"),
        "counties": names,
        "of_group": said.text("of_group"),
        "tag": said.text("tag"),
        "software": said.text("software").strip(),
        "everybody": said.text("everybody") == "1",
        "values": values,
        "title": said.text("title").strip(),
        "tlp": said.text("tlp"),
        "group": said.text("group"),
        "exercise": said.text("exercise") == "1",
    }


async def _previewed(visit: Visit, plan: Planned) -> web.Response:
    async with visit.database.read() as connection:
        found = await chosen(connection, visit.org, visit.center, plan, visit.now)
        checked = await starting.check(house(visit), connection, found.plan, visit.now)
    kept = {name: some for name, some in visit.form.texts.items() if name != "form_token"}
    return visit.page(
        "response_preview.html",
        checked=checked,
        left_out=found.left_out,
        kept={name: some for name, some in kept.items() if name != "deed"},
        steps=[one for one in checked.playbook.steps.values() if hasattr(one, "commands")],
        roles=ROLES,
        **words(visit),
    )


async def _started(visit: Visit, plan: Planned) -> str:
    async with visit.database.write() as connection:
        found = await chosen(connection, visit.org, visit.center, plan, visit.now)
        checked = await starting.check(house(visit), connection, found.plan, visit.now)
        by = await who(connection, visit)
        return (await starting.propose(house(visit), connection, checked, by.name)).id


async def paper(visit: Visit) -> web.StreamResponse:
    """Return the report as PDF."""
    made = await pdf_of(visit.request.app, visit.org, _place(visit), visit.language)
    return file_answer(made, _place(visit))


ROOMS: tuple[tuple[str, str, Room, Scope | None], ...] = (
    ("GET", "/responses", listing, Scope.READ),
    ("GET", "/responses/new", form, Scope.WRITE),
    ("POST", "/responses/new", make, Scope.WRITE),
    ("GET", "/responses/{response_id}", show, Scope.READ),
    ("POST", "/responses/{response_id}", act, Scope.WRITE),
    ("GET", "/responses/{response_id}/report.pdf", paper, Scope.READ),
)
