"""Endpoints of the REST API, as data: routes and the OpenAPI document are made of the same.

What comes in is checked by pydantic, what goes out is written by msgspec. Which models an endpoint
has stands in the signature of its deed alone.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar, get_args, get_type_hints

import msgspec
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from cybercoop.door import CENTER, DATABASE, SETTINGS, SURROUNDINGS, Reader
from cybercoop.members.organisations import Organisation
from cybercoop.members.tokens import Scope
from cybercoop.store.database import Connection, Database
from cybercoop.store.members import Center
from cybercoop.surroundings import Surroundings

ROOT = "/api/v1"

QueryT_co = TypeVar("QueryT_co", covariant=True)
BodyT_co = TypeVar("BodyT_co", covariant=True)
Keep = Callable[[Connection, msgspec.Struct], Awaitable[None]]


class Asked(BaseModel):
    """Take nothing that is not known: a misspelt field would go unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Asked):
    """Take no parameters."""


@dataclass(frozen=True, slots=True)
class Call(Generic[QueryT_co, BodyT_co]):
    """Hold one request: who asks, and what was said in path, query and body.

    ``keep`` remembers the answer in the transaction of the deed, for requests that come again
    under the same idempotency key; where a deed does not use it, the answer is kept afterwards.
    """

    app: web.Application
    reader: Reader
    address: str
    path: Mapping[str, str]
    query: QueryT_co
    body: BodyT_co
    keep: Keep

    @property
    def org(self) -> Organisation:
        """Return whose token it is."""
        return self.reader.org

    @property
    def database(self) -> Database:
        """Return the database."""
        return self.app[DATABASE]

    @property
    def center(self) -> Center:
        """Return the center."""
        return self.app[CENTER]

    @property
    def around(self) -> Surroundings:
        """Return time and chance."""
        return self.app[SURROUNDINGS]

    @property
    def is_center(self) -> bool:
        """Say whether the center itself asks."""
        return self.org.id == self.center.org_id


Deed = Callable[[Call[Any, Any]], Awaitable[msgspec.Struct]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Hold one method of one path: who may use it, what it does, and how it is called.

    ``also`` are statuses beyond those that follow from the rest; ``secret`` names a field of the
    answer that is shown once and kept nowhere.
    """

    method: str
    path: str
    scope: Scope
    deed: Deed
    english: str
    german: str
    status: int = 200
    also: frozenset[int] = frozenset()
    for_center: bool = False
    changes: bool = True
    secret: str = ""

    @property
    def is_change(self) -> bool:
        """Say whether a repeated request could do harm."""
        return self.changes and self.method != "GET"


@dataclass(frozen=True, slots=True)
class Models:
    """Hold what an endpoint takes and gives; ``body`` is None, bytes or a model."""

    query: type[BaseModel]
    body: type[BaseModel] | type[bytes] | None
    answer: type[msgspec.Struct]

    @property
    def takes_json(self) -> type[BaseModel] | None:
        """Return the model of the body, where it has one."""
        if self.body is None or not issubclass(self.body, BaseModel):
            return None
        return self.body


@cache
def models_of(endpoint: Endpoint) -> Models:
    """Return the models that the signature of an endpoint's deed names."""
    hints = get_type_hints(endpoint.deed)
    query, body = get_args(hints["call"])
    return Models(query, None if body is type(None) else body, hints["return"])


def limit_of(app: web.Application, models: Models, most_json: int) -> int:
    """Return how many bytes a body may have."""
    most = app[SETTINGS].max_content_length
    return most if models.takes_json is None else min(most, most_json)
