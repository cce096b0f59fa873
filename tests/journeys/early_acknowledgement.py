"""`vocero serve` with the mistake the kill test must find: callers are told before the commit."""

import os
import sys
from pathlib import Path

from gateway.incoming import Incoming, Receipt
from gateway.intake import Intake
from gateway.supervisor import IN_FLIGHT


async def _receive_early(self: Intake, incoming: Incoming) -> Receipt:
    """Queue the text and answer at once, as a gateway does that trusts its memory."""
    import asyncio

    from uuid_utils.compat import uuid7

    from gateway.intake import _Waiting

    loop = asyncio.get_running_loop()
    self._queue.append(_Waiting(incoming, loop.create_future(), loop))
    self._house.writer.notify()
    return Receipt(uuid7(), "kept")


if __name__ == "__main__":
    from gateway.cli import main

    os.environ[IN_FLIGHT] = str(Path(os.environ["VOCERO_DATA_DIR"]) / "early.inflight")  # no supervisor in between
    Intake.receive = _receive_early  # type: ignore[method-assign]
    sys.argv = ["vocero", "serve"]
    main()
