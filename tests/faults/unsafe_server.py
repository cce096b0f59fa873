"""`vocero serve` with the mistake the power-loss test must find: SQLite does not wait for the disk at a commit."""

import os
import sys
from pathlib import Path
from typing import Any

from gateway import db
from gateway.supervisor import IN_FLIGHT

_prepare = db._prepare_sqlite


def _trust_the_cache(connection: Any, record: object) -> None:
    _prepare(connection, record)
    connection.execute("PRAGMA synchronous=NORMAL")


if __name__ == "__main__":
    from gateway.cli import main

    os.environ[IN_FLIGHT] = str(Path(os.environ["VOCERO_DATA_DIR"]) / "unsafe.inflight")  # no supervisor in between
    db._prepare_sqlite = _trust_the_cache
    sys.argv = ["vocero", "serve"]
    main()
