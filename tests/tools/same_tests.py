"""The tests of one database are the tests of the other: fails when a test id exists for SQLite or Postgres alone.

    python tests/tools/same_tests.py

A test that has good reason to run on one database only is listed, with that reason, in one_database.txt beside this
file: one line each, `test id without its brackets  # reason`.
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
    complaints = [
        f"{test_id}: on {database} only"
        for database, other in (DATABASES, DATABASES[::-1])
        for test_id in sorted(seen[database] - seen[other])
        if test_id.split("[")[0] not in listed
    ]
    return {database: len(tests) for database, tests in seen.items()}, complaints


def collect() -> list[str]:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--override-ini=addopts="]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        sys.exit(f"pytest could not collect the tests:\n{answer.stdout}{answer.stderr}")
    return answer.stdout.splitlines()


def main() -> int:
    lines = LISTED.read_text().splitlines()
    counts, complaints = lonely(collect(), {line.split("#")[0].strip() for line in lines})
    print(", ".join(f"{count} tests on {database}" for database, count in counts.items()))
    for complaint in complaints:
        print(complaint)
    if not any(counts.values()):
        print("No test names its database: nothing was compared.")
        return 1
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
