"""The tests of one database are the tests of the other: fails when a test id exists for SQLite or Postgres alone.

    python tests/tools/same_tests.py

A test that has good reason to run on one database only is listed in one_database.txt beside this file: its id without
brackets on a line, under a comment that gives the reason. A listed test that is no longer lonely must leave the list.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
LISTED = Path(__file__).with_name("one_database.txt")
DATABASES = ("sqlite", "postgres")
IDENTIFIER = re.compile(r"^(tests/\S+?)\[(.*)\]$")


def split(test_id: str) -> tuple[str, str] | None:
    """The database named among a test's parameters, and the id with that name taken out."""
    found = IDENTIFIER.match(test_id)
    if found is None:
        return None
    parameters = found[2].split("-")
    for database in DATABASES:
        if database in parameters:
            return database, f"{found[1]}[{'-'.join('DB' if part == database else part for part in parameters)}]"
    return None


def lonely(test_ids: list[str], listed: set[str]) -> tuple[dict[str, int], list[str]]:
    """Tests a database, and the complaints about those that the other database lacks."""
    seen: dict[str, set[str]] = {database: set() for database in DATABASES}
    for test_id in test_ids:
        pair = split(test_id)
        if pair is not None:
            seen[pair[0]].add(pair[1])
    alone = {
        test_id: name
        for name in DATABASES
        for test_id in seen[name]
        if sum(test_id in ids for ids in seen.values()) == 1
    }
    complaints = [
        f"{test_id}: on {name} only" for test_id, name in alone.items() if test_id.split("[")[0] not in listed
    ]
    idle = listed - {test_id.split("[")[0] for test_id in alone}
    complaints += [f"{test_id}: listed for one database, but runs on both or on none" for test_id in idle]
    complaints.sort()
    return {database: len(tests) for database, tests in seen.items()}, complaints


def collect() -> list[str]:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--override-ini=addopts="]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        sys.exit(f"pytest could not collect the tests:\n{answer.stdout}{answer.stderr}")
    return answer.stdout.splitlines()


def main() -> int:
    lines = [line.strip() for line in LISTED.read_text().splitlines()]
    counts, complaints = lonely(collect(), {line for line in lines if line and not line.startswith("#")})
    print(", ".join(f"{count} tests on {database}" for database, count in counts.items()))
    for complaint in complaints:
        print(complaint)
    if not any(counts.values()):
        print("No test names its database: nothing was compared.")
        return 1
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
