"""A folder of this machine: new and changed files, and nothing outside of it."""

import os
from pathlib import Path

import pytest

from cybercoop.collect.sources import Portion
from cybercoop.egress import Rules
from cybercoop.errors import Unreachable
from sources.collecting import collect, source

RULES = Rules(max_bytes=1000)


def shown(portions: list[Portion]) -> dict[str, bytes | str]:
    """Return what a collection brought, without its last portion."""
    assert (portions[-1].name, portions[-1].unchanged) == (".", True)
    return {
        one.name: one.trouble or ("gone" if one.gone else "same" if one.unchanged else one.data)
        for one in portions[:-1]
    }


async def test_files_come_once_and_again_when_they_change(tmp_path: Path) -> None:
    one = source("directory", path=str(tmp_path))
    (tmp_path / "a.txt").write_text("a.example")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "b.txt").write_text("b.example")
    first = await collect(one, RULES)
    assert shown(first) == {"a.txt": b"a.example", "below/b.txt": b"b.example"}
    assert shown(await collect(one, RULES, first[-1].cursor)) == {}
    (tmp_path / "a.txt").write_text("other.example")
    os.utime(tmp_path / "below" / "b.txt", (1, 1))
    (tmp_path / "c.txt").write_text("c.example")
    second = await collect(one, RULES, first[-1].cursor)
    assert shown(second) == {
        "a.txt": b"other.example",
        "below/b.txt": "same",
        "c.txt": b"c.example",
    }
    (tmp_path / "c.txt").unlink()
    third = await collect(one, RULES, second[-1].cursor)
    assert shown(third) == {"c.txt": "gone"}
    assert shown(await collect(one, RULES, third[-1].cursor)) == {}


async def test_links_pipes_and_large_files_are_named_and_not_read(tmp_path: Path) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "folder"
    secret.mkdir()
    (secret / "key.txt").write_text("secret")
    folder.mkdir()
    (folder / "out.txt").symlink_to(secret / "key.txt")
    (folder / "up.txt").symlink_to("../secret/key.txt")
    (folder / "inner").symlink_to(secret)
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere").symlink_to("missing")
    os.mkfifo(folder / "pipe")
    (folder / "large").write_bytes(b"x" * 1001)
    (folder / ".upload.part").write_text("half")
    (folder / "good.txt").write_text("good")
    got = shown(await collect(source("directory", path=str(folder)), RULES))
    link = "It is a link, or it cannot be read."
    assert got == {
        "out.txt": link,
        "up.txt": link,
        "inner": link,
        "loop": link,
        "nowhere": link,
        "pipe": "It is no plain file.",
        "large": "It is larger than 1000 bytes.",
        "good.txt": b"good",
    }


async def test_what_became_unreadable_is_not_gone(tmp_path: Path) -> None:
    one = source("directory", path=str(tmp_path))
    (tmp_path / "a.txt").write_text("a")
    first = await collect(one, RULES)
    (tmp_path / "a.txt").write_bytes(b"x" * 1001)
    assert shown(await collect(one, RULES, first[-1].cursor)) == {
        "a.txt": "It is larger than 1000 bytes."
    }


async def test_a_missing_folder_takes_nothing_away(tmp_path: Path) -> None:
    one = source("directory", path=str(tmp_path / "feed"))
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed" / "a.txt").write_text("a")
    first = await collect(one, RULES)
    (tmp_path / "feed").rename(tmp_path / "moved")
    with pytest.raises(Unreachable, match="stays"):
        await collect(one, RULES, first[-1].cursor)
    (tmp_path / "feed").symlink_to(tmp_path / "moved")
    assert shown(await collect(one, RULES, first[-1].cursor)) == {}


async def test_a_folder_that_cannot_be_entered_takes_nothing_away(tmp_path: Path) -> None:
    one = source("directory", path=str(tmp_path))
    (tmp_path / "below").mkdir()
    for file in (tmp_path / "a.txt", tmp_path / "below" / "b.txt"):
        file.write_text("x")
    first = await collect(one, RULES)
    (tmp_path / "a.txt").write_text("changed")

    def moved(portion: Portion) -> bool:
        (tmp_path / "below").rename(tmp_path / "elsewhere")
        return portion.gone

    with pytest.raises(Unreachable, match="stays"):
        await collect(one, RULES, first[-1].cursor, until=moved)


async def test_a_collection_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    one = source("directory", path=str(tmp_path))
    for number in range(60):
        (tmp_path / f"{number:02}.txt").write_text(str(number))
    part = await collect(one, RULES, until=lambda portion: portion.name == "39.txt")
    rest = await collect(one, RULES, part[-1].cursor)
    assert [one.name for one in rest[:-1]] == [f"{number}.txt" for number in range(25, 60)]


async def test_only_the_files_that_are_meant_are_read_whatever_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a")
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / os.fsdecode(b"\xff\x1b.csv")).write_text("b")
    got = shown(await collect(source("directory", path=str(tmp_path), files="*.csv"), RULES))
    assert got == {"a.csv": b"a", "\\xff\\x1b.csv": b"b"}
