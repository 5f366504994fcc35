"""Giving an incident to others, reduced or whole, and taking it away as STIX or PDF."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field

from cybercoop.collect import incident_documents
from cybercoop.collect import incident_sharing as deeds
from cybercoop.collect.checking import Verdict
from cybercoop.collect.incident_sharing import Way
from cybercoop.door import WAKE
from cybercoop.members.tokens import Scope
from cybercoop.sharing import Addressed
from cybercoop.web.api.incidents import ShownShare, acting, shown_share
from cybercoop.web.api.push import Level, Text
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing


class Giving(Asked):
    """Say who may see it: a level, a group, or both."""

    tlp: Annotated[Level, Field(description="level of all that is given")] = None
    group: Annotated[Text, Field(description="group that it is meant for")] = None
    named: Annotated[bool, Field(description="be named as contributor")] = False


class Sharing(Giving):
    """Say what is given: without ``with_text`` category, severity, days and values only."""

    with_text: Annotated[
        bool, Field(description="give title and text, too; look at the preview first")
    ] = False
    indicators: Annotated[bool, Field(description="give the values of the incident along")] = True


class Printing(Asked):
    """Say in which language the headings of a report are."""

    language: Literal["de", "en"] = "de"


class SharePreview(msgspec.Struct, frozen=True):
    """Show the very objects that would be given, under which lock, and who would see them."""

    id: str
    lock: str
    audience: Sequence[str]
    objects: Sequence[dict[str, Any]]


class GivenIndicators(msgspec.Struct, frozen=True):
    """Say what became of each value, and under which id the push can be taken back."""

    id: str
    push_id: str
    verdicts: Sequence[Verdict]


class StixBundle(msgspec.Struct, frozen=True):
    """Return an incident as a STIX 2.1 bundle, for your own use: it carries no marking."""

    type: str
    id: str
    objects: Sequence[dict[str, Any]]


class Paper(msgspec.Struct, frozen=True):
    """Return a report; its content is in base64."""

    id: str
    media_type: str
    content: bytes


def _way(said: Sharing) -> Way:
    addressed = Addressed(said.tlp, said.group)
    return Way(addressed, not said.with_text, named=said.named, indicators=said.indicators)


async def preview_share(call: Call[Nothing, Sharing]) -> SharePreview:
    """Show what sharing would give to whom; change nothing."""
    one = call.path["incident_id"]
    async with call.database.read() as connection:
        by = await acting(connection, call)
    found = await deeds.preview(call.database, call.center, by, one, _way(call.body))
    return SharePreview(one, found.lock, found.names, found.objects)


async def share_incident(call: Call[Nothing, Sharing]) -> ShownShare:
    """Give an incident, as it is now, to others."""
    async with call.database.write() as connection:
        by = await acting(connection, call)
        one = call.path["incident_id"]
        given = await deeds.share(connection, call.center, by, one, _way(call.body))
        answer = shown_share(given)
        await call.keep(connection, answer)
    call.app[WAKE]()
    return answer


async def withdraw_share(call: Call[Nothing, None]) -> ShownShare:
    """Take back what was given of an incident."""
    async with call.database.write() as connection:
        by = await acting(connection, call)
        answer = shown_share(await deeds.withdraw(connection, by, call.path["incident_id"]))
        await call.keep(connection, answer)
    call.app[WAKE]()
    return answer


async def give_indicators(call: Call[Nothing, Giving]) -> GivenIndicators:
    """Push the values of an incident in one step."""
    said, one = call.body, call.path["incident_id"]
    way = Way(Addressed(said.tlp, said.group), named=said.named)
    async with call.database.write() as connection:
        by = await acting(connection, call)
        push_id, verdicts = await deeds.give_indicators(connection, call.center, by, one, way)
        answer = GivenIndicators(one, push_id, verdicts)
        await call.keep(connection, answer)
    call.app[WAKE]()
    return answer


async def export_stix(call: Call[Nothing, None]) -> StixBundle:
    """Return an incident as STIX."""
    async with call.database.read() as connection:
        by = await acting(connection, call)
        _, made = await incident_documents.as_stix(connection, by, call.path["incident_id"])
    return StixBundle(made["type"], made["id"], made["objects"])


async def export_pdf(call: Call[Printing, None]) -> Paper:
    """Return an incident as PDF."""
    async with call.database.read() as connection:
        by = await acting(connection, call)
        one = call.path["incident_id"]
        _, made = await incident_documents.as_pdf(connection, by, one, call.query.language)
    return Paper(one, "application/pdf", made)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/incidents/{incident_id}/share/preview",
        Scope.WRITE,
        preview_share,
        "Show what sharing would give to whom; nothing is given.",
        "Zeigen, was beim Teilen an wen ginge; nichts wird geteilt.",
        changes=False,
    ),
    Endpoint(
        "POST",
        "/incidents/{incident_id}/share",
        Scope.WRITE,
        share_incident,
        "Share an incident, reduced unless its text is cleared.",
        "Einen Vorfall teilen, verkürzt, solange der Text nicht freigegeben ist.",
    ),
    Endpoint(
        "DELETE",
        "/incidents/{incident_id}/share",
        Scope.WRITE,
        withdraw_share,
        "Take back what was shared of an incident.",
        "Zurücknehmen, was von einem Vorfall geteilt war.",
    ),
    Endpoint(
        "POST",
        "/incidents/{incident_id}/indicators/push",
        Scope.WRITE,
        give_indicators,
        "Push the values of an incident in one step.",
        "Die Werte eines Vorfalls in einem Schritt melden.",
    ),
    Endpoint(
        "GET",
        "/incidents/{incident_id}/stix",
        Scope.READ,
        export_stix,
        "Return an incident as a STIX bundle for your own use.",
        "Einen Vorfall als STIX-Bündel für sich selbst ausgeben.",
    ),
    Endpoint(
        "GET",
        "/incidents/{incident_id}/pdf",
        Scope.READ,
        export_pdf,
        "Return an incident as PDF for your own use.",
        "Einen Vorfall als PDF für sich selbst ausgeben.",
    ),
)
