"""Duties to report: which there are, which hold, until when, and drafts; nothing is ever filed."""

from typing import Annotated, Literal

import msgspec
from pydantic import Field

from cybercoop.collect import incident_documents
from cybercoop.collect import incidents as deeds
from cybercoop.incidents import profiles, taxonomy
from cybercoop.incidents.profiles import Profile
from cybercoop.incidents.taxonomy import Words
from cybercoop.members.tokens import Scope
from cybercoop.store import incidents
from cybercoop.web.api._common import Moment, micros, moment
from cybercoop.web.api.incidents import ShownClock, acting, shown_clock
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing


class NewClock(Asked):
    """Name a duty whose clocks run for this incident."""

    profile: Annotated[str, Field(min_length=1, max_length=40)]


class EndedClock(Asked):
    """Say that a report was made, that none is due here, or that it is open after all."""

    outcome: Literal["done", "waived", "open"]
    at: Annotated[Moment | None, Field(description="when it was made; without it now")] = None
    reason: Annotated[str, Field(max_length=2000)] = ""


class Choice(Asked):
    """Say whether a duty holds for your organisation."""

    applies: bool


class Clocks(msgspec.Struct, frozen=True):
    """Show the clocks that were started."""

    id: str
    clocks: list[ShownClock]


class ShownStage(msgspec.Struct, frozen=True):
    """Show one report that a duty asks for; ``fixed`` says that the span is the law's."""

    stage: str
    title: Words
    within: str
    since: str
    fixed: bool


class ShownProfile(msgspec.Struct, frozen=True):
    """Show a duty to report; ``applies`` says whether your incidents begin with its clocks."""

    id: str
    country: str
    title: Words
    source: Words
    to: Words
    who: Words
    role: str
    verified: bool
    applies: bool
    stages: list[ShownStage]


class ShownProfiles(msgspec.Struct, frozen=True):
    """Show all duties that are known here."""

    profiles: list[ShownProfile]
    note: Words


class ShownDue(msgspec.Struct, frozen=True):
    """Show one report that is due soon or overdue."""

    incident: str
    clock: ShownClock


class AllDue(msgspec.Struct, frozen=True):
    """Show what is due soon or overdue, most urgent first."""

    due: list[ShownDue]


class Draft(msgspec.Struct, frozen=True):
    """Show what a report could say, in German; people finish it and send it."""

    id: str
    profile: str
    stage: str
    due: str | None
    text: str


class ShownType(msgspec.Struct, frozen=True):
    """Show a type of incident."""

    type: str
    title: Words


class ShownCategory(msgspec.Struct, frozen=True):
    """Show a class of incidents with its types."""

    category: str
    title: Words
    types: list[ShownType]


class ShownTaxonomy(msgspec.Struct, frozen=True):
    """Show the published taxonomy that incidents are classed by."""

    name: str
    version: str
    source: str
    categories: list[ShownCategory]


async def list_categories(call: Call[Nothing, None]) -> ShownTaxonomy:  # noqa: ARG001 - its type is read
    """Show what an incident can be."""
    known = taxonomy.taxonomy()
    found = [
        ShownCategory(
            name, Words(one.de, one.en), [ShownType(each, said) for each, said in one.types.items()]
        )
        for name, one in known.categories.items()
    ]
    return ShownTaxonomy(known.name, known.version, known.source, found)


async def list_profiles(call: Call[Nothing, None]) -> ShownProfiles:
    """Show the duties to report that are known here, and which of them hold."""
    async with call.database.read() as connection:
        chosen = await incidents.chosen(connection, call.org.id)
    applying = {one.name for one in profiles.applying(call.org.kind.value, chosen)}
    found = [_profile(one, one.name in applying) for one in profiles.profiles().values()]
    return ShownProfiles(found, profiles.NOTE)


def _profile(one: Profile, applies: bool) -> ShownProfile:
    stages = [
        ShownStage(each.name, each.title, each.within, each.since, each.fixed)
        for each in one.stages
    ]
    words = (one.title, one.source, one.to, one.who)
    return ShownProfile(one.name, one.country, *words, one.role, one.verified, applies, stages)


