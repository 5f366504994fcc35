"""A playbook as a STIX object: a course of action that carries the document (OASIS extension)."""

import base64
import uuid

from cybercoop.playbooks.documents import Json

EXTENSION = "extension-definition--1e1c1bd7-c527-4215-8e18-e199e74da57c"

_SPACE = uuid.UUID("5f0c8d3a-1b64-5e0f-8a1d-4c9a7b2e6d10")


def course_of_action(document: Json, raw: bytes, marking_id: str) -> Json:
    """Return a checked document as a course of action under a marking; ``raw`` are its bytes."""
    body: Json = {
        "type": "course-of-action",
        "spec_version": "2.1",
        "id": f"course-of-action--{uuid.uuid5(_SPACE, document['id'])}",
        "created": document["created"],
        "modified": document["modified"],
        "revoked": document.get("revoked", False),
        "name": document["name"],
        "object_marking_refs": [marking_id],
        "extensions": {
            EXTENSION: {
                "extension_type": "property-extension",
                "playbook_id": document["id"],
                "created": document["created"],
                "modified": document["modified"],
                "playbook_creator": document["created_by"],
                "playbook_standard": "cacao",
                "playbook_abstraction": "template",
                "playbook_base64": base64.b64encode(raw).decode(),
            }
        },
    }
    if document.get("description"):
        body["description"] = document["description"]
    return body
