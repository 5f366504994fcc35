"""One request that changes something: checked addresses, no redirects, bounded time."""

import asyncio
import ssl
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import aiohttp

from cybercoop.egress.fetching import _CheckedResolver, _refusal, _unreachable
from cybercoop.egress.rules import Rules, checked
from cybercoop.errors import Unreachable

_TAKEN = range(200, 300)
_ELSEWHERE = range(300, 400)


@cache
def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    # Reading all authorities of the system takes longer than a request.
    return ssl.create_default_context(cafile=ca_file)


async def post(
    url: str, body: bytes, headers: Mapping[str, str], rules: Rules, method: str = "POST"
) -> None:
    """Send ``body`` to ``url`` and return when it was taken; nothing of the answer is read.

    Raise ``Unreachable`` for every status but 2xx and every fault on the way, ``Refused`` and
    ``Forbidden`` for a place that the rules exclude. Nobody is led elsewhere: what is posted was
    meant for this place.
    """
    here = checked(url, rules)
    trusted = _trusted(rules.ca_file)
    connector = aiohttp.TCPConnector(
        resolver=_CheckedResolver(rules), use_dns_cache=False, ssl=trusted, force_close=True
    )
    try:
        async with (
            asyncio.timeout(rules.seconds),
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "cybercoop"},
                trust_env=False,
            ) as session,
            session.request(
                method, here, data=body, headers=headers, allow_redirects=False
            ) as answer,
        ):
            if answer.status in _ELSEWHERE:
                msg = f"{here.host} redirects ({answer.status}), which is not followed."
                raise Unreachable(msg, answer.status)
            if answer.status not in _TAKEN:
                raise _refusal(here, answer)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise _unreachable(here, error) from error
