"""One bound session with an SMSC: aiosmpplib keeps it (bind, enquire_link, coming back), we read and answer.

The library reads deliver_sm strictly, gathers parts in memory and answers before a whole text is kept; it writes
messages to its log. So what carries texts is handled here: each deliver_sm is answered when `on_delivery` has returned,
with a "try again" when it raised, and its log is silent.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiosmpplib import ESME, BindMode
from aiosmpplib.protocol import DeliverSmResp, GenericNack
from aiosmpplib.retrytimer import SimpleExponentialBackoff
from aiosmpplib.state import PduHeader, SmppCommand, SmppCommandStatus, SmppError

from outbox.errors import Offline, UnknownResult
from outbox.senders.smpp_pdu import HEADER, SUBMIT_SM, Delivery, read_delivery

# Deliveries that may wait for their commit at once, and the word for "not now" (5.1.3).
UNANSWERED = 100
TEMPORARY = SmppCommandStatus.ESME_RX_T_APPN
REFUSALS = {
    SmppCommandStatus.ESME_RBINDFAIL, SmppCommandStatus.ESME_RINVPASWD, SmppCommandStatus.ESME_RINVSYSID,
}  # fmt: skip
COMMANDS = frozenset(SmppCommand)
STATUSES = frozenset(SmppCommandStatus)
PDU_LIMIT = 64 * 1024
STOP_S = 3.0

OnDelivery = Callable[[Delivery], Awaitable[None]]
_log = logging.getLogger("vocero.smpp")


class SmppSession(ESME):  # type: ignore[misc]
    """Settings: host, port, system_id, password, system_type, alphabet. Begins to bind at `begin`, in the background.

    `on_delivery` gets each text, part and receipt; what it raises is answered as "try again" (ESME_RX_T_APPN).
    Without it the session is bound as a transmitter.
    """

    def __init__(
        self, *, host: str, port: int, system_id: str, password: str, system_type: str = "", alphabet: str = "gsm7",
        on_delivery: OnDelivery | None = None, enquire_s: float = 30.0, answer_s: float = 15.0, retry_ms: int = 1000,
    ) -> None:  # fmt: skip
        super().__init__(
            host, port, system_id, password, system_type=system_type, client_id="vocero",
            bind_mode=BindMode.TRANSCEIVER if on_delivery else BindMode.TRANSMITTER, enquire_link_interval=enquire_s,
            log_level=logging.CRITICAL, log_handler=logging.NullHandler(), socket_timeout=answer_s,
            retry_timer=SimpleExponentialBackoff(retry_ms, 5),
        )  # fmt: skip
        self.refused: str | None = None
        self._alphabet = alphabet
        self._on_delivery = on_delivery
        self._free = asyncio.Semaphore(UNANSWERED)
        self._waiting: dict[int, asyncio.Future[tuple[int, str]]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._wire: asyncio.StreamWriter | None = None
        self._tried = asyncio.Event()

    def begin(self) -> None:
        """Bind, and bind again whenever the session is lost. May be called twice."""
        if self._task is None:
            self._task = asyncio.create_task(self.start(), name="smpp session")

    @property
    def is_bound(self) -> bool:
        return bool(self._bound.is_set())

    async def wait_bound(self, seconds: float) -> bool:
        """Whether it is bound, now or within `seconds`; a refusal is not waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._tried.wait()
        return self.is_bound

    async def end(self, grace_s: float = STOP_S) -> None:
        """Let what is being kept be answered, unbind, close."""
        if self._answering:
            await asyncio.wait(self._answering, timeout=grace_s)
        with suppress(Exception):
            async with asyncio.timeout(STOP_S):
                if self.is_bound:
                    await self.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._lost()
        if self._wire is not None:
            with suppress(OSError):
                await self._wire.wait_closed()

    async def submit(self, body: bytes) -> tuple[int, str]:
        """Status and message id the SMSC answers to a submit_sm. Raises Offline when it was not handed over, and
        UnknownResult when no answer came."""
        if not self.is_bound or self._writer is None:
            raise Offline
        number = self.sequence_generator.next_sequence()
        answer: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._writer.write(HEADER.pack(HEADER.size + len(body), SUBMIT_SM, 0, number) + body)
            async with self._drain_lock:
                await self._writer.drain()
            async with asyncio.timeout(self.socket_timeout):
                return await answer
        except (OSError, TimeoutError) as error:
            raise UnknownResult(detail={"exception": type(error).__name__}) from None
        finally:
            self._waiting.pop(number, None)

    async def connect(self) -> None:
        try:
            await super().connect()
        except SmppError as error:
            self.refused = error.command_status.name if error.command_status in REFUSALS else None
            if self.refused:
                self._tried.set()
            self._let_go()
            raise
        except BaseException:
            self._let_go()
            raise
        self._wire = self._writer
        self.refused = None
        self._bound.set()
        self._tried.set()

    async def _get_pdu(self) -> tuple[bytes, PduHeader]:
        """The next PDU; one whose command nobody knows is refused, and a status nobody knows is an error."""
        assert self._reader is not None
        while True:
            head = await self._reader.readexactly(HEADER.size)
            length, command, status, number = HEADER.unpack(head)
            if not HEADER.size <= length <= PDU_LIMIT:
                raise ValueError("not the head of a PDU")
            pdu = head + await self._reader.readexactly(length - HEADER.size)
            if command in COMMANDS:
                word = SmppCommandStatus(status) if status in STATUSES else SmppCommandStatus.ESME_RUNKNOWNERR
                return pdu, PduHeader(length, SmppCommand(command), word, number)
            await self._send_data(GenericNack(number, command_status=SmppCommandStatus.ESME_RINVCMDID))

    async def _receive_data(self) -> bytes | None:
        try:
            received: bytes | None = await super()._receive_data()
            return received
        finally:
            self._bound.clear()
            self._tried.clear()
            self._lost()

    async def _handle_request(self, pdu: bytes, header: Any) -> Any:
        if header.smpp_command != SmppCommand.DELIVER_SM or self._on_delivery is None:
            return await super()._handle_request(pdu, header)
        await self._free.acquire()
        task = asyncio.create_task(self._deliver(pdu, header.sequence_num))
        self._answering.add(task)
        task.add_done_callback(self._answered)
        return None

    async def _handle_response(self, pdu: bytes, header: Any) -> Any:
        answer = self._waiting.get(header.sequence_num)
        if header.smpp_command not in (SmppCommand.SUBMIT_SM_RESP, SmppCommand.GENERIC_NACK) or answer is None:
            return await super()._handle_response(pdu, header)
        if not answer.done():
            name = pdu[HEADER.size :].split(b"\0")[0].decode("latin-1")
            answer.set_result((int.from_bytes(pdu[8:12]), name))
        return None

    async def _deliver(self, pdu: bytes, number: int) -> None:
        status = SmppCommandStatus.ESME_ROK
        try:
            assert self._on_delivery is not None
            await self._on_delivery(read_delivery(pdu[HEADER.size :], self._alphabet))
        except Exception as error:
            _log.warning("a text was not kept and is asked for again: %s", type(error).__name__)
            status = TEMPORARY
        with suppress(Exception):
            async with asyncio.timeout(STOP_S):
                await self._send_data(DeliverSmResp(number, command_status=status))

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self._answering.discard(task)
        self._free.release()

    def _lost(self) -> None:
        """Nobody will answer any more what was handed over."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError())
        self._let_go()

    def _let_go(self) -> None:
        for writer in (self._writer, self._wire):
            if writer is not None:
                writer.close()
