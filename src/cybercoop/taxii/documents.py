"""Documents: the resources of TAXII 2.1 as bytes, glued from stored ones where they are large."""

from collections.abc import Sequence
from typing import Any

import msgspec

from cybercoop.collect.checking import REFUSED, Verdict
from cybercoop.stix import times
from cybercoop.store.paging import Page

EPOCH = "1970-01-01T00:00:00.000000Z"
encode = msgspec.json.encode


def envelope(page: Page, following: str | None) -> bytes:
    """Return an envelope of the exact stored bytes (section 3.7); an empty one is ``{}``."""
    if not page.count:
        return b"{}"
    head = b'{"more":false,' if following is None else _more(following)
    return b"".join((head, b'"objects":[', page.glued, b"]}"))


def _more(following: str) -> bytes:
    return b'{"more":true,"next":"' + following.encode() + b'",'


def manifest(page: Page) -> bytes:
    """Return a manifest of rows (date_added, place, id, version, spec) (section 5.6.1)."""
    if not page.rows:
        return b"{}"
    records = [
        {
            "id": stix_id,
            "date_added": times.text(date_added),
            "version": version,
            "media_type": f"application/stix+json;version={spec}",
        }
        for date_added, _, stix_id, version, spec in page.rows
    ]
    return encode({"more": page.more, "objects": records})


def versions(page: Page) -> bytes:
    """Return the versions of rows (date_added, place, version) (section 5.8.1)."""
    if not page.rows:
        return b"{}"
    found = list(dict.fromkeys(row[2] for row in page.rows))
    return encode({"more": page.more, "versions": found})


def stamps(page: Page, asked_after: int) -> dict[str, str]:
    """Return the two X-TAXII headers (section 3.3); an empty page repeats what was asked."""
    if page.count:
        first, last = times.text(page.first), times.text(page.last)
    else:
        first = last = times.text(asked_after) if asked_after >= times.FIRST else EPOCH
    return {"X-TAXII-Date-Added-First": first, "X-TAXII-Date-Added-Last": last}


def status(status_id: str, verdicts: Sequence[Verdict], now: int) -> bytes:
    """Return the status resource of a POST (section 4.3.1)."""
    good = [_detail(number, one, now) for number, one in enumerate(verdicts) if not _bad(one)]
    bad = [_detail(number, one, now) for number, one in enumerate(verdicts) if _bad(one)]
    said: dict[str, Any] = {
        "id": status_id,
        "status": "complete",
        "request_timestamp": times.text(now),
        "total_count": len(verdicts),
        "success_count": len(good),
        "failure_count": len(bad),
        "pending_count": 0,
    }
    lists = {"successes": good, "failures": bad}
    return encode(said | {name: some for name, some in lists.items() if some})


def _bad(verdict: Verdict) -> bool:
    return verdict.outcome == REFUSED


def _detail(number: int, verdict: Verdict, now: int) -> dict[str, str]:
    message = f"{verdict.field}: {verdict.reason}" if verdict.field else verdict.reason
    said = {
        "id": verdict.id or f"object {number + 1} of the envelope",
        "version": verdict.version or times.text(now),
        "message": message,
    }
    return {name: value for name, value in said.items() if value}
