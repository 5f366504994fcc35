"""Filters (TAXII 2.1 sections 3.2 to 3.4), over a collection with every kind of version."""

from pathlib import Path
from typing import Any

from cybercoop.stix import domain, meta, observables, times
from taxii.lab import (
    FIRST,
    LAST,
    OWN,
    READ_WRITE,
    Lab,
    laboratory,
    several,
    shown,
    standing,
)
from world import Answer, World

RECORDS = READ_WRITE["manifest"]
IDENTITY, MARKING, INDICATOR, MALWARE, PATTERN, ADDRESS, RELATION = dict.fromkeys(
    one["id"] for one in RECORDS
)
HERE = "collections/phishing"
NO_SUCH = INDICATOR[:-4] + "beef"


async def found(lab: Lab, **match: str) -> list[tuple[str, str]]:
    """Return id and version of the records of the manifest that match."""
    params = {f"match[{name}]": value for name, value in match.items()}
    records = shown(await lab.get(f"{HERE}/manifest/", **params))
    objects = await lab.objects(**params)
    assert [stix_id for stix_id, _ in objects] == [stix_id for stix_id, _ in records]
    return records


async def versions(lab: Lab, stix_id: str, **match: str) -> list[str]:
    """Return the versions of one object that match."""
    return [version for _, version in await found(lab, id=stix_id, **match)]


@standing
async def test_nothing_found_is_an_empty_envelope(standing_lab: Lab) -> None:
    """TAXII checklist 22."""
    nothing = {"match[type]": "x-nothing"}
    for path in (
        "objects/",
        "manifest/",
        f"objects/{INDICATOR}/",
        f"objects/{INDICATOR}/versions/",
    ):
        for params in (nothing, {"added_after": "2030-01-01T00:00:00Z"}):
            answer = await standing_lab.get(f"{HERE}/{path}", **params)
            assert (answer.status, answer.body) == (200, b"{}")


async def test_every_page_says_when_its_first_and_last_came(center: World) -> None:
    """TAXII checklist 23."""
    seat = await center.org("Landkreis A")
    paths = [f"{OWN}objects/", f"{OWN}manifest/"]
    for path in paths:
        said = await center.get(path, seat)
        assert said.headers[FIRST] == said.headers[LAST] == "1970-01-01T00:00:00.000000Z"
    one = several(2)
    await center.post(seat, one)
    paths += [f"{OWN}objects/{one[0]['id']}/", f"{OWN}objects/{one[0]['id']}/versions/"]
    for path in paths:
        said = await center.get(path, seat)
        for name in (FIRST, LAST):
            assert times.text(times.micros(said.headers[name])) == said.headers[name]
        for asked in ("2031-02-03T04:05:06.789Z", "1969-02-03T04:05:06.789Z"):
            said = await center.get(path, seat, added_after=asked, **{"match[type]": "x-no"})
            assert said.headers[FIRST] == said.headers[LAST] == f"{asked[:-1]}000Z"


@standing
async def test_pages_rise_in_time_and_their_headers_say_so(standing_lab: Lab) -> None:
    """TAXII checklist 24."""
    for params in ({}, {"match[version]": "all"}, {"limit": 3}, {"match[spec_version]": "2.0"}):
        answer = await standing_lab.get(f"{HERE}/manifest/", **params)
        added = [one["date_added"] for one in answer.objects]
        assert added == sorted(added)
        assert (answer.headers[FIRST], answer.headers[LAST]) == (added[0], added[-1])
        objects = await standing_lab.get(f"{HERE}/objects/", **params)
        assert [objects.headers[name] for name in (FIRST, LAST)] == [added[0], added[-1]]


@standing
async def test_unasked_come_the_latest_version_and_the_latest_stix_of_each(
    standing_lab: Lab,
) -> None:
    """TAXII checklist 25."""
    assert await found(standing_lab) == [
        (IDENTITY, "2024-03-01T09:00:00.000Z"),
        (MARKING, "2024-01-10T00:00:00Z"),
        (INDICATOR, "2024-03-05T06:15:00.123456Z"),
        (MALWARE, "2024-02-15T00:00:00.000Z"),
        (PATTERN, "2023-11-05T12:00:00.000Z"),
        (ADDRESS, "2024-03-08T12:00:00.000000Z"),
        (RELATION, "2024-03-06T10:00:00.000Z"),
    ]


