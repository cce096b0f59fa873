"""A process that makes digests and does nothing else, by a clock that stands in a file: FOLDER CLOCK [DATABASE]."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from gateway.digests import run_due
from gateway.house import open_house
from gateway.settings import Settings


def main(folder: str, clock: str, database: str | None = None) -> None:
    settings = Settings(_env_file=None, data_dir=Path(folder), database_url=database, disk_reserve_mb=1)
    house = open_house(settings, lambda: datetime.fromtimestamp(float(Path(clock).read_text()), UTC))
    while True:
        run_due(house)
        time.sleep(0.01)


if __name__ == "__main__":
    main(*sys.argv[1:])
