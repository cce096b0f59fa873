"""The pages without a socket: a browser that keeps cookies and sends back the token of the form it saw."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import insert
from uuid_utils.compat import uuid7

from gateway import sessions
from gateway.contacts import find
from gateway.house import House
from gateway.passwords import Passwords
from gateway.users import USER
from gateway.web import mount
from gateway.web.visit import Web

HOST = "http://127.0.0.1:8000"
PASSWORD = "cuatro palabras que nadie junta"
TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass
class Site:
    """The pages of a house on an application of their own."""

    house: House
    app: FastAPI
    web: Web

    def browser(self, **more: Any) -> "Browser":
        return Browser(self, **more)

    def add_user(self, name: str, role: str, contact: str | None = None) -> UUID:
        """An account with the password of the tests; `contact` is the address of the person it belongs to."""
        house, user_id = self.house, uuid7()
        hashed = asyncio.run(self.web.passwords.hash(PASSWORD))

        def keep(connection: Any) -> None:
            contact_id = find(connection, contact, house.sealer) if contact else None
            row = {
                "id": user_id, "name": name, "role": role, "contact_id": contact_id, "password_hash": hashed,
                "language": "en", "active": True, "failures": 0, "created_at": house.clock(),
            }  # fmt: skip
            connection.execute(insert(USER), [row])

        house.writer.write_now(keep)
        return user_id

    def logged_in(self, role: str, contact: str | None = None, name: str | None = None) -> "Browser":
        """A browser with a session of a new account; no password is typed."""
        name = name or role
        user_id = self.add_user(name, role, contact)
        token = self.house.writer.write_now(lambda conn: sessions.start(conn, user_id, self.house.clock()))
        browser = self.browser()
        browser.cookies.set(self.web.cookies.session, token)
        return browser


@dataclass
class Browser:
    """Requests one after another with the same cookies; `page` is the last answer."""

    site: Site
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    client: tuple[str, int] = ("127.0.0.1", 4711)
    base: str = HOST
    language: str = "en"
    page: httpx.Response = field(default_factory=lambda: httpx.Response(204))

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, fields: Mapping[str, Any] | None = None, **headers: str) -> httpx.Response:
        """Send a form with the token of the page last seen."""
        found = TOKEN.search(self.page.text)
        return self._ask("POST", path, {"csrf": found[1] if found else "", **(fields or {})}, headers)

    def follow(self) -> httpx.Response:
        """Go where the last answer sends."""
        assert self.page.status_code == 303, (self.page.status_code, self.page.text[:500])
        target = urlsplit(self.page.headers["location"])
        return self.get(target.path + (f"?{target.query}" if target.query else ""))

    def log_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        self.get("/login")
        return self.post("/login", {"name": name, "password": password})

    def _ask(
        self, method: str, path: str, fields: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.site.app, client=self.client)
            sent = {"accept-language": self.language, **{k.replace("_", "-"): v for k, v in headers.items()}}
            async with httpx.AsyncClient(transport=transport, base_url=self.base, cookies=self.cookies) as http:
                answer = await http.request(method, path, data=fields, headers=sent)
                self.cookies = http.cookies
                return answer

        self.page = asyncio.run(ask())
        return self.page


def open_site(house: House) -> Site:
    """Quick hashing, all pages."""
    house.settings.simulator = True
    app = FastAPI(docs_url=None, openapi_url=None)
    web = mount(app, house)
    web.passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    return Site(house, app, web)
