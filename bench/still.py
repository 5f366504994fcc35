"""A server that keeps what it is given by PUT and sends the same bytes back: the sending floor."""

import asyncio
import sys

import uvloop
from aiohttp import web

HELD = web.AppKey("held", dict[str, bytes])
_MOST = 64 * 1024 * 1024


async def _keep(request: web.Request) -> web.Response:
    request.app[HELD][request.path] = await request.read()
    return web.Response(status=204)


async def _send(request: web.Request) -> web.Response:
    return web.Response(
        body=request.app[HELD][request.path],
        headers={"Content-Type": "application/taxii+json;version=2.1"},
    )


async def _serve() -> None:
    app = web.Application(client_max_size=_MOST)
    app[HELD] = {}
    app.router.add_put("/{name}", _keep)
    app.router.add_get("/{name}", _send)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        uvloop.run(_serve())
    except KeyboardInterrupt:
        sys.exit(0)
