"""Clocks across months, changes of time and years, and the profiles they come from."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop.errors import Refused
from cybercoop.incidents import drafts, profiles, taxonomy
from cybercoop.incidents.cases import NEXT, Incident, Severity, State
from cybercoop.incidents.clocks import Clock, Span, after, span
from cybercoop.incidents.reminding import reminder
from cybercoop.playbooks.duties import ROLES
from cybercoop.stix import times

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3_600_000_000


def micros(wall: str, zone: ZoneInfo = BERLIN) -> int:
    return round(datetime.fromisoformat(wall).replace(tzinfo=zone).timestamp()) * 1_000_000


def wall(moment: int, zone: ZoneInfo = BERLIN) -> str:
    return datetime.fromtimestamp(moment // 1_000_000, zone).strftime("%Y-%m-%d %H:%M %Z")


@pytest.mark.parametrize(
    ("begins", "length", "ends"),
    [
        ("2026-01-31 10:00", "P1M", "2026-02-28 10:00 CET"),
        ("2028-01-31 10:00", "P1M", "2028-02-29 10:00 CET"),
        ("2026-12-31 23:30", "P1M", "2027-01-31 23:30 CET"),
        ("2026-12-30 18:00", "PT72H", "2027-01-02 18:00 CET"),
        ("2026-11-30 08:00", "P3M", "2027-02-28 08:00 CET"),
        # Clocks go forward on 29 March 2026: the day has 23 hours, and no 02:30.
        ("2026-03-28 12:00", "PT24H", "2026-03-29 13:00 CEST"),
        ("2026-03-28 12:00", "P1D", "2026-03-29 12:00 CEST"),
        ("2026-02-28 02:30", "P1M", "2026-03-28 02:30 CET"),
        ("2026-03-28 02:30", "P1D", "2026-03-29 03:30 CEST"),
        # Clocks go back on 25 October 2026: 02:30 comes twice, the first of them counts.
        ("2026-10-24 12:00", "PT24H", "2026-10-25 11:00 CET"),
        ("2026-09-25 02:30", "P1M", "2026-10-25 02:30 CEST"),
        ("2026-10-24 02:30", "P1D", "2026-10-25 02:30 CEST"),
        ("2026-09-25 12:00", "P1M", "2026-10-25 12:00 CET"),
        ("2026-01-31 10:00", "P1MT1H", "2026-02-28 11:00 CET"),
    ],
)
def test_a_span_ends_when_the_calendar_says(begins: str, length: str, ends: str) -> None:
    assert wall(after(micros(begins), span(length), BERLIN)) == ends


@given(
    st.integers(micros("2020-01-01 00:00"), micros("2100-01-01 00:00")),
    st.integers(0, 999),
    st.sampled_from(["Europe/Berlin", "Europe/Vienna", "Europe/Zurich"]),
)
def test_hours_are_hours_that_pass(moment: int, hours: int, zone: str) -> None:
    assert after(moment, Span(minutes=hours * 60), ZoneInfo(zone)) == moment + hours * HOUR


@given(
    st.integers(micros("2020-01-01 00:00"), micros("2100-01-01 00:00")),
    st.integers(1, 99),
    st.integers(0, 999),
)
def test_a_later_start_never_ends_on_an_earlier_day(moment: int, months: int, days: int) -> None:
    length = Span(months, days)
    ends = after(moment, length, BERLIN)
    assert ends > moment
    # A month cut off at its end lets two days end on one, each at its own time of day.
    later = after(moment + 2 * HOUR, length, BERLIN)
    assert wall(later)[:10] >= wall(ends)[:10]


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "1M", "P1Y", "P1W", "PT1S", "P-1M", "P1.5D", "p1m"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        span(text)


def test_a_stage_runs_from_when_the_one_before_was_done() -> None:
    known = micros("2026-12-30 18:00")
    bsig = profiles.find("bsig")
    early, report, final = profiles.clocks_of("case", bsig, known)
    ends = [wall(one.due_at or 0) for one in (early, report, final)]
    assert ends == ["2026-12-31 18:00 CET", "2027-01-02 18:00 CET", "2027-02-02 18:00 CET"]
    done = Clock("case", "bsig", "report", known, report.due_at, "done", micros("2026-12-31 09:00"))
    *_, final = profiles.clocks_of("case", bsig, known, [done])
    assert wall(final.due_at or 0) == "2027-01-31 09:00 CET"


def test_a_duty_without_a_number_is_due_at_once() -> None:
    known = micros("2026-05-01 10:00")
    (clock,) = profiles.clocks_of("case", profiles.find("dsgvo-34"), known)
    assert (clock.due_at, clock.is_soon(known), clock.is_overdue(known + 10**15)) == (
        None,
        True,
        False,
    )


def test_people_are_reminded_in_the_last_quarter_and_once_it_is_late() -> None:
    known = micros("2026-05-01 10:00")
    clock, _ = profiles.clocks_of("case", profiles.find("land-cert"), known)
    assert reminder("org", clock, known + 17 * HOUR) is None
    soon = reminder("org", clock, known + 18 * HOUR)
    late = reminder("org", clock, known + 25 * HOUR)
    assert soon is not None
    assert late is not None
    assert (soon.overdue, late.overdue, soon.role) == (False, True, "security-officer")
    assert soon.key != late.key
    assert soon == reminder("org", clock, known + 20 * HOUR)


def test_every_profile_is_whole() -> None:
    named = {"land-cert", "bsig", "dsgvo-33", "dsgvo-34", "strafanzeige", "at-nis", "ch-isg"}
    found = profiles.profiles()
    assert named <= found.keys()
    for name, one in found.items():
        assert one.name == name
        assert one.role in ROLES
        ZoneInfo(one.zone)
        before = {"knowledge"}
        for stage in one.stages:
            assert stage.since in before, (name, stage.name)
            before.add(stage.name)
            asked = set(re.findall(r"{(\w*)}", stage.draft))
            assert asked <= set(drafts.FACTS), (name, stage.name, asked - set(drafts.FACTS))
            assert "{organisation}" in stage.draft
            text = drafts.draft(name, stage.name, {})
            assert ("noch nicht geprüft" in text) != one.verified
            assert "Keine Rechtsberatung" in text


def test_a_draft_leaves_open_what_is_not_known_and_reads_nothing_in_facts() -> None:
    facts = {"organisation": "Landkreis {text}", "text": "{organisation} %s ${x}\n{"}
    text = drafts.draft("dsgvo-33", "report", facts)
    assert "Landkreis {text}" in text
    assert "{organisation} %s ${x}\n{" in text
    assert drafts.MISSING in text
    for profile, stage in (("nothing", "report"), ("bsig", "nothing")):
        with pytest.raises(Refused):
            drafts.draft(profile, stage, {})


def test_a_draft_says_times_of_the_wall() -> None:
    case = Incident(
        *("id", "org", "Titel", "", "fraud", "phishing", Severity.LOW, State.REPORTED),
        *(times.micros("2026-10-25T00:30:00Z"), times.micros("2026-10-25T01:30:00Z"), 0, 0),
    )
    facts = drafts.facts_of(case, "Landkreis A", "Europe/Berlin", ("domain: evil.net",))
    assert facts["known"] == "25.10.2026, 02:30 Uhr (CEST)"
    assert facts["began"] == "25.10.2026, 02:30 Uhr (CET)"
    assert (facts["text"], facts["severity"]) == ("Titel", "gering")


def test_a_choice_stands_above_what_is_proposed() -> None:
    assert [one.name for one in profiles.applying("member", {})] == ["dsgvo-33", "land-cert"]
    assert profiles.applying("client", {}) == []
    chosen = {"land-cert": False, "ch-isg": True, "gone": True}
    assert [one.name for one in profiles.applying("member", chosen)] == ["ch-isg", "dsgvo-33"]


def test_every_class_of_the_taxonomy_has_types_and_words() -> None:
    known = taxonomy.taxonomy()
    assert (known.namespace, known.version) == ("rsit", "1003")
    assert len(known.categories) == 11
    for category, kinds in taxonomy.types().items():
        assert kinds
        for kind in kinds:
            taxonomy.check(category, kind)
            assert taxonomy.title(category, kind, "de") != ""
            assert re.fullmatch(r'rsit:[a-z-]+="[a-z0-9-]+"', taxonomy.tag(category, kind))
    for category, kind in (("nothing", "spam"), ("fraud", "spam")):
        with pytest.raises(Refused):
            taxonomy.check(category, kind)


def test_every_state_can_be_left_and_reached() -> None:
    assert set(NEXT) == set(State)
    reached = {state for following in NEXT.values() for state in following}
    assert reached == set(State) - {State.REPORTED}
    assert all(NEXT.values())
