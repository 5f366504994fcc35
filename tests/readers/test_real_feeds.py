"""Real plain feeds: each finds its reader by itself, and no line of any is dropped in silence."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cybercoop.collect import reading
from cybercoop.collect.reading import Bad, Found, Pattern, Tally, Value, Whole
from cybercoop.errors import Malformed
from readers.test_accounting import spans

FEEDS = {
    "eset__malware-ioc": ("*/*.json", "*/*.rules", "*/*.adoc", "*/samples.*"),
    "infobloxopen__threat-intelligence": ("indicators/csv/*", "indicators/misp/*"),
    "stamparm__maltrail": ("trails/**/*.txt",),
    "stamparm__ipsum": ("levels/*",),
    "volexity__threat-intel": ("20*/**/*.csv",),
    "AssoEchap__stalkerware-indicators": ("generated/*", "ioc.yaml"),
    "Phishing-Database__Phishing.Database": ("*.txt",),
}
BY_DOCUMENT = {"misp", "misp-feed", "stix"}
READERS = {
    **dict.fromkeys((".csv",), "csv"),
    **dict.fromkeys((".txt", "", ".md5", ".sha1", ".sha256"), "plain"),
    **dict.fromkeys((".rules",), "rules"),
    **dict.fromkeys((".adoc",), "text"),
    **dict.fromkeys((".json",), "misp"),
}
REFUSED = {
    ("stamparm__maltrail", "… is a path without a host."): 5274,
}


def files(data_dir: Path, feed: str) -> Iterator[Path]:
    found = {file for pattern in FEEDS[feed] for file in (data_dir / feed).glob(pattern)}
    yield from sorted(file for file in found if not file.name.startswith("LICENSE"))


def chosen(file: Path) -> str:
    with file.open("rb") as content:
        return reading.choose(file.name, reading.opened(file.name, content).head).NAME


def expected(file: Path) -> str:
    return "misp-feed" if file.name == "manifest.json" else READERS[file.suffix]


def table(name: str, tally: Tally) -> str:
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.values.items()))
    lines = [f"{name}: {said or 'nothing'}; {tally.duplicates} duplicates"]
    for word, counts in (("passed", tally.passed), ("refused", tally.refused)):
        lines += [f"    {word} {count:6}  {reason}" for reason, count in counts.most_common()]
    return "\n".join(lines)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_is_read_with_the_right_reader_and_nothing_is_dropped(
    data_dir: Path, feed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = Tally()
    read = 0
    for file in files(data_dir, feed):
        if file.suffix == ".yaml":
            continue
        reader = chosen(file)
        assert reader == expected(file), file.name
        found = list(reading.read_path(file))
        for one in found:
            reading.count(tally, one)
        if reader not in BY_DOCUMENT:
            lines = file.read_bytes().removesuffix(b"\n").count(b"\n") + 1
            assert spans(found) == set(range(1, lines + 1)), file.name
        read += 1
    assert read
    assert tally.values.total() > 1000 or feed == "volexity__threat-intel"
    with capsys.disabled():
        shown = table(f"{feed} ({read} files)", tally)
        print(f"\n{shown}")  # noqa: T201 - the table is what this test shows


def test_what_maltrail_and_volexity_lose_is_what_they_should(data_dir: Path) -> None:
    refused: Counter[tuple[str, str]] = Counter()
    for feed in ("stamparm__maltrail", "stamparm__ipsum", "Phishing-Database__Phishing.Database"):
        for file in files(data_dir, feed):
            tally = reading.tallied(reading.read_path(file))
            refused.update({(feed, reason): count for reason, count in tally.refused.items()})
    assert refused == REFUSED
    wrong = [
        one.text
        for file in files(data_dir, "volexity__threat-intel")
        for one in reading.read_path(file)
        if isinstance(one, Bad)
    ]
    assert sorted(wrong) == [
        "82e67114d632795edf29ce1d50a4c1c444846d9e16cd121ce26e63c8dc4a162",  # 63 digits
        "refreshauthtoken-default-rtdb..firebaseio.com",  # two dots
    ]


def test_yaml_is_refused_as_a_whole(data_dir: Path) -> None:
    with pytest.raises(Malformed, match=r"ioc\.yaml is YAML"):
        list(reading.read_path(data_dir / "AssoEchap__stalkerware-indicators" / "ioc.yaml"))


def test_every_attribute_of_the_real_events_is_accounted_for(data_dir: Path) -> None:
    folder = data_dir / "infobloxopen__threat-intelligence" / "indicators" / "misp"
    total = sum(file.read_text().count('"to_ids"') for file in folder.glob("*-*.json"))
    found = list(reading.read_path(folder))
    missing = [one for one in found if isinstance(one, Bad) and "beside it" in one.reason]
    assert len({one.where for one in found}) - len(missing) == total
    assert {one.tlp for one in found if isinstance(one, Value)} == {"clear"}


def test_real_bundles_are_cut_into_their_objects(data_dir: Path) -> None:
    read: Counter[str] = Counter()
    for feed in ("mvt-project__mvt-indicators", "pan-unit42__iocs", "MISP__misp-stix"):
        for file in sorted((data_dir / feed).rglob("*")):
            if file.suffix not in (".json", ".stix2") or not file.is_file():
                continue
            assert chosen(file) == "stix", file.name
            found: list[Found] = list(reading.read_path(file))
            assert all(isinstance(one, Whole) for one in found)
            read[feed] += len(found)
    assert min(read.values()) > 90


def test_rules_of_snort_are_whole(data_dir: Path) -> None:
    rules = [
        one
        for file in files(data_dir, "eset__malware-ioc")
        if file.suffix == ".rules"
        for one in reading.read_path(file)
        if isinstance(one, Pattern)
    ]
    assert len(rules) == 12
    assert all(one.name and one.pattern_type == "snort" for one in rules)
