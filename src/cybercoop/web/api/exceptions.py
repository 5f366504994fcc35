"""Exceptions: values that must not be blocked; the center's for all, a county's for its devices."""

from typing import Annotated

import msgspec
from pydantic import Field

from cybercoop.collect import assets as deeds
from cybercoop.door import WAKE
from cybercoop.members.assets import Exemption
from cybercoop.members.tokens import Scope
from cybercoop.store import assets
from cybercoop.web.api._common import Moment, micros, moment
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing


class NewException(Asked):
    """Name a value that must not be blocked, and why."""

    value: Annotated[str, Field(min_length=1, max_length=16_384)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    until: Annotated[
        Moment | None, Field(description="without it the exception stands until it is ended")
    ] = None


class ShownException(msgspec.Struct, frozen=True):
    """Show an exception in force; ``scope`` is ``all`` for the center's and ``own`` for yours."""

    id: str
    kind: str
    value: str
    reason: str
    scope: str
    created: str | None
    until: str | None


class ShownExceptions(msgspec.Struct, frozen=True):
    """Show a page of the exceptions that count for you, newest first."""

    exceptions: list[ShownException]
    next: str | None


class EndedException(msgspec.Struct, frozen=True):
    """Name the exception that is over."""

    id: str


def _shown(one: Exemption, center_id: str) -> ShownException:
    scope = "all" if one.org_id == center_id else "own"
    made, until = moment(one.created_at), moment(one.until)
    return ShownException(one.id, one.kind, one.value, one.reason, scope, made, until)


async def list_exceptions(call: Call[Paging, None]) -> ShownExceptions:
    """Show the exceptions of the center and of the asker that are in force."""
    center_id = call.center.org_id
    async with call.database.read() as connection:
        whose = sorted({call.org.id, center_id})
        found = await assets.exemptions(connection, whose, call.around.now())
    shown, following = page(call, found, lambda one: (-one.created_at, one.id))
    return ShownExceptions([_shown(one, center_id) for one in shown], following)


async def add_exception(call: Call[Nothing, NewException]) -> ShownException:
    """Take a value off blocklists."""
    said = call.body
    until = micros(said.until)
    made = await deeds.except_for(
        call.database, call.center, call.org.id, said.value, said.reason, until, call.around
    )
    call.app[WAKE]()
    return _shown(made, call.center.org_id)


async def end_exception(call: Call[Nothing, None]) -> EndedException:
    """End an exception of the asker's own."""
    one = call.path["exception_id"]
    await deeds.end(call.database, one, call.org.id, call.around.now())
    call.app[WAKE]()
    return EndedException(one)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/exceptions",
        Scope.READ,
        list_exceptions,
        "List the exceptions in force: the center's and your own.",
        "Die geltenden Ausnahmen auflisten: die des Zentrums und Ihre eigenen.",
    ),
    Endpoint(
        "POST",
        "/exceptions",
        Scope.ADMIN,
        add_exception,
        "Take a value off blocklists: the center's for all, yours for your own devices.",
        "Einen Wert von Sperrlisten nehmen: das Zentrum für alle, Sie für Ihre Geräte.",
        status=201,
    ),
    Endpoint(
        "DELETE",
        "/exceptions/{exception_id}",
        Scope.ADMIN,
        end_exception,
        "End an exception of your own before its time.",
        "Eine eigene Ausnahme vorzeitig beenden.",
    ),
)