async def choose_profile(call: Call[Nothing, Choice]) -> ShownProfile:
    """Say whether new incidents begin with the clocks of a duty."""
    name, applies = call.path["profile"], call.body.applies
    async with call.database.write() as connection:
        by = await acting(connection, call)
        await deeds.choose(connection, by, name, applies=applies)
        answer = _profile(profiles.find(name), applies)
        await call.keep(connection, answer)
    return answer


async def list_due(call: Call[Nothing, None]) -> AllDue:
    """Show which reports of the asker's organisation are due soon or overdue."""
    now = call.around.now()
    async with call.database.read() as connection:
        found = await incidents.due(connection, now, call.org.id)
    return AllDue([ShownDue(one.incident_id, shown_clock(one, now)) for _, one in found])


async def start_clocks(call: Call[Nothing, NewClock]) -> Clocks:
    """Start the clocks of a duty for one incident."""
    one, now = call.path["incident_id"], call.around.now()
    async with call.database.write() as connection:
        by = await acting(connection, call)
        made = await deeds.start(connection, by, one, call.body.profile)
        answer = Clocks(one, [shown_clock(each, now) for each in made])
        await call.keep(connection, answer)
    return answer


async def end_clock(call: Call[Nothing, EndedClock]) -> Clocks:
    """Note that a report was made; all clocks of the incident are shown, some may have moved."""
    one, now, said = call.path["incident_id"], call.around.now(), call.body
    place = (call.path["profile"], call.path["stage"])
    outcome = "" if said.outcome == "open" else said.outcome
    async with call.database.write() as connection:
        by = await acting(connection, call)
        await deeds.end_clock(connection, by, one, place, outcome, micros(said.at), said.reason)
        held = await incidents.clocks_of(connection, one)
        answer = Clocks(one, [shown_clock(each, now) for each in held])
        await call.keep(connection, answer)
    return answer


async def show_draft(call: Call[Nothing, None]) -> Draft:
    """Show a draft of one report, filled with what is known of the incident."""
    one, profile, stage = (call.path[name] for name in ("incident_id", "profile", "stage"))
    async with call.database.read() as connection:
        by = await acting(connection, call)
        text, due = await incident_documents.draft(connection, by, one, profile, stage)
    return Draft(one, profile, stage, moment(due), text)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/incident-categories",
        Scope.READ,
        list_categories,
        "List the categories and types of incidents.",
        "Die Kategorien und Arten von Vorfällen auflisten.",
    ),
    Endpoint(
        "GET",
        "/reporting-profiles",
        Scope.READ,
        list_profiles,
        "List the duties to report, and which hold for you.",
        "Die Meldepflichten auflisten und welche für Sie gelten.",
    ),
    Endpoint(
        "PATCH",
        "/reporting-profiles/{profile}",
        Scope.ADMIN,
        choose_profile,
        "Say whether a duty to report holds for you.",
        "Sagen, ob eine Meldepflicht für Sie gilt.",
    ),
    Endpoint(
        "GET",
        "/reports-due",
        Scope.READ,
        list_due,
        "List reports that are due soon or overdue.",
        "Meldungen auflisten, die bald fällig oder überfällig sind.",
    ),
    Endpoint(
        "POST",
        "/incidents/{incident_id}/clocks",
        Scope.WRITE,
        start_clocks,
        "Start the clocks of a duty for one incident.",
        "Die Fristen einer Meldepflicht für einen Vorfall starten.",
        status=201,
    ),
    Endpoint(
        "PATCH",
        "/incidents/{incident_id}/clocks/{profile}/{stage}",
        Scope.WRITE,
        end_clock,
        "Note that a report was made, or is not due; nothing is sent.",
        "Festhalten, dass gemeldet wurde oder nicht zu melden ist; nichts wird gesendet.",
    ),
    Endpoint(
        "GET",
        "/incidents/{incident_id}/drafts/{profile}/{stage}",
        Scope.READ,
        show_draft,
        "Show a draft of a report, in German.",
        "Den Entwurf einer Meldung zeigen.",
        also=frozenset({422}),
    ),
)
