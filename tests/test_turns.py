"""Writers of one SQLite file, as if in several processes: one after the other, and none is lost."""

import asyncio
from pathlib import Path

import pytest

from cybercoop.store.turns import Turn


@pytest.fixture
def turns(tmp_path: Path) -> list[Turn]:
    """Return places in one queue; a file that is opened twice is locked as by two processes."""
    return [Turn(str(tmp_path / "coop.sqlite-turn")) for _ in range(3)]


async def test_one_at_a_time_has_a_turn(turns: list[Turn]) -> None:
    inside, most, had = 0, 0, 0

    async def write(turn: Turn) -> None:
        nonlocal inside, most, had
        for _ in range(20):
            async with turn:
                inside, had = inside + 1, had + 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

    await asyncio.gather(*map(write, [*turns, turns[0]]))
    assert (most, had) == (1, 80)


async def test_who_gives_up_waiting_keeps_nobody_waiting(turns: list[Turn]) -> None:
    first, second, third = turns
    async with first:
        given_up = asyncio.create_task(_once(second))
        await asyncio.sleep(0.05)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        behind = asyncio.create_task(_once(second))
        await asyncio.sleep(0)
    await asyncio.gather(behind, _once(third))


async def test_a_turn_ends_with_an_error(turns: list[Turn]) -> None:
    with pytest.raises(ZeroDivisionError):
        async with turns[0]:
            raise ZeroDivisionError
    await _once(turns[1])


async def test_a_queue_that_cannot_be_opened_keeps_nobody_waiting(tmp_path: Path) -> None:
    turn = Turn(str(tmp_path / "not there yet" / "coop.sqlite-turn"))
    with pytest.raises(FileNotFoundError):
        await _once(turn)
    (tmp_path / "not there yet").mkdir()
    await asyncio.wait_for(_once(turn), 10)


async def _once(turn: Turn) -> None:
    async with turn:
        pass
