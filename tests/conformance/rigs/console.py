"""The terminal: texts come by the function behind `vocero say`, and what would go out is marked as sent."""

from sqlalchemy import select

from gateway.errors import Busy
from gateway.typed import keep_typed
from outbox.rows import OUTBOUND
from tests.conformance.rig import Delivery, Office, Rig

NO_PROVIDER = "nobody stands between us and the terminal"


class ConsoleRig(Rig):
    kind = "console"
    cannot = {
        "throttled": NO_PROVIDER, "silent": NO_PROVIDER, "refused": NO_PROVIDER, "offline": NO_PROVIDER,
        "wrong_key": NO_PROVIDER, "receipt": NO_PROVIDER, "again": "a line is typed once",
        "stranger": "who may run commands on the machine may type",
    }  # fmt: skip

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        assert office.house.intake is not None
        try:
            await keep_typed(office.house, office.house.intake, self.name, delivery.sender, delivery.text)
        except Busy:
            return False
        return True

    def sent(self, office: Office) -> list[tuple[str, str]]:
        """What the log told of: messages that are marked as sent."""
        sealer = office.house.sealer
        query = select(OUTBOUND).where(OUTBOUND.c.state == "sent", OUTBOUND.c.channel == self.name)
        rows = office.house.read_now(lambda connection: list(connection.execute(query)))
        return [(self.to, sealer.open(OUTBOUND.name, "text", row.id, row.text_sealed)) for row in rows]


RIG = ConsoleRig
