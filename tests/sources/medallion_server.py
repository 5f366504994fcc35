"""A medallion in a process of its own: python medallion_server.py FILE PORT.

FILE holds ``objects`` with a time under which they were added, and is read at each start, so that
the server remembers after a kill what it had.
"""

import json
import sys
from datetime import datetime
from pathlib import Path

import medallion
from werkzeug.serving import make_server

ROOT, COLLECTION = "trustgroup1", "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
MEDIA = "application/stix+json;version=2.1"


def empty() -> dict[str, object]:
    collection = {"id": COLLECTION, "title": "All", "can_read": True, "can_write": True}
    collection |= {"media_types": [MEDIA], "objects": [], "manifest": []}
    versions = ["application/taxii+json;version=2.1"]
    information = {"title": "Root", "versions": versions, "max_content_length": 9765625}
    return {
        "/discovery": {"title": "Other", "default": f"/{ROOT}/", "api_roots": [f"/{ROOT}/"]},
        ROOT: {"information": information, "status": [], "collections": [collection]},
    }


def main(file: Path, port: int) -> None:
    app, start = medallion.application_instance, file.with_suffix(".start.json")
    start.write_text(json.dumps(empty()))
    backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend"}
    said = {
        "users": {"admin": "Password0"},
        "taxii": {"max_page_size": 50},
        "backend": backend | {"filename": str(start)},
    }
    for part in said:
        medallion.set_config(app, part, said)
    medallion.register_blueprints(app)
    for added in json.loads(file.read_text()):
        moment = datetime.fromisoformat(added["at"])
        app.medallion_backend.add_objects(ROOT, COLLECTION, {"objects": added["objects"]}, moment)
    server = make_server("127.0.0.1", port, app, threaded=True)
    sys.stdout.write(f"medallion serves on http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
