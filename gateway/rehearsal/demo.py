"""Plays a month into an installation that holds no texts yet: through the intake, the outbox and the digests, with
their clock moved by hand. Nothing leaves the machine: what waits is marked as delivered."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, time, timedelta
from importlib.resources import files
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select
from uuid_utils.compat import uuid7

from gateway import audit, subscriptions
from gateway.alerts import ALERT, escalate_due, tell_more_due, was_sent_to
from gateway.channels import registry
from gateway.contact_file import parse_contacts
from gateway.contacts import CONTACT, find
from gateway.digests import run_due
from gateway.errors import Conflict
from gateway.house import House
from gateway.incoming import Incoming
from gateway.install import held
from gateway.intake import Intake
from gateway.rehearsal.local import FROM, HOURS, PHONE, READER, prepare
from gateway.rehearsal.script import Script, Turn
from gateway.reports import REPORT
from gateway.standing import MESSAGE
from gateway.upkeep import expire_questions
from outbox.queue import claim_due, record_sent
from outbox.senders.base import Sent

DISCARD_PORT = 9
LEASE = timedelta(minutes=1)
CLAIMED = 50
RECEIPTS = 0.9


class Demo:
    """`run` yields after each day; `texts` counts what was written."""

    def __init__(self, house: House, *, days: int, seed: int) -> None:
        self._house = house
        self._random = Random(seed)  # noqa: S311
        self._real_clock = house.clock
        self._now = house.clock()
        self._zone = ZoneInfo(house.read_now(house.codebook).zone)
        self._seed = seed
        self.steps = days
        self.texts = 0

    def run(self) -> Iterator[int]:
        """Play day after day. Raises Conflict when the database holds texts, other people or real channels."""
        house = self._house
        with ExitStack() as stack:
            if house.settings.sqlite_path is not None:
                stack.enter_context(held(house.settings, "serve"))
                stack.enter_context(held(house.settings, "worker"))
            house.read_now(self._refuse_real)
            stack.callback(self._restore)
            house.clock = lambda: self._now
            house.writer.first = Intake(house)
            yield from self._play()

    def _restore(self) -> None:
        self._house.clock = self._real_clock
        self._house.writer.first = None

    def _refuse_real(self, connection: Connection) -> None:
        if connection.execute(select(MESSAGE.c.id).limit(1)).first() is not None:
            raise Conflict("This database holds texts already. The demo wants one of its own: set VOCERO_DATA_DIR.")
        house = self._house
        for channel in registry.load(connection, house.sealer):
            if channel.kind != "simulator" and channel.get("from") != FROM:
                raise Conflict(f"The channel {channel.name} is a real one. The demo wants a database of its own.")
        if connection.execute(select(CONTACT.c.id).limit(1)).first() and not find(connection, READER, house.sealer):
            raise Conflict("This database holds people already. The demo wants one of its own: set VOCERO_DATA_DIR.")

    def _play(self) -> Iterator[int]:
        end = self._now
        today = end.astimezone(self._zone).date()
        starts = [
            datetime.combine(today - timedelta(days=back), time(), self._zone) for back in reversed(range(self.steps))
        ]
        self._now = starts[0].astimezone(UTC)
        self._house.writer.write_now(self._prepare, timeout=None)
        codebook = self._house.read_now(self._house.codebook)
        table = files("gateway.rehearsal").joinpath("contacts.csv").read_text(encoding="utf-8")
        script = Script(parse_contacts(table, codebook.places), codebook, self._seed)
        for number, start in enumerate(starts, start=1):
            moments: list[tuple[datetime, Turn | None]] = [(turn.at, turn) for turn in script.day(start)]
            moments += [(start + timedelta(hours=int(hour[:2])), None) for hour in HOURS.split(",")]
            for at, turn in sorted(moments, key=lambda moment: moment[0]):
                if at < end:
                    self._move(at, turn)
            yield number
        self._now = end
        data = {"texts": self.texts, "seed": self._seed}
        self._house.writer.write_now(
            lambda connection: audit.record(connection, at=end, actor="cli", action="demo", data=data)
        )

    def _prepare(self, connection: Connection) -> None:
        prepare(connection, self._house, DISCARD_PORT)
        codebook = self._house.codebook(connection)
        wish = subscriptions.make_wish("email", HOURS, "", codebook.places, codebook.zone)
        coordinators = select(CONTACT.c.id).where(CONTACT.c.role == "coordinator")
        standing = {row.contact_id for row in subscriptions.standing(connection)}
        for key in connection.scalars(coordinators).all():
            if key not in standing:
                subscriptions.add(connection, key, wish, now=self._now, actor="system")

    def _move(self, at: datetime, turn: Turn | None) -> None:
        """A text is heard, or a digest is due; then what waits is delivered."""
        self._now = at.astimezone(UTC)
        escalate_due(self._house)
        tell_more_due(self._house)
        if turn is None:
            expire_questions(self._house)
            run_due(self._house)
        else:
            text = self._house.read_now(lambda connection: self._with_number(connection, turn))
            if text is None:
                return
            self._say(turn.sender, text)
        self._now += timedelta(seconds=self._random.randint(3, 40))
        self._house.writer.write_now(self._deliver, timeout=None)

    def _say(self, sender: str, text: str) -> None:
        intake = self._house.writer.first
        assert isinstance(intake, Intake)
        asyncio.run(intake.receive(Incoming(PHONE, sender, text, self._now, external_id=uuid7().hex)))
        self.texts += 1

    def _with_number(self, connection: Connection, turn: Turn) -> str | None:
        """The text with a report's number where it wants one; None when the sender has no report yet."""
        if "{ref}" not in turn.text:
            return turn.text
        query = select(REPORT.c.ref).where(REPORT.c.ref.is_not(None), REPORT.c.state == "open")
        if not turn.coordinator:
            query = query.where(REPORT.c.sender_hash == self._house.sealer.hash("address", turn.sender))
        elif turn.text.startswith("VISTO"):
            sender = find(connection, turn.sender, self._house.sealer)
            query = query.join(ALERT, ALERT.c.report_id == REPORT.c.id).where(ALERT.c.state == "open")
            query = query.where(was_sent_to(sender)) if sender else query
        refs = connection.scalars(query.order_by(REPORT.c.ref.desc()).limit(8)).all()
        return turn.text.replace("{ref}", str(self._random.choice(refs))) if refs else None

    def _deliver(self, connection: Connection) -> None:
        for channel in registry.load(connection, self._house.sealer):
            envelopes = claim_due(
                connection, channel=channel.name, limit=CLAIMED, now=self._now, lease=LEASE, owner="demo",
                seals=self._house.sealer,
            )  # fmt: skip
            for envelope in envelopes:
                delivered = channel.kind == "simulator" and self._random.random() < RECEIPTS
                sent = Sent(uuid7().hex, state="delivered" if delivered else "sent")
                record_sent(connection, envelope, sent, now=self._now, seals=self._house.sealer)
