"""What one process runs. `serve`: web, mail, dispatcher, ticks; `--no-worker`: the first two; `worker`: the others."""

import asyncio
import os
import socket
from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.activity import Activity
from gateway.channels.base import Letter, StatusReport, Surroundings
from gateway.channels.catching_up import CatchingUp
from gateway.channels.live import LiveChannels
from gateway.channels.marks import Marks
from gateway.clock import Clock
from gateway.clock_steps import ClockSteps
from gateway.errors import Busy
from gateway.health import Health
from gateway.house import House
from gateway.incoming import Receipt
from gateway.inflight import InFlight, own_file
from gateway.intake import Intake
from gateway.last_look import LastLook, allowed
from gateway.metrics import Metrics
from gateway.plan import Reader
from gateway.sharing import Sharing
from gateway.stopped import note_stopped
from gateway.supervisor import IN_FLIGHT
from outbox.dispatcher import Dispatcher
from outbox.handing import hand_over, owed
from outbox.queue import record_receipt
from outbox.receipts import OPTED_OUT
from outbox.rows import OUTBOUND
from outbox.senders.base import Envelope

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from gateway.channels.base import Door, RoundDoor
    from gateway.http_server import WebServer
    from gateway.incoming import Receiver
    from outbox.dispatcher import State

FLUSH_EVERY_S = 20.0
AUDIT_EVERY = timedelta(minutes=1)
POISON_EVERY_S = 1.0


