"""A load of 64 callers over plain HTTP/1.1 keep-alive, cheap enough not to be what is measured.

Run as a process of its own: `python -m benchmarks.client PORT PATH TOKEN SECONDS < bodies`; prints one JSON object.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator

CALLERS = 64
HEAD = (
    "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
)


class Caller(asyncio.Protocol):
    """One connection that posts the next body as soon as the last was answered."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.buffer = b""
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        body = self.load.next_body()
        if body is None:
            self.transport.close()
            return
        self.sent_at = time.perf_counter()
        self.transport.write(body)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if len(rest) < length:
            return
        self.buffer = b""
        self.load.answered(int(head[9:12]), time.perf_counter() - self.sent_at)
        self.send()

    def connection_lost(self, _error: Exception | None) -> None:
        self.load.ended()


class Load:
    """Deals out bodies until they or the time are over, and counts what came back."""

    def __init__(self, bodies: Iterator[bytes], seconds: float) -> None:
        self.bodies = bodies
        self.until = time.perf_counter() + seconds
        self.times: list[float] = []
        self.statuses: dict[int, int] = {}
        self.open = CALLERS
        self.done = asyncio.get_running_loop().create_future()

    def next_body(self) -> bytes | None:
        return None if time.perf_counter() > self.until else next(self.bodies, None)

    def answered(self, status: int, took: float) -> None:
        self.times.append(took)
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def ended(self) -> None:
        self.open -= 1
        if not self.open:
            self.done.set_result(None)


async def run(port: int, path: str, token: str, seconds: float, lines: list[str]) -> dict[str, object]:
    def requests() -> Iterator[bytes]:
        for line in lines:
            body = line.encode()
            yield HEAD.format(path=path, token=token, length=len(body)).encode() + body

    prepared = iter(list(requests()))
    started = time.perf_counter()
    load = Load(prepared, seconds)
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.create_connection(lambda: Caller(load), "127.0.0.1", port) for _ in range(CALLERS)))
    await load.done
    took = time.perf_counter() - started
    times = sorted(load.times)
    return {
        "answered": len(times), "seconds": took, "rate": len(times) / took, "statuses": load.statuses,
        "p50_ms": 1000 * times[len(times) // 2], "p99_ms": 1000 * times[int(len(times) * 0.99)],
    }  # fmt: skip


if __name__ == "__main__":
    import uvloop

    port, path, token, seconds = sys.argv[1:5]
    bodies = sys.stdin.read().splitlines()
    print(json.dumps(uvloop.run(run(int(port), path, token, float(seconds), bodies))))