@standing
async def test_versions_are_chosen_by_word_and_by_time(standing_lab: Lab) -> None:
    """TAXII checklist 26."""
    first, middle, last = [one["version"] for one in RECORDS if one["id"] == INDICATOR]
    for asked, expected in (
        ("all", [first, middle, last]),
        ("first", [first]),
        ("last", [last]),
        (middle, [middle]),
        (f"{middle},first", [first, middle]),
        (f"last,{middle},first", [first, middle, last]),
        (f"last,{last}", [last]),
        ("2001-01-01T00:00:00Z", []),
    ):
        assert await versions(standing_lab, INDICATOR, version=asked) == expected, asked


@standing
async def test_first_and_last_stay_within_the_stix_version_asked_for(standing_lab: Lab) -> None:
    """TAXII checklist 25 and 26: the oldest and the newest of all are in STIX 2.0 here."""
    old = ["2024-02-01T00:00:00.000Z", "2024-02-20T00:00:00.000Z"]
    new = ["2024-02-10T00:00:00.000Z", "2024-02-15T00:00:00.000Z"]
    for version, spec, expected in (
        ("first", None, new[:1]),
        ("last", None, new[1:]),
        ("first,last", None, new),
        ("all", None, new),
        ("first", "2.0", old[:1]),
        ("last", "2.0", old[1:]),
        ("first", "2.0,2.1", old[:1]),
        ("last", "2.0,2.1", old[1:]),
    ):
        match = {"version": version} | ({"spec_version": spec} if spec else {})
        assert await versions(standing_lab, MALWARE, **match) == expected, match


@standing
async def test_a_version_is_a_moment_however_it_is_spelt(standing_lab: Lab) -> None:
    """TAXII checklist 27."""
    for said in ("18:30:00.5Z", "18:30:00.500Z", "18:30:00.500000Z", "18:30:00.500000000Z"):
        asked = {"version": f"2024-03-04T{said}"}
        assert await versions(standing_lab, INDICATOR, **asked) == ["2024-03-04T18:30:00.5Z"]


async def refused(lab: Lab, **params: Any) -> list[Answer]:
    """Return what every endpoint that filters says to a question that makes no sense."""
    paths = ("objects/", "manifest/", f"objects/{INDICATOR}/", f"objects/{INDICATOR}/versions/")
    answers = [await lab.get(f"{HERE}/{path}", **params) for path in paths]
    assert {answer.status for answer in answers} == {400}, params
    assert len({answer.body for answer in answers}) == 1
    return answers


async def test_versions_that_contradict_each_other_are_refused(lab: Lab) -> None:
    """TAXII checklist 28."""
    moment = "2024-03-04T18:30:00.5Z"
    for asked in ("all,last", f"{moment},all", "last,last", "all,all", f"{moment},{moment}"):
        await refused(lab, **{"match[version]": asked})
    await refused(lab, **{"match[version]": f"{moment},{moment[:-1]}00Z"})


