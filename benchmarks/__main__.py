"""`python -m benchmarks [NAME ...]`: every measurement, or those named; one JSON object a line."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import alerting, digesting, intake, outgoing, reading, serving

BENCHMARKS: Mapping[str, Callable[[], dict[str, Any] | None]] = {
    "read_text": reading.text,
    "read_mail": reading.mail,
    "compile_codebook": reading.compiling,
    "start_first_200": serving.start,
    "idle_rss": serving.memory,
    "outbox_sqlite": outgoing.sqlite,
    "outbox_overtaking": alerting.overtaking,
    "alert_latency": alerting.latency,
    "digest_cost": digesting.cost,
    "intake_sqlite": intake.sqlite,
    "intake_postgres": intake.postgres,
}


def main(names: list[str]) -> int:
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    failed = False
    for name in names or BENCHMARKS:
        line = BENCHMARKS[name]()
        failed |= line is None
        if line is not None:
            print(json.dumps(line), flush=True)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
