"""Nothing above what a way may carry leaves the house, in no byte of it."""

import base64
import json
import quopri
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop.collect import founding
from cybercoop.members.organisations import Kind, Organisation
from cybercoop.notices.carrying import MAIL, Most, carries
from cybercoop.sharing import keys_of, locks
from notices.office import DAY, hooked, notice, person, post, rounds, told
from notices.receivers import mail_server, receiver
from world import world

NAMES = st.sampled_from(["members", "krisenstab", "x"])
LOCKS = st.one_of(
    st.just(locks.PUBLIC),
    st.just(locks.COMMUNITY),
    NAMES.map(locks.group),
    NAMES.map(locks.strict),
    st.uuids().map(lambda one: locks.own(str(one))),
    st.text(max_size=12),
    st.sampled_from(["group:", "group", ":members", "Group:members", "sealed:members", "red"]),
)


@st.composite
def organisations(draw: st.DrawFn) -> Organisation:
    kind = draw(st.sampled_from(Kind))
    groups = draw(st.frozensets(NAMES, max_size=2))
    return Organisation("id", "name", kind, draw(st.booleans()), "c", groups=groups)


@given(st.sampled_from(Most), LOCKS, organisations())
def test_only_what_the_receiver_may_read_and_the_way_may_carry_is_shown(
    most: Most, lock: str, org: Organisation
) -> None:
    if not carries(most, lock, keys_of(org)):
        return
    assert lock in keys_of(org)
    assert lock in {locks.PUBLIC, locks.COMMUNITY} or lock.startswith("group:")
    assert most is not Most.NOTHING
    assert lock == locks.PUBLIC or most is not Most.CLEAR
    assert not lock.startswith("group:") or most is Most.AMBER


@given(LOCKS, organisations())
def test_a_way_that_may_carry_more_shows_no_less(lock: str, org: Organisation) -> None:
    shown = [carries(most, lock, keys_of(org)) for most in Most]
    assert shown == sorted(shown)
    assert carries(MAIL, lock, keys_of(org)) == shown[-1]


def plain(raw: bytes) -> bytes:
    """Return bytes with all that was packed in them laid open as well."""
    found = raw + quopri.decodestring(raw.replace(b"=\r\n", b""))
    for line in raw.splitlines():
        try:
            found += base64.b64decode(line, validate=True)
        except ValueError:
            continue
    return found


@pytest.mark.parametrize("lock", ["strict:members", "own:{org}", "group:krisenstab", "strange"])
@pytest.mark.parametrize("urgency", ["now", "digest"])
async def test_what_may_not_be_carried_is_in_no_byte_that_left(
    lock: str, urgency: str, tmp_path: Path
) -> None:
    async with (
        world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center,
        mail_server() as box,
        receiver() as hook,
    ):
        county = await center.org("Landkreis Geheim")
        await person(center, county, "anna")
        await hooked(center, county, hook)
        one = notice(
            center,
            county,
            "marker-key",
            lock.format(org=county.org.id),
            urgency=urgency,
            subject_de="marker-subject",
            text_de="marker-text",
            task_id="marker-task",
            role="marker-role",
        )
        await told(center, one)
        center.clock.forward(DAY)
        await rounds(center, post(center, box))
    assert (len(box.came), len(hook.came)) == (1, 1)
    left = [plain(box.came[0]), hook.came[0].body, str(hook.came[0].headers).encode()]
    for raw in left:
        assert b"marker" not in raw
        assert county.org.id.encode() not in raw
        assert b"Geheim" not in raw
        assert b"/t/" not in raw
    assert "Es wartet etwas auf Sie" in str(box.taken[0]["Subject"])
    assert b"Something is waiting" in left[0]
    assert b"Something is waiting" in left[1]


async def test_a_webhook_is_told_no_more_than_it_was_set_to(tmp_path: Path) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        county = await center.org("county")
        async with receiver() as hook:
            await hooked(center, county, hook, Most.GREEN)
            for lock in ("public", "community", "group:members"):
                await told(center, notice(center, county, lock, lock))
            await rounds(center, post(center, None))
    said = [json.loads(call.body).get("subject", {}).get("en") for call in hook.taken]
    assert set(said) == {"Task public", "Task community", None}


async def test_a_key_that_was_lost_since_hides_what_was_told_before(tmp_path: Path) -> None:
    async with (
        world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center,
        mail_server() as box,
    ):
        county = await center.org("county")
        await person(center, county, "anna")
        await center.group("Krisenstab", county)
        said = notice(center, county, "secret", "group:krisenstab", urgency="digest")
        await told(center, said)
        change = (center.database, "krisenstab", county.org.id)
        await founding.change_membership(*change, joins=False)
        center.clock.forward(DAY)
        await rounds(center, post(center, box))
    assert b"secret" not in plain(box.came[0])
