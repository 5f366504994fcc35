"""The page behind a link in a mail: one task, answered once, by whoever holds the link.

No sign-in, no cookie, no script: the token in the path is all that is asked for, and so the page
leads nowhere, is kept nowhere, and tells no other site where it was. Every link that does not work
is answered alike.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from aiohttp import web

from cybercoop.door import DATABASE, SURROUNDINGS
from cybercoop.errors import Refused
from cybercoop.notices import links
from cybercoop.notices.links import Desk, LinkedTask
from cybercoop.playbooks.duties import Question
from cybercoop.stix.times import WALL
from cybercoop.web.pages import forms, rendering
from cybercoop.web.pages.rendering import Language
from cybercoop.web.pages.visits import TITLE, language_of

DESK: web.AppKey[Desk] = web.AppKey("desk")

_COMMENT = "comment"
_LONGEST = 2000
_NONE: Mapping[str, str] = MappingProxyType({})
_SAID: Mapping[Language, Mapping[str, str]] = {
    "de": {
        "languages": "Sprache",
        "gone": "Dieser Link funktioniert nicht mehr.",
        "gone_text": "Vielleicht ist die Aufgabe schon erledigt oder die Zeit abgelaufen. Melden"
        " Sie sich an oder fragen Sie das Zentrum.",
        "thanks": "Danke, Ihre Antwort ist angekommen.",
        "thanks_text": "Sie können dieses Fenster schließen.",
        "exercise": "Das ist eine Übung.",
        "due": "Bis",
        "optional": "(freiwillig)",
        "file": "Dateien können Sie nur anhängen, wenn Sie sich anmelden.",
        "comment": "Anmerkung",
        "done": "Erledigt, so antworten",
        "once": "Über diesen Link können Sie einmal antworten.",
        "yes": "Ja",
        "no": "Nein",
        "unknown": "Weiß ich nicht",
    },
    "en": {
        "languages": "Language",
        "gone": "This link no longer works.",
        "gone_text": "Perhaps the task is done already, or the time is over. Sign in, or ask the"
        " center.",
        "thanks": "Thank you, your answer has arrived.",
        "thanks_text": "You can close this window.",
        "exercise": "This is an exercise.",
        "due": "Until",
        "optional": "(optional)",
        "file": "Files can only be added after signing in.",
        "comment": "Comment",
        "done": "Done, answer like this",
        "once": "With this link you can answer once.",
        "yes": "Yes",
        "no": "No",
        "unknown": "I do not know",
    },
}


def add_routes(app: web.Application, desk: Desk) -> None:
    """Put the page of task links into ``app``; ``desk`` reads and answers tasks."""
    app[DESK] = desk
    app.router.add_get(f"{links.PATH}{{token}}", _look)
    app.router.add_post(f"{links.PATH}{{token}}", _answer)


async def _look(request: web.Request) -> web.Response:
    """Show the task; nothing changes, for programs look at links before people do."""
    task = await _task(request)
    return _said(request, "gone", 404) if task is None else _asking(request, task)


async def _answer(request: web.Request) -> web.Response:
    """Take the answer, or show the task again with what is wrong with it."""
    task = await _task(request)
    if task is None:
        return _said(request, "gone", 404)
    form = await forms.read(request)
    given = {
        name: form.text(name).strip()[:_LONGEST]
        for name in (*task.questions, _COMMENT)
        if form.text(name).strip()
    }
    answers = {name: text for name, text in given.items() if name in task.questions}
    app, token = request.app, request.match_info["token"]
    now = app[SURROUNDINGS].now()
    try:
        done = await links.answer(
            app[DATABASE], app[DESK], token, answers, given.get(_COMMENT, ""), now
        )
    except Refused as error:
        return _asking(request, task, error, given)
    return _said(request, "thanks", 200) if done else _said(request, "gone", 404)


async def _task(request: web.Request) -> LinkedTask | None:
    app = request.app
    now, token = app[SURROUNDINGS].now(), request.match_info["token"]
    return await links.look(app[DATABASE], app[DESK], token, now)


def _asking(
    request: web.Request,
    task: LinkedTask,
    error: Refused | None = None,
    given: Mapping[str, str] = _NONE,
) -> web.Response:
    language = language_of(request)
    return _page(
        request,
        language,
        200 if error is None else 422,
        said=_SAID[language],
        task=task,
        due=_moment(task.due_at),
        reason="" if error is None else error.reason,
        field="" if error is None else error.field,
        given=given,
        choices=lambda question: _choices(question, language),
    )


def _said(request: web.Request, what: str, status: int) -> web.Response:
    language = language_of(request)
    said = _SAID[language]
    words = {"title": said[what], "text": said[f"{what}_text"]}
    return _page(request, language, status, said=words, task=None)


def _page(request: web.Request, language: Language, status: int, **values: Any) -> web.Response:
    center = request.app[TITLE]
    made = rendering.page("link.html", language, status, center=center, **values)
    made.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return made


def _choices(question: Question, language: Language) -> Sequence[tuple[str, str]]:
    """Return value and label of what can be chosen."""
    if question.kind == "choice":
        return [(one, one) for one in question.choices]
    return [(one, _SAID[language][one]) for one in ("yes", "no", "unknown")]


def _moment(micros: int | None) -> str:
    """Return a time as people in Germany read it."""
    if micros is None:
        return ""
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC).astimezone(WALL)
    return f"{moment:%d.%m.%Y %H:%M}"
