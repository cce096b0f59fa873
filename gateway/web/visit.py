"""One request of a person: who it is, in which language, with which form; and how a page is made for it."""

import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.channel_state import SignReader
from gateway.house import House
from gateway.locale import Translator
from gateway.passwords import Passwords
from gateway.sessions import Person, Throttle
from gateway.web.access import may
from gateway.web.static_files import StaticFiles
from gateway.web.transport import Cookies, Form, masked

PACK_FROM = 1024


@dataclass
class Web:
    """What all pages of one process share."""

    house: House
    templates: Environment
    static: StaticFiles
    cookies: Cookies
    passwords: Passwords = field(default_factory=Passwords)
    throttle: Throttle = field(default_factory=Throttle)
    signs: SignReader = field(default_factory=SignReader)


@dataclass
class Visit:
    """`person` is None on public pages before login; `form` is empty but on POST. `secret` proves our forms."""

    request: Request
    web: Web
    t: Translator
    person: Person | None
    secret: str
    form: Form = field(default_factory=lambda: Form({}))

    @property
    def house(self) -> House:
        return self.web.house

    @property
    def who(self) -> Person:
        """The person logged in; only for pages that are not public."""
        if self.person is None:
            raise LookupError("nobody is logged in")
        return self.person

    @property
    def places(self) -> tuple[str, ...] | None:
        return self.who.places

    @property
    def is_htmx(self) -> bool:
        return "hx-request" in self.request.headers

    def may(self, need: str) -> bool:
        return may(self.person.role if self.person else None, need)

    def query(self, name: str, most: int = 100) -> str:
        return self.request.query_params.get(name, "").strip()[:most].replace("\0", "")

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page of `template`, compressed when it is worth it."""
        html = self.web.templates.get_template(template).render(
            visit=self, _=self.t, ngettext=self.t.plural, csrf=masked(self.secret), person=self.person,
            path=self.request.url.path, **values,
        )  # fmt: skip
        body = html.encode("utf-8", "replace")
        response = HTMLResponse(body, status)
        if len(body) >= PACK_FROM and "gzip" in self.request.headers.get("accept-encoding", ""):
            response = HTMLResponse(gzip.compress(body, 5, mtime=0), status, {"Content-Encoding": "gzip"})
        response.headers["Vary"] = "Accept-Encoding, Cookie, HX-Request"
        return response

    def go(self, path: str, **query: object) -> Response:
        """After a POST: show `path` with a GET."""
        wanted = {name: value for name, value in query.items() if value not in (None, "")}
        return RedirectResponse(f"{path}?{urlencode(wanted)}" if wanted else path, 303)


Handler = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """One address of the pages, the right it needs, and the function that answers it.

    A quiet one is asked for by an open page, not by a person: it does not keep a session awake. `by_link`: the
    address itself proves that a form may act and no password travels, so that mail programs may post to it.
    """

    method: str
    path: str
    need: str
    handler: Handler
    quiet: bool = False
    by_link: bool = False
