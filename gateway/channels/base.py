"""What a channel kind is: its settings, its door for webhooks, its listeners, its sender, and how it catches up.

To add a kind: a module here with a door or listener, one in `outbox/senders` that sends, a line each in `CHANNELS` and
`gateway.routes.CARRIES`, a page in docs/channels, and a rig in tests/conformance/rigs by which the suite tries it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol
from uuid import UUID

from gateway.clock import Clock
from gateway.incoming import Incoming, Receipt, Receiver

if TYPE_CHECKING:
    from outbox.senders.base import Envelope, Sender

BODY_LIMIT = 64 * 1024
RECEIPT_LIMIT = 16 * 1024

Status = Literal["sent", "delivered", "failed"]


class ChannelError(Exception):
    """A call that is not taken; `code` and `message` go back to the caller and name no person.

    `audited`: the caller is who it says and brought what it should not; somebody has to see that.
    """

    def __init__(
        self, status: int, code: str, message: str, *, retry_after: int | None = None, allow: tuple[str, ...] = (),
        audited: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.allow = allow
        self.audited = audited


class SettingError(ValueError):
    """A setting of a channel that cannot stand; the text says what to do."""


def any_text(value: str) -> str:
    return value.strip()


@dataclass(frozen=True, slots=True)
class Spec:
    """One setting of a kind. `check` gives the value as it is kept or raises SettingError."""

    name: str
    help: str
    required: bool = False
    secret: bool = False
    check: Callable[[str], str] = any_text


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """A channel as configured, secrets opened. `rate`: messages a second, None for no limit."""

    id: UUID
    name: str
    kind: str
    config: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    state: str = "active"
    rate: float | None = None

    def get(self, name: str) -> str:
        """Setting or secret; "" when it is not set."""
        return self.secrets.get(name) or self.config.get(name) or ""


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One webhook call, heard `at`. `url` is the public address with the query; `headers` have lower-case names."""

    url: str
    media: str
    headers: Mapping[bytes, bytes]
    query: bytes
    body: bytes = field(repr=False)
    method: str = "POST"
    at: datetime | None = None

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    media: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What a provider says became of a message: found by our id, else by the provider's."""

    status: Status
    our_id: UUID | None = None
    provider_id: str | None = None
    error: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that a webhook brought, still to be read. `mail_from`: see MailReader.

    `once` names the call where a provider signs no content: the same name with another mail is somebody else's.
    """

    raw: bytes = field(repr=False)
    to: str | None = None
    mail_from: str | None = None
    once: str | None = None


class Door(Protocol):
    """Hears webhooks of one channel. Both readers raise ChannelError; neither does any I/O.

    A call by GET carries everything in its query and has no media type; others have one of `media`. A door for mail
    has a `limit` of its own, in bytes of a body.
    """

    media: tuple[str, ...]
    methods: tuple[str, ...]

    def hear(self, call: HttpCall, now: datetime, /) -> Incoming | Letter:
        """Check that the caller is who it says, and read the text; a mail is read elsewhere."""
        ...

    def answer(self, receipt: Receipt, /) -> HttpAnswer:
        """What tells the provider that the text is kept."""
        ...

    def receipt(self, call: HttpCall, /) -> StatusReport | None:
        """Check the caller and read a delivery receipt; None for a state in between."""
        ...

    def noted(self) -> HttpAnswer:
        """What tells the provider that its receipt is kept."""
        ...


@dataclass(frozen=True, slots=True)
class Round:
    """What one call of a device brings: texts, and news of messages it was given; and what it asks for.

    `takes`: how many more messages it takes, leased to it for `hold` (None: it never tells what became of them, so
    what it is given counts as sent). `asks`: it wants to know which messages it still owes news of.
    """

    texts: Sequence[Incoming] = ()
    reports: Sequence[StatusReport] = ()
    takes: int = 0
    hold: timedelta | None = None
    asks: bool = False


@dataclass(frozen=True, slots=True)
class RoundEnd:
    """What was done in a round: texts kept, messages leased to the device, ids of messages it owes news of."""

    receipts: Sequence[Receipt] = ()
    given: "Sequence[Envelope]" = ()
    owed: Sequence[UUID] = ()


class RoundDoor(Protocol):
    """Hears a device that brings texts and fetches messages in one call. No I/O; `read` raises ChannelError."""

    media: tuple[str, ...]
    methods: tuple[str, ...]

    def read(self, call: HttpCall, now: datetime, /) -> Round:
        """Check that the caller is who it says, and read what it brings."""
        ...

    def reply(self, call: HttpCall, done: RoundEnd, /) -> HttpAnswer:
        """What tells the device that all it brought is kept, with the messages it is given to send."""
        ...


class Listener(Protocol):
    """A port a channel hears on."""

    async def start(self) -> None:
        """Raises OSError when the port cannot be had."""
        ...

    async def stop(self, grace_s: float = 5.0) -> None:
        """Take nothing new, let what is under way end within `grace_s` seconds."""
        ...


class MarkBook(Protocol):
    """How far a channel has read something; for threads, never on the event loop."""

    def get(self, channel: str, name: str, /) -> dict[str, Any] | None: ...

    def put(self, channel: str, name: str, value: Mapping[str, Any], /) -> None:
        """Durable when it returns."""
        ...

    def take_turn(self, channel: str, /) -> bool:
        """Whether this process is the one of several that reads for the channel during the next minutes."""
        ...

    def end_turn(self, channel: str, /) -> None:
        """Let another process read at once."""
        ...


class Marker(Protocol):
    """Marks what is being read, so that a mail at which the process died is not read again."""

    def marked(self, text: bytes) -> AbstractContextManager[None]:
        """What has this 16-byte hash is read while the block runs; blocks while too many others are."""
        ...

    def is_poison(self, text: bytes) -> bool:
        """Whether it ended a process before."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a kind may use of the running gateway. `base_url` has no slash at its end."""

    base_url: str
    clock: Clock
    intake: Receiver | None = None
    heard: Callable[[str, str], None] = lambda _channel, _result: None
    marker: Marker | None = None
    hash: Callable[[str, str], bytes] | None = None
    note: "Callable[[str, StatusReport], Awaitable[None]] | None" = None
    marks: MarkBook | None = None


