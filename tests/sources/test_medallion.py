"""The TAXII server of OASIS as source: it repeats ``next`` and gives equal times to many."""

import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import medallion
import pytest
from werkzeug.serving import BaseWSGIServer, make_server

from cybercoop.egress import Credentials, Rules
from sources.collecting import collect, source
from sources.test_taxii import objects

ROOT, COLLECTION = "trustgroup1", "91a7b528-80eb-42ed-a74d-c6fbd5a26116"


def bundle(name: str, count: int) -> list[dict[str, Any]]:
    return [
        {
            "type": "indicator",
            "spec_version": "2.1",
            "id": f"indicator--{uuid.uuid5(uuid.NAMESPACE_OID, f'{name}{number}')}",
            "created": "2026-01-01T00:00:00.000Z",
            "modified": "2026-01-01T00:00:00.000Z",
            "pattern": f"[domain-name:value = '{name}{number}.example']",
            "pattern_type": "stix",
            "valid_from": "2026-01-01T00:00:00Z",
        }
        for number in range(count)
    ]


@dataclass(frozen=True)
class Medallion:
    """A running medallion."""

    server: BaseWSGIServer

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def rules(self) -> Rules:
        ports = frozenset({self.server.server_port})
        return Rules(frozenset({"http"}), ports, frozenset({"127.0.0.1"}))

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.origin, {"Authorization": "Basic YWRtaW46UGFzc3dvcmQw"})

    def add(self, found: list[dict[str, Any]], moment: datetime) -> set[str]:
        """Add objects that all count as added at ``moment``."""
        backend = medallion.application_instance.medallion_backend
        ids = {one["id"] for one in found}
        backend.add_objects(ROOT, COLLECTION, {"objects": found}, moment)
        return ids


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Medallion]:
    """Lend a medallion with an empty collection on loopback."""
    app = medallion.application_instance
    file = tmp_path_factory.mktemp("medallion") / "data.json"
    file.write_text(json.dumps(data()))
    backend = {
        "module": "medallion.backends.memory_backend",
        "module_class": "MemoryBackend",
        "filename": str(file),
    }
    said = {"users": {"admin": "Password0"}, "taxii": {"max_page_size": 20}, "backend": backend}
    for part in said:
        medallion.set_config(app, part, said)
    medallion.register_blueprints(app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Medallion(server)
    server.shutdown()
    thread.join()
    server.server_close()


def data() -> dict[str, Any]:
    media = ["application/stix+json;version=2.1"]
    collection = {
        "id": COLLECTION,
        "title": "All",
        "can_read": True,
        "can_write": True,
        "media_types": media,
        "objects": [],
        "manifest": [],
    }
    return {
        "/discovery": {"title": "Other", "default": f"/{ROOT}/", "api_roots": [f"/{ROOT}/"]},
        ROOT: {
            "information": {
                "title": "Root",
                "versions": ["application/taxii+json;version=2.1"],
                "max_content_length": 9765625,
            },
            "status": [],
            "collections": [collection],
        },
    }


async def test_medallion_is_read_to_the_end_and_resumed(other: Medallion) -> None:
    one = source("taxii21", f"{other.origin}/taxii2/")
    own = other.credentials
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    first = other.add(bundle("a", 30), early) | other.add(bundle("b", 70), late)
    whole = await collect(one, other.rules, credentials=own)
    assert len(whole) == 5
    assert set(objects(whole)) == first
    for pages in range(1, 5):
        name = f"page {pages}"
        part = await collect(
            one, other.rules, credentials=own, until=lambda got, name=name: got.name == name
        )
        rest = await collect(one, other.rules, part[-1].cursor, credentials=own)
        assert set(objects(part)) | set(objects(rest)) == first
    (nothing,) = await collect(one, other.rules, whole[-1].cursor, credentials=own)
    assert nothing.unchanged
    new = other.add(bundle("c", 5), datetime(2026, 1, 3, tzinfo=UTC))
    assert set(objects(await collect(one, other.rules, nothing.cursor, credentials=own))) == new