class Running:
    """One process at work. `start` returns when it hears and sends; `stop` ends it after what is under way.

    Without `timer` nothing ticks: who plays a day runs the ticks by the time of that day.
    """

    def __init__(
        self, house: House, *, web: bool = True, worker: bool = True, pages: bool = True,
        reader: Reader | None = None, timer: bool = True,
    ) -> None:  # fmt: skip
        self.house = house
        self.clock: Clock = house.clock
        self.base_url = house.settings.base_url
        self.metrics = Metrics()
        self.activity = Activity(house)
        self._steps = ClockSteps(house)
        self._review = LastLook(house).review
        self._web = web
        self._worker = worker
        self._pages = pages
        self._reader = reader
        self._timer = timer
        self.warm = asyncio.Event()
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._server: WebServer | None = None
        self._in_flight: InFlight | None = None
        self._lock: int | None = None
        self._catching_up: CatchingUp | None = None
        self._refused: dict[tuple[str, str], datetime] = {}
        self.channels: LiveChannels
        self.dispatcher: Dispatcher | None = None
        self.health = Health(house, self.metrics, self.activity.offline, lambda: self.channels.troubles())

    @property
    def doors(self) -> "Mapping[str, Door | RoundDoor]":
        return self.channels.doors

    @property
    def intake(self) -> "Receiver":
        if self.house.intake is None:
            raise Busy("the gateway is starting or stopping", 5)
        return self.house.intake

    async def start(self, listening: socket.socket | None = None) -> None:
        """Begin to hear and send. `listening` is the socket of the web server; its port goes into webhook addresses."""
        if listening is not None and self.house.settings.public_url is None:
            self.base_url = f"http://{self.house.settings.host}:{listening.getsockname()[1]}"
        if self._web:
            self._take_texts()
        around = Surroundings(
            self.base_url, self.clock, self.house.intake, self._heard_mail, self._in_flight, self.house.sealer.hash,
            self.note,
            Marks(self.house, uuid7().hex, alone=self.house.settings.sqlite_path is not None),
        )  # fmt: skip
        self.channels = LiveChannels(self.house, around, listens=self._web, sends=self._worker)
        await self.channels.look()
        self._begin(self.channels.run(self._stop))
        if self._web:
            self._catching_up = CatchingUp(self.house, self.channels, around)
            self._begin(self._catching_up.run(self._stop))
        self._begin(self._flush_now_and_then())
        if self._worker:
            self._start_worker()
        if self._web and listening is not None:
            self._start_web(listening)
        self._begin(self._warm_up())

    async def wait(self) -> None:
        """Until `ask_to_stop`, or until a part that must not end has ended; raises what ended it."""
        stopped = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait([stopped, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        for task in done - {stopped}:
            if (error := task.exception()) is not None:
                raise error

    def ask_to_stop(self) -> None:
        self._stop.set()

    async def stop(self) -> None:
        """Take nothing new, finish what is under way, let go of everything but the house."""
        self._stop.set()
        if self._server is not None:
            self._server.ask_to_stop()
        if hasattr(self, "channels"):
            await self.channels.stop_hearing()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if (last := self.activity.flush()) is not None:
            await asyncio.wrap_future(last)
        await self.let_go()

    async def let_go(self) -> None:
        """Give back what the process holds but the house, finishing nothing: all that a power cut leaves to do."""
        if hasattr(self, "channels"):
            await self.channels.close()
        self.house.writer.first = None
        self.house.intake = None
        if self._in_flight is not None:
            self._in_flight.close()
        if self._lock is not None:
            os.close(self._lock)

    async def keep_letter(self, channel: str, letter: Letter) -> Receipt:
        return await self.channels.keep_letter(channel, letter)

    async def note(self, channel: str, report: StatusReport) -> None:
        """Record a delivery receipt in a transaction of its own."""
        await self.house.write(lambda connection: self._record(connection, channel, report))

    async def hand_over(self, channel: str, limit: int, hold: timedelta | None) -> list[Envelope]:
        """Lease due messages to a device that fetches them; none while the channel is paused."""
        if not self.channels.is_active(channel):
            return []
        given = await self.house.write(
            lambda connection: hand_over(
                connection, channel=channel, limit=limit, now=self.clock(), seals=self.house.sealer, hold=hold,
                allowed=allowed, review=self._review,
            )
        )  # fmt: skip
        if given:
            self.activity.on_state(channel, "sent", str(len(given)))
        return given

    async def owed(self, channel: str) -> "list[UUID]":
        return await self.house.read(lambda connection: owed(connection, channel))

    def heard(self, channel: str, result: str, seconds: float) -> None:
        self.metrics.heard(channel, result, seconds)
        if result == "kept":
            self._kept(channel)

    def refused(self, channel: str, code: str) -> None:
        """At most one entry a minute for each channel and reason: a wrong setting must not fill the log."""
        now = self.clock()
        if (last := self._refused.get((channel, code))) is not None and timedelta(0) <= now - last < AUDIT_EVERY:
            return
        self._refused[channel, code] = now
        self.house.writer.submit(
            lambda connection: audit.record(
                connection, at=now, actor="channel", action="channel.refused", target=channel, data={"why": code}
            )
        )

    def _heard_mail(self, channel: str, result: str) -> None:
        self.metrics.heard(channel, result)
        if result == "kept":
            self._kept(channel)

    def _kept(self, channel: str) -> None:
        self.activity.heard(channel)
        if self.dispatcher is not None:
            self.dispatcher.wake()

    def _record(self, connection: Connection, channel: str, report: StatusReport) -> None:
        record_receipt(
            connection, channel=channel, status=report.status, our_id=report.our_id, provider_id=report.provider_id,
            error=report.error, at=report.at, now=self.clock(), seals=self.house.sealer,
        )  # fmt: skip
        if report.error == OPTED_OUT and report.our_id is not None:
            to = select(OUTBOUND.c.to_hash).where(OUTBOUND.c.id == report.our_id, OUTBOUND.c.channel == channel)
            self._stopped(connection, channel, connection.scalars(to).all())

    def _stopped(self, connection: Connection, channel: str, hashes: "Collection[bytes]") -> None:
        note_stopped(connection, channel, hashes, now=self.clock())

    def _take_texts(self) -> None:
        settings = self.house.settings
        given = os.environ.get(IN_FLIGHT)
        path = Path(given) if given else self._unsupervised_file()
        self._in_flight = InFlight(path)
        reader = self._reader or Reader(self.house.sealer, settings.repeat_hours, settings.question_hours)
        intake = Intake(self.house, replace(reader, guard=self._in_flight))
        self.house.intake = intake
        self.house.writer.first = intake

    def _unsupervised_file(self) -> Path:
        path, self._lock = own_file(self.house.settings.data_dir)
        return path

    def _start_worker(self) -> None:
        from gateway.ticks import Ticker

        self.dispatcher = Dispatcher(
            write=self.house.write, seals=self.house.sealer, clock=self.clock, channels=self.channels.sending,
            owner=uuid7().hex, on_state=self._on_state, allowed=allowed, review=self._review,
            on_opted_out=self._stopped,
            alone=self.house.settings.sqlite_path is not None,
        )  # fmt: skip
        self._begin(self.dispatcher.run(self._stop))
        self._begin(Sharing(self.house, lambda number: setattr(self.channels, "share", number)).run(self._stop))
        if self._timer:
            ticker = Ticker(self.house, on_jump=self._on_jump, ticked=self.metrics.ticked)
            self._begin(ticker.run(self._stop))

    def _start_web(self, listening: socket.socket) -> None:
        from gateway.app import create_app
        from gateway.http_server import make_server

        app = create_app(self.house, self, self.health, pages=self._pages)
        self._server = make_server(app)
        self._begin(self._server.serve(sockets=[listening]))

    def _on_state(self, channel: str, state: "State", detail: str) -> None:
        self.activity.on_state(channel, state, detail)
        if state == "online" and self._catching_up is not None:
            self._catching_up.link_is_back(channel)

    def _on_jump(self, step: timedelta) -> None:
        """`step` is by how much the clock was set; a machine that only slept lets what waits grow old."""
        if step > timedelta(0):
            self._steps.put_right(step)
        if self.dispatcher is not None:
            self.dispatcher.wake()

    async def _warm_up(self) -> None:
        """The codebook takes a moment to compile; the first text need not wait for it."""
        if self._web:
            await self.house.read(self.house.codebook)
        self.warm.set()
        await self._stop.wait()

    async def _flush_now_and_then(self) -> None:
        looked = 0.0
        while not self._stop.is_set():
            try:
                async with asyncio.timeout(POISON_EVERY_S):
                    await self._stop.wait()
            except TimeoutError:
                looked += POISON_EVERY_S
            if self._in_flight is not None:
                self._in_flight.poison.reload()
            if looked >= FLUSH_EVERY_S:
                looked = 0.0
                self.activity.flush()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))
