"""A county with an incident, over REST."""

from typing import Any

from world import SECOND, Answer, Seat, World

ROOT = "/api/v1"
FOREIGN = "5c0ffee0-0000-4000-8000-000000000000"
HOUR = 3600 * SECOND
CASE = {
    "title": "Verschlüsselung im Bürgeramt",
    "text": "Erpresserschreiben auf drei Rechnern.",
    "category": "malicious-code",
    "type": "infected-system",
    "severity": "high",
}


async def ask(
    center: World, method: str, path: str, seat: Seat | None, said: Any = None, code: int = 200
) -> Any:
    options = {} if said is None else {"json": said}
    answer: Answer = await center.request(method, ROOT + path, seat, **options)
    assert answer.status == code, answer.body
    return answer.json


async def reported(center: World, seat: Seat, **more: Any) -> str:
    return (await ask(center, "POST", "/incidents", seat, CASE | more, 201))["id"]


def whats(shown: Any) -> list[str]:
    return [one["what"] for one in shown["timeline"]]
