"""A provider over HTTP that takes messages, until it is told to be in trouble."""

import json
from collections.abc import Callable
from typing import Any

from tests.outbox.outbox_http import Heard, HttpServer, Say

Read = Callable[[Heard], tuple[str, str]]


class HttpProvider:
    """`read` gives number and text of a request, `yes` the answer to one that is taken.

    `says` are the answers in trouble: throttled, refused, wrong_key, silent. A silent provider takes the message.
    """

    def __init__(self, read: Read, yes: Callable[[int], Say], says: dict[str, Say] | None = None) -> None:
        self.taken: list[tuple[str, str]] = []
        self.trouble = ""
        self._read = read
        self._yes = yes
        self._says = {
            "throttled": Say(429, headers={"Retry-After": "1"}), "refused": Say(400), "wrong_key": Say(401),
            "silent": Say(cut="none"), **(says or {}),
        }  # fmt: skip
        self._server: HttpServer | None = HttpServer(self._answer)
        self.url = self._server.url

    def set_trouble(self, trouble: str) -> None:
        self.trouble = trouble
        if trouble == "offline":
            self.close()

    def mend(self) -> None:
        """At work again, at a new address."""
        self.close()
        self.trouble = ""
        self._server = HttpServer(self._answer)
        self.url = self._server.url

    def _answer(self, heard: Heard) -> Say:
        if not self.trouble or self.trouble == "silent":
            self.taken.append(self._read(heard))
        return self._says[self.trouble] if self.trouble else self._yes(len(self.taken))

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def says_json(document: Any, status: int = 200) -> Say:
    return Say(status, json.dumps(document))
