"""Looking up to 10,000 values up: listed or not, since when, what objects, which feeds carry it."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from pydantic import Field

from cybercoop.collect import looking_up
from cybercoop.collect.known import Asker, Found
from cybercoop.members.tokens import Scope
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing
from cybercoop.web.handed_in import LISTS
from cybercoop.web.rules_now import guard_now


class Lookup(Asked):
    """Name values as they are: addresses, networks, names, URLs, hashes, also defanged."""

    values: Annotated[list[str], Field(min_length=1, max_length=looking_up.MOST)]


class Lookups(msgspec.Struct, frozen=True):
    """Say of each value, in the order asked, what is known of it."""

    values: Sequence[Found]


async def look_up(call: Call[Nothing, Lookup]) -> Lookups:
    """Look values up under the keys of the asker."""
    rules, lists = await guard_now(call.app), call.app[LISTS]
    asker = Asker(call.org, call.center, call.around.now())
    return Lookups(await looking_up.look_up(call.database, rules, lists, asker, call.body.values))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/lookup",
        Scope.READ,
        look_up,
        "Look values up: listed or not, since and until when, what speaks against it, and which of"
        " your feeds carry it.",
        "Werte nachschlagen: gelistet oder nicht, seit und bis wann, was dagegen spricht, und"
        " welche Ihrer Feeds sie führen.",
        changes=False,
    ),
)
