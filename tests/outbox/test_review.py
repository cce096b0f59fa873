"""The last look before sending: dropped, put off, said in other words, or left alone."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from outbox_cast import ANA, LEASE, Box, message
from sqlalchemy import update

from outbox.dispatcher import Dispatcher, SendingChannel
from outbox.handing import hand_over
from outbox.review import Drop, Reword, Verdict, Wait
from outbox.rows import OUTBOUND
from outbox.senders.base import Envelope, Sent


class Taker:
    """A sender that says yes and keeps what it was given."""

    parallel = 10

    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    async def send(self, envelope: Envelope) -> Sent:
        self.taken.append(envelope)
        return Sent(f"id-{len(self.taken)}")

    async def close(self) -> None:
        """Nothing is open."""


def send(box: Box, verdicts: Mapping[UUID, Verdict]) -> list[Envelope]:
    """What a sender was given; it says yes to everything."""
    sender = Taker()

    async def write(job: object) -> object:
        return box.run(job)  # type: ignore[arg-type]

    dispatcher = Dispatcher(
        write=write,  # type: ignore[arg-type]
        seals=box.seals, clock=lambda: box.now, channels=lambda: {"sms": SendingChannel(sender)}, owner="one",
        review=lambda _, envelopes: {one.id: verdicts[one.id] for one in envelopes if one.id in verdicts},
    )  # fmt: skip
    asyncio.run(dispatcher.drain_once())
    return sender.taken


def test_each_verdict_is_carried_out(box: Box) -> None:
    stale, early, plain, new, old = (message() for _ in range(5))
    box.put(stale, early, plain, new, old)
    morning = box.now + timedelta(hours=10)
    verdicts = {
        stale.id: Drop("stale"), early.id: Wait(morning),
        new.id: Reword("Anotado: áéí R1, R2", replaces=(old.id,)),
    }  # fmt: skip
    taken = send(box, verdicts)
    assert {one.text for one in taken} == {plain.text, "Anotado: aéi R1, R2"}
    found = {one.id: box.row(one.id) for one in (stale, early, plain, new, old)}
    assert [(row.state, row.error) for row in found.values()] == [
        ("cancelled", "stale"), ("queued", None), ("sent", None), ("sent", None), ("cancelled", "merged"),
    ]  # fmt: skip
    assert found[early.id].not_before == morning
    row = found[new.id]
    assert box.seals.open("outbound_message", "text", row.id, row.text_sealed) == "Anotado: aéi R1, R2"
    assert row.text_hash == box.seals.hash("text", "Anotado: aéi R1, R2")


def test_a_try_whose_end_nobody_saw_goes_as_it_was(box: Box) -> None:
    doubtful = message()
    box.put(doubtful)
    unsure = update(OUTBOUND).where(OUTBOUND.c.id == doubtful.id).values(unsure_since=box.now)
    box.run(lambda conn: conn.execute(unsure))
    (taken,) = send(box, {doubtful.id: Drop("stale")})
    assert (taken.text, box.row(doubtful.id).state) == (doubtful.text, "sent")


def test_a_device_is_given_the_new_words_and_what_they_replace_is_cancelled(box: Box) -> None:
    new, old = message(), message()
    box.put(new, old)
    (held,) = box.run(
        lambda conn: hand_over(
            conn, channel="sms", limit=1, now=box.now, seals=box.seals, hold=LEASE, allowed=lambda _, all_: [new.id],
            review=lambda _, all_: {one.id: Reword("dos", replaces=(old.id,)) for one in all_},
        )
    )  # fmt: skip
    assert (held.to, held.text) == (ANA, "dos")
    assert box.row(old.id).state == "cancelled", "a device that fetched it will send it"
