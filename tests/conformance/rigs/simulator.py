"""The phone in the browser: texts come by its page, and it shows what the outbox holds."""

import asyncio

from sqlalchemy import select
from uuid_utils.compat import uuid7

from outbox.rows import OUTBOUND
from tests.conformance.rig import Delivery, Office, Rig
from tests.gateway.web.site import open_site

NO_PROVIDER = "nobody stands between us and the page"


class SimulatorRig(Rig):
    kind = "simulator"
    own_name = "simulator"
    cannot = {
        "throttled": NO_PROVIDER, "silent": NO_PROVIDER, "refused": NO_PROVIDER, "offline": NO_PROVIDER,
        "wrong_key": NO_PROVIDER, "receipt": NO_PROVIDER, "again": "a page is sent once by its browser",
    }  # fmt: skip

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        return await asyncio.to_thread(self._write, office, delivery, True)

    async def hear_stranger(self, office: Office, delivery: Delivery) -> bool:
        return await asyncio.to_thread(self._write, office, delivery, False)

    def sent(self, office: Office) -> list[tuple[str, str]]:
        """What the page shows: messages that are marked as delivered."""
        sealer = office.house.sealer
        query = select(OUTBOUND).where(OUTBOUND.c.state == "delivered", OUTBOUND.c.channel == self.name)
        rows = office.house.read_now(lambda connection: list(connection.execute(query)))
        return [(self.to, sealer.open(OUTBOUND.name, "text", row.id, row.text_sealed)) for row in rows]

    @staticmethod
    def _write(office: Office, delivery: Delivery, logged_in: bool) -> bool:
        site = open_site(office.house)
        browser = site.logged_in("admin", name=uuid7().hex) if logged_in else site.browser()
        browser.get("/simulator")
        answer = browser.post("/simulator/write", {"number": delivery.number, "text": delivery.text})
        site.web.passwords.close()
        return answer.status_code == 200


RIG = SimulatorRig
