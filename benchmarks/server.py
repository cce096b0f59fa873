"""The gateway as it serves, everything on, with one route more: the empty handler it is compared with.

`python -m benchmarks.server CORE PORT`; the installation comes from the VOCERO_ variables.
"""

import asyncio
import os
import socket
import sys

import uvloop
from starlette.requests import Request
from starlette.responses import Response

from gateway.app import create_app
from gateway.house import open_house
from gateway.http_server import bind, make_server
from gateway.logs import configure
from gateway.process import settle
from gateway.running import Running
from gateway.settings import Settings

ANSWER = b'{"message":"00000000-0000-0000-0000-000000000000","status":"kept"}'


async def empty(request: Request) -> Response:
    """Reads the same body and answers as long."""
    await request.body()
    return Response(ANSWER, 202, media_type="application/json")


class Measured(Running):
    """A process at work whose application has the empty route too, behind the same middleware."""

    def _start_web(self, listening: socket.socket) -> None:
        app = create_app(self.house, self, self.health)
        app.post("/empty")(empty)
        self._server = make_server(app)
        self._begin(self._server.serve(sockets=[listening]))


async def serve(port: int) -> None:
    settings = Settings()
    configure(settings.log_level, settings.log_format)
    running = Measured(open_house(settings))
    await running.start(bind("127.0.0.1", port))
    await settle(running)
    await running.wait()


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[1])})
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(serve(int(sys.argv[2])))
