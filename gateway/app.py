"""The web application of one process. Only wires: routes, headers, and the last resort for errors."""

from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.channels.endpoints import Desk, Hear, HearReceipt
from gateway.health import Figures, Health, Ready, alive
from gateway.house import House

POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    b"connect-src 'self'; form-action 'self'; frame-src 'self'; manifest-src 'self'; frame-ancestors 'none'; "
    b"base-uri 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
HSTS = (b"strict-transport-security", b"max-age=31536000")
NO_STORE = (b"cache-control", b"no-store")


class SecurityHeaders:
    """Adds the headers every answer carries; a page that sets one of them itself keeps its own."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self._app = app
        self._headers = (*HEADERS, HSTS) if https else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                names = {name for name, _ in own}
                own += [header for header in self._headers if header[0] not in names]
                if b"cache-control" not in names:
                    own.append(NO_STORE)
                message["headers"] = own
            await send(message)

        await self._app(scope, receive, with_headers)


def create_app(house: House, desk: Desk, health: Health, *, pages: bool = True) -> FastAPI:
    """The application: webhooks, health and, unless `pages` is off, the pages."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(SecurityHeaders, https=house.settings.base_url.startswith("https:"))
    app.add_exception_handler(HTTPException, tell_http_error)
    app.add_exception_handler(Exception, tell_nothing)
    for path, endpoint in _endpoints(desk, health):
        app.router.routes.append(Route(path, endpoint, methods=None))
    if pages:
        from gateway.web import mount

        mount(app, house)
    return app


def _endpoints(desk: Desk, health: Health) -> list[tuple[str, Any]]:
    return [
        ("/in/{channel}", Hear(desk)),
        ("/in/{channel}/status", HearReceipt(desk)),
        ("/healthz", _Plain(alive)),
        ("/readyz", Ready(health)),
        ("/metrics", Figures(health)),
    ]


class _Plain:
    """Starlette takes an instance for an ASGI application, and a function for something else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


async def tell_http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = {"error": {"code": f"http_{error.status_code}", "message": str(error.detail)}}
    return JSONResponse(told, error.status_code, headers=dict(error.headers or {}))


async def tell_nothing(_request: Request, _error: Exception) -> Response:
    """The last resort: what went wrong stands in the log, not in the answer."""
    return JSONResponse({"error": {"code": "internal", "message": "Something went wrong here."}}, 500)
