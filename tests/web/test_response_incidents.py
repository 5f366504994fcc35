"""Responses about incidents: whoever starts one names an incident of his own."""

from pathlib import Path

from responses.stage import stage
from web.test_responses import FOREIGN, PLAN, ask, imported, person


async def test_a_response_is_about_an_incident_of_whoever_starts_it(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path, counties=1) as one:
        lead, (county,) = await person(one, "Lena"), one.counties
        await imported(one, lead)
        own = await ask(one, "POST", "/incidents", lead, {"title": "Vorfall"}, 201)
        foreign = await ask(one, "POST", "/incidents", county, {"title": "Vorfall"}, 201)
        plan = PLAN | {"of_group": "members"}
        for path, code in (("/responses/preview", 200), ("/responses", 201)):
            answers = [
                await ask(one, "POST", path, lead, plan | {"incident": name}, 422)
                for name in (foreign["id"], FOREIGN)
            ]
            assert answers[0] == answers[1]
            made = await ask(one, "POST", path, lead, plan | {"incident": own["id"]}, code)
        assert made["led"]["incident"] == own["id"]
        assert len((await ask(one, "GET", "/responses", lead))["responses"]) == 1