async def test_what_cannot_be_understood_is_refused_by_name(lab: Lab) -> None:
    """TAXII checklist 29."""
    for name, values in {
        "added_after": ("yesterday", "2024-01-01", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00"),
        "limit": ("abc", "0", "-1", "1.5", "", "+3", "٣", "1e3"),
        "match[version]": ("foo", "", "last,", "LAST", "2024-01-01"),
        "match[spec_version]": ("3", "", "2.0,,2.1"),
    }.items():
        for value in values:
            answers = await refused(lab, **{name: value})
            assert name in answers[0].json["description"], value


async def test_a_place_to_go_on_from_that_nobody_gave_is_refused(lab: Lab) -> None:
    """TAXII checklist 30."""
    for value in ("1", "abc", "%%%", "ü", "e30", "W10", "a" * 5000, "AAAA=", "\x00"):
        await refused(lab, next=value)


async def test_a_parameter_stands_once(lab: Lab) -> None:
    """TAXII checklist 31."""
    after = "added_after=2024-01-01T00:00:00Z"
    for twice in (
        f"{after}&{after}",
        "match[type]=malware&match[type]=indicator",
        "match[id]=a&match[id]=a",
        "match[version]=last&match[version]=last",
        "limit=1&limit=2",
    ):
        answer = await lab.get(f"{HERE}/objects/?{twice}")
        assert answer.status == 400, twice
        assert "twice" in answer.json["description"]


async def test_parameters_of_others_are_left_alone(lab: Lab) -> None:
    """TAXII checklist 32."""
    plain = await lab.objects()
    for more in ({"match[colour]": "red"}, {"page": "2"}, {"x": ""}, {"match[]": "1"}):
        assert await lab.objects(**more) == plain


@standing
async def test_every_type_of_stix_can_be_asked_for(standing_lab: Lab) -> None:
    """TAXII checklist 33."""
    held = {one.partition("--")[0]: one for one, _ in await found(standing_lab)}
    kinds = {*domain.SCHEMAS, *observables.SCHEMAS, *meta.SCHEMAS}
    assert held.keys() < kinds
    for kind in kinds:
        seen = await standing_lab.objects(**{"match[type]": kind})
        assert [one for one, _ in seen] == [held[kind] for _ in range(kind in held)]


@standing
async def test_commas_widen_and_fields_narrow(standing_lab: Lab) -> None:
    """TAXII checklist 34."""
    for match, expected in (
        ({"type": "indicator,malware"}, [INDICATOR, MALWARE]),
        ({"id": f"{MALWARE},{IDENTITY},{NO_SUCH}"}, [IDENTITY, MALWARE]),
        ({"id": f"{MALWARE},{IDENTITY}", "type": "malware,tool"}, [MALWARE]),
        ({"id": MALWARE, "type": "indicator"}, []),
        ({"type": "malware,indicator", "spec_version": "2.0", "version": "first"}, [MALWARE]),
    ):
        assert [one for one, _ in await found(standing_lab, **match)] == expected, match


@standing
async def test_stix_versions_are_told_apart(standing_lab: Lab) -> None:
    """TAXII checklist 35."""
    for asked in ("2.0", "2.1", "2.0,2.1"):
        expected = [
            (one["id"], one["version"])
            for one in RECORDS
            if one["media_type"].rpartition("=")[2] in asked.split(",")
        ]
        assert await found(standing_lab, version="all", spec_version=asked) == expected
    assert await found(standing_lab, spec_version="9.9") == []


@standing
async def test_added_after_leaves_that_moment_out(standing_lab: Lab) -> None:
    """TAXII checklist 36."""
    every = {"match[version]": "all", "match[spec_version]": "2.0,2.1"}
    for after in sorted({one["date_added"] for one in RECORDS}):
        answer = await standing_lab.get(f"{HERE}/manifest/", added_after=after, **every)
        assert answer.objects == [one for one in RECORDS if one["date_added"] > after]


@standing
async def test_added_after_takes_any_number_of_digits(standing_lab: Lab) -> None:
    """TAXII checklist 37."""
    moment = "2024-03-06T09:00:00"
    after = [RELATION, ADDRESS, PATTERN, MALWARE]
    for digits in range(10):
        said = moment + (f".{'0' * digits}" if digits else "") + "Z"
        seen = await standing_lab.objects(added_after=said)
        assert {one for one, _ in seen} == set(after)


async def test_a_limit_is_kept_and_a_greater_one_is_cut(tmp_path: Path) -> None:
    """TAXII checklist 38."""
    async with laboratory(tmp_path, page_limit=4) as lab:
        for params, expected in (({"limit": 2}, 2), ({"limit": "9" * 5000}, 4), ({}, 4)):
            answer = await lab.get(f"{HERE}/objects/", **params)
            assert (answer.status, len(answer.objects)) == (200, expected)
            assert answer.json["more"] is True
        assert len((await lab.get(f"{HERE}/manifest/", limit=7)).objects) == 4