@dataclass(frozen=True, slots=True)
class Signs:
    """What the other end tells of itself, for the channel page and the doctor: words by name, the signal in dBm
    (-113 to -51 for GSM), the battery in percent, the balance as it is told, and when that was."""

    told: Mapping[str, str]
    signal_dbm: int | None = None
    battery: int | None = None
    balance: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of channel. What is None it cannot do; `listen` and `make_sender` give nothing when not configured.

    `catch_up(config, around, since)` asks the other end for the texts it heard since then, at the start and when the
    link is back: it gives them to `around.intake` or has them delivered again, and raises a SendError when it could
    not. It must bear that most of them are here already, and texts of the same second as `since`. See
    `gateway.channels.catching_up`. `signs(config)` reads, in a thread and at once, what is told of
    a modem.
    """

    name: str
    title: str
    settings: tuple[Spec, ...] = ()
    check: Callable[[Mapping[str, str]], None] | None = None
    """Checks settings and secrets together; raises SettingError."""
    make_door: Callable[[ChannelConfig], Door | RoundDoor] | None = None
    listen: Callable[[ChannelConfig, Surroundings], list[Listener]] | None = None
    make_sender: "Callable[[ChannelConfig, Surroundings], Sender | None] | None" = None
    catch_up: "Callable[[ChannelConfig, Surroundings, datetime], Awaitable[None]] | None" = None
    reach: timedelta = timedelta(hours=1)
    """How much further back it asks than the moment up to which it is caught up."""
    signs: "Callable[[ChannelConfig], Signs] | None" = None
    paste: "Callable[[ChannelConfig, str], list[tuple[str, str]]] | None" = None
    """Label and text of what has to be pasted at the other end; see gateway.channels.pasting."""

    def spec(self, name: str) -> Spec | None:
        return next((spec for spec in self.settings if spec.name == name), None)
