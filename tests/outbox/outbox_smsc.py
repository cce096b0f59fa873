"""An SMSC of a few lines that can do what a real one does on a bad day: refuse, hang, cut, send odd octets."""

import asyncio
import struct
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

HEADER = struct.Struct("!IIII")
BIND_RECEIVER, BIND_TRANSMITTER, SUBMIT, DELIVER, UNBIND, BIND, ENQUIRE = 1, 2, 4, 5, 6, 9, 0x15
RESPONSE = 0x80000000
HANG = -1


@dataclass
class Smsc:
    """`status` answers a submit_sm (HANG: never), `bind_status` a bind. What came is in `binds` and `submits`."""

    port: int = 0
    status: Callable[[int], int] = lambda _number: 0
    bind_status: int = 0
    name: Callable[[int], str] = lambda number: f"{number:08x}"
    binds: list[int] = field(default_factory=list)
    submits: list[bytes] = field(default_factory=list)
    answers: dict[int, int] = field(default_factory=dict)
    enquiries: int = 0
    sessions: list[asyncio.StreamWriter] = field(default_factory=list)
    stir: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, body: bytes, number: int) -> int:
        """Send a deliver_sm; the status the other side answers."""
        self.sessions[-1].write(HEADER.pack(HEADER.size + len(body), DELIVER, 0, number) + body)
        await self.until(lambda: number in self.answers)
        return self.answers[number]

    async def until(self, true: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                self.stir.clear()
                await self.stir.wait()

    def cut(self) -> None:
        for writer in self.sessions:
            writer.transport.abort()
        self.sessions.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length, command, status, number = HEADER.unpack(await reader.readexactly(HEADER.size))
                body = await reader.readexactly(length - HEADER.size)
                self.take(writer, command, status, number, body)
                self.stir.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self.stir.set()

    def take(self, writer: asyncio.StreamWriter, command: int, status: int, number: int, body: bytes) -> None:
        if command in (BIND, BIND_RECEIVER, BIND_TRANSMITTER):
            self.binds.append(command)
            if not self.bind_status:
                self.sessions.append(writer)
            self.respond(writer, command, self.bind_status, number, b"SMSC\0")
        elif command == SUBMIT:
            self.submits.append(body)
            answer = self.status(len(self.submits))
            if answer != HANG:
                name = self.name(len(self.submits)).encode() + b"\0" if not answer else b"\0"
                self.respond(writer, command, answer, number, name)
        elif command == DELIVER | RESPONSE:
            self.answers[number] = status
        elif command in (ENQUIRE, UNBIND):
            self.enquiries += command == ENQUIRE
            self.respond(writer, command, 0, number, b"")

    @staticmethod
    def respond(writer: asyncio.StreamWriter, command: int, status: int, number: int, body: bytes) -> None:
        writer.write(HEADER.pack(HEADER.size + len(body), command | RESPONSE, status, number) + body)


@asynccontextmanager
async def smsc(one: Smsc | None = None) -> AsyncIterator[Smsc]:
    one = one or Smsc()
    server = await asyncio.start_server(one.serve, "127.0.0.1", one.port)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        one.cut()
        await asyncio.sleep(0.02)


def delivery(
    octets: bytes, *, source: str = "50255550101", to: str = "1500", coding: int = 0, esm_class: int = 0,
    tlvs: bytes = b"",
) -> bytes:  # fmt: skip
    """The body of a deliver_sm."""
    return b"".join((
        b"\0\1\1", source.encode(), b"\0\0\0", to.encode(), b"\0", bytes((esm_class, 0, 0)), b"\0\0\0\0",
        bytes((coding, 0, len(octets))), octets, tlvs,
    ))  # fmt: skip


def tlv(tag: int, value: bytes) -> bytes:
    return struct.pack("!HH", tag, len(value)) + value


class SmscThread:
    """An Smsc in a loop of its own, for tests whose loop is busy with something else."""

    def __init__(self, one: Smsc | None = None) -> None:
        self.smsc = one or Smsc()
        self._loop = asyncio.new_event_loop()
        self._end: asyncio.Event | None = None
        ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(ready),))
        self._thread.start()
        assert ready.wait(10)

    async def _serve(self, ready: threading.Event) -> None:
        self._end = asyncio.Event()
        async with smsc(self.smsc):
            ready.set()
            await self._end.wait()

    def deliver(self, body: bytes, number: int) -> int:
        """The status answered to a deliver_sm; blocks until it comes, and until somebody is bound."""

        async def story() -> int:
            await self.smsc.until(lambda: bool(self.smsc.sessions))
            return await self.smsc.deliver(body, number)

        return asyncio.run_coroutine_threadsafe(story(), self._loop).result(15)

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self.smsc.cut)

    def close(self) -> None:
        if self._end is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(10)
            self._loop.close()
