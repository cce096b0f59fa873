"""SMPP 3.4: a short code at an operator or aggregator. One session, bound as transceiver, hears and sends."""

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from gateway.channels import checks
from gateway.channels.base import ChannelConfig, Kind, Listener, Spec, Status, StatusReport, Surroundings
from gateway.incoming import Incoming
from outbox.address import parse_sender

if TYPE_CHECKING:
    from uuid import UUID

    from outbox.senders.base import Sender
    from outbox.senders.smpp_pdu import Delivery, SmppReceipt
    from outbox.senders.smpp_session import SmppSession

# An SMSC gives a text no id. What it brings again after a lost answer comes within this time.
BROUGHT_AGAIN_S = 120.0
ALPHABETS = ("gsm7", "latin-1", "ascii")
IDS = ("same", "hex_answers", "hex_receipts")
STATES: dict[str, Status] = {
    "DELIVRD": "delivered", "UNDELIV": "failed", "EXPIRED": "failed", "DELETED": "failed", "REJECTD": "failed",
    "ACCEPTD": "sent", "ENROUTE": "sent",
}  # fmt: skip

# The sender of a channel finds the session its listener holds.
_SESSIONS: "WeakValueDictionary[UUID, SmppSession]" = WeakValueDictionary()


class SmppListener:
    """Keeps the session bound while the channel hears; each text is kept before the SMSC hears yes."""

    def __init__(self, config: ChannelConfig, around: Surroundings) -> None:
        self._config = config
        self._around = around
        self._session = _make_session(config, self)
        _SESSIONS[config.id] = self._session

    async def start(self) -> None:
        self._session.begin()

    async def stop(self, grace_s: float = 5.0) -> None:
        await self._session.end(grace_s)

    async def __call__(self, delivery: "Delivery") -> None:
        """Raises Busy when nothing was kept."""
        if delivery.receipt is not None:
            await self._note(delivery.receipt)
            return
        assert self._around.intake is not None
        try:
            await self._around.intake.receive(self._incoming(delivery))
        except Exception:
            self._around.heard(self._config.name, "busy")
            raise
        self._around.heard(self._config.name, "kept")

    def _incoming(self, delivery: "Delivery") -> Incoming:
        parsed = parse_sender(delivery.source)
        text = delivery.text.replace("\0", "\ufffd")
        part = delivery.part and (f"smpp{delivery.part[0]}", delivery.part[1], delivery.part[2])
        return Incoming(
            channel=self._config.name, sender=str(parsed.address or f"raw:{parsed.value}"), text=text,
            heard_at=self._around.clock(), to=delivery.destination or None, raw=delivery.raw, part=part or None,
            same_within_s=BROUGHT_AGAIN_S,
        )  # fmt: skip

    async def _note(self, receipt: "SmppReceipt") -> None:
        from outbox.senders.smpp import canonical_id

        status = STATES.get(receipt.state)
        if status is None or not receipt.id or self._around.note is None:
            return
        name = canonical_id(receipt.id, hexadecimal=self._config.get("message_ids") == "hex_receipts")
        error = f"{receipt.state} {receipt.error or ''}".strip() if status == "failed" else None
        await self._around.note(self._config.name, StatusReport(status, None, name, error))


def _make_session(config: ChannelConfig, hears: SmppListener | None) -> "SmppSession":
    from outbox.senders.smpp_session import SmppSession

    return SmppSession(
        host=config.get("host"), port=int(config.get("port") or 2775), system_id=config.get("system_id"),
        password=config.get("password"), system_type=config.get("system_type"),
        alphabet=config.get("alphabet") or "gsm7", on_delivery=hears, enquire_s=float(config.get("enquire") or 30),
        answer_s=float(config.get("timeout") or 15),
    )  # fmt: skip


def listen(config: ChannelConfig, around: Surroundings) -> list[Listener]:
    return [SmppListener(config, around)] if around.intake is not None else []


def make_sender(config: ChannelConfig, around: Surroundings) -> "Sender | None":
    from outbox.senders.smpp import SmppSender

    session = _SESSIONS.get(config.id)
    made = session or _make_session(config, None)
    return SmppSender(config.config, made, shared=session is not None, clock=around.clock)


KIND = Kind(
    "smpp", "SMPP short code",
    settings=(
        Spec("host", "the operator's SMSC: name or address", required=True),
        Spec("port", "its port, 2775 unless the operator says otherwise", check=checks.port),
        Spec("system_id", "the login, at most 15 characters", required=True, check=checks.at_most(15)),
        Spec("password", "its password, at most 8 characters", required=True, secret=True, check=checks.at_most(8)),
        Spec("system_type", "only when the operator names one", check=checks.at_most(12)),
        Spec("from", "the short code or number that answers come from", check=checks.sms_sender),
        Spec("alphabet", "of plain texts: gsm7, latin-1 or ascii", check=checks.one_of(*ALPHABETS)),
        Spec("window", "how many messages may wait for their answer, 1 to 50", check=checks.number(1, 50)),
        Spec("enquire", "seconds of silence after which the link is tried, 5 to 300", check=checks.number(5, 300)),
        Spec("timeout", "seconds to wait for an answer, 1 to 40", check=checks.number(1, 40)),
        Spec("message_ids", "same; hex_answers or hex_receipts when only one of the two is hexadecimal",
             check=checks.one_of(*IDS)),
    ),
    listen=listen,
    make_sender=make_sender,
)  # fmt: skip
