"""The same exit for a library that waits in a thread and speaks ``requests``.

There is one implementation of the rules: what the library sends becomes a fetch on the event
loop, so addresses, redirects, sizes, times and credentials are checked as everywhere else.
"""

import asyncio
import io

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from cybercoop.egress.fetching import Exit, Fetched
from cybercoop.errors import Forbidden, Unreachable

_PASSED_ON = ("Accept", "Range")
_PATIENCE = 5.0  # seconds above the fetch's own limit, after which the loop must be gone
_UNPACKED = {"content-encoding", "content-length", "transfer-encoding", "set-cookie", "location"}


class Bridge(BaseAdapter):
    """Answer what ``requests`` asks by fetching on ``loop``.

    ``last`` is the latest answer, ``failure`` what the latest status of 400 and above meant.
    """

    def __init__(self, way: Exit, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._way, self._loop = way, loop
        self.last: Fetched | None = None
        self.failure: Unreachable | None = None

    def send(
        self, request: requests.PreparedRequest, *_args: object, **_options: object
    ) -> requests.Response:
        """Fetch what ``request`` names; its options of time, trust and proxy change nothing.

        A status of 400 and above is answered, for the library to try another way.
        """
        if request.method != "GET" or not request.url:
            raise Forbidden("A source is only read.")
        headers = {
            name: str(request.headers[name]) for name in _PASSED_ON if name in request.headers
        }
        job = asyncio.run_coroutine_threadsafe(
            self._way.fetch(request.url, headers=headers), self._loop
        )
        try:
            self.last = job.result(self._way.rules.seconds + _PATIENCE)
        except Unreachable as error:
            if not error.status:
                raise
            self.failure = error
            return _response(request, Fetched(error.status, {}, b"", request.url))
        finally:
            job.cancel()
        return _response(request, self.last)

    def close(self) -> None:
        """Hold nothing open: the exit is closed by who opened it."""


def session(bridge: Bridge) -> requests.Session:
    """Return a session without any other way out: no proxies, no netrc, no cookies of its own."""
    made = requests.Session()
    made.trust_env = False
    made.adapters.clear()
    made.mount("http://", bridge)
    made.mount("https://", bridge)
    return made


def _response(request: requests.PreparedRequest, fetched: Fetched) -> requests.Response:
    answer = requests.Response()
    answer.status_code = fetched.status
    kept = {name: value for name, value in fetched.headers.items() if name.lower() not in _UNPACKED}
    # The library looks this header up without asking whether it is there.
    answer.headers = CaseInsensitiveDict({"Content-Type": "", **kept})
    answer.encoding = "utf-8"
    answer.raw = io.BytesIO(fetched.body)
    answer.url, answer.request = fetched.url, request
    return answer
