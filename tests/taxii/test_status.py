"""What became of a POST (TAXII 2.1 section 4.3)."""

import uuid

from cybercoop.stix import times
from taxii.lab import FIXTURE, UNKNOWN, Lab, several
from world import START, TAXII, World, indicator

HOUR = 3_600_000_000
PATH = "/taxii2/coop/status/"


async def test_a_status_counts_and_names_what_became_of_everything(center: World) -> None:
    """TAXII checklist 52."""
    seat = await center.org("Landkreis A")
    bad = [one | {"confidence": 101} for one in several(2)]
    good = [indicator(f"{number}.good.example") for number in range(3)]
    posted = await center.post(seat, [*bad, *good])
    said = posted.json
    assert str(uuid.UUID(said["id"])) == said["id"]
    assert said["status"] in {"complete", "pending"}
    counts = [said[f"{kind}_count"] for kind in ("success", "failure", "pending")]
    assert (counts, said["total_count"]) == ([3, 2, 0], 5)
    assert said["request_timestamp"] == times.text(START)
    for kind, sent in (("successes", good), ("failures", bad)):
        named = [(one["id"], one["version"]) for one in said[kind]]
        assert named == [(one["id"], one["modified"]) for one in sent]
    assert "pendings" not in said
    again = await center.get(f"{PATH}{said['id']}/", seat)
    assert (again.status, again.body) == (200, posted.body)
    assert again.headers["Content-Type"] == TAXII


async def test_a_status_is_kept_for_a_day_and_then_forgotten(center: World) -> None:
    """TAXII checklist 53."""
    seat = await center.org("Landkreis A")
    said = (await center.post(seat, several(1))).json
    center.clock.forward(25 * HOUR)
    assert (await center.get(f"{PATH}{said['id']}/", seat)).json == said
    center.clock.forward(48 * HOUR)
    assert (await center.get(f"{PATH}{said['id']}/", seat)).status == 404


async def test_a_status_that_nobody_has_is_not_found(center: World) -> None:
    """TAXII checklist 54."""
    seat = await center.org("Landkreis A")
    for name in (UNKNOWN, "1", "no-uuid", "%00", "ü" * 300):
        assert (await center.get(f"{PATH}{name}/", seat)).status == 404


async def test_a_status_is_for_its_poster_alone(stored_center: World) -> None:
    """TAXII checklist 55."""
    center = stored_center
    one, other = await center.org("Landkreis A"), await center.org("Landkreis B")
    said = (await center.post(one, several(1))).json
    hidden = await center.get(f"{PATH}{said['id']}/", other)
    missing = await center.get(f"{PATH}{UNKNOWN}/", other)
    assert (hidden.status, hidden.body) == (missing.status, missing.body) == (404, missing.body)
    assert (await center.get(f"{PATH}{said['id']}/", one)).status == 200


async def test_statuses_of_the_fixture_belong_to_their_posters(lab: Lab) -> None:
    ready = FIXTURE["status"][0]
    posted = (await lab.post("phishing", indicator("evil.example"), user="gast")).json
    for one, reader, other in ((ready, "admin", "gast"), (posted, "gast", "admin")):
        path = f"status/{one['id']}/"
        assert (await lab.request("GET", path, reader)).json == one
        assert (await lab.request("GET", path, other)).status == 404
