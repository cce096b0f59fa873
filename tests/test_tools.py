"""The proofs about the tests themselves: no skip passes unseen, and both databases run the same tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.same_tests import lonely, split

ROOT = Path(__file__).parent.parent
SKIPPING = {
    "a test that skips": "import pytest\ndef test_it():\n    pytest.skip('no chromium')\n",
    "a test marked skip": "import pytest\n@pytest.mark.skip(reason='no chromium')\ndef test_it():\n    pass\n",
    "a file that skips": "import pytest\npytest.skip('no chromium', allow_module_level=True)\n",
    "a missing library": "import pytest\npytest.importorskip('no_such_library', reason='no chromium')\n",
}


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder), str(folder), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("source", SKIPPING.values(), ids=SKIPPING.keys())
def test_a_skip_fails_a_run_that_may_leave_nothing_out(source: str, tmp_path: Path) -> None:
    (tmp_path / "test_skipping.py").write_text(source)
    answer = run_pytest(tmp_path, "-p", "tests.tools.no_skips")
    assert answer.returncode in (1, 2), answer.stdout
    assert "no chromium" in answer.stdout


def test_a_run_without_skips_passes_with_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text("def test_it():\n    pass\n")
    answer = run_pytest(tmp_path, "-p", "tests.tools.no_skips")
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    ("test_id", "found"),
    [
        ("tests/a.py::test_x[sqlite]", ("sqlite", "tests/a.py::test_x[DB]")),
        ("tests/a.py::test_x[postgres-3]", ("postgres", "tests/a.py::test_x[DB-3]")),
        ("tests/a.py::test_x[a b-sqlite]", ("sqlite", "tests/a.py::test_x[a b-DB]")),
        ("tests/a.py::test_x[sqlite_file]", None),
        ("tests/a.py::test_x", None),
        ("no tests ran in 0.01s", None),
    ],
)
def test_a_test_id_tells_its_database(test_id: str, found: tuple[str, str] | None) -> None:
    assert split(test_id) == found


def test_a_test_of_one_database_only_is_named_unless_it_is_listed() -> None:
    ids = ["tests/a.py::test_x[sqlite]", "tests/a.py::test_x[postgres]", "tests/a.py::test_y[sqlite]"]
    assert lonely(ids, set()) == ({"sqlite": 2, "postgres": 1}, ["tests/a.py::test_y[DB]: on sqlite only"])
    assert lonely(ids, {"tests/a.py::test_y"})[1] == []


def test_a_listed_test_that_runs_on_both_must_leave_the_list() -> None:
    ids = ["tests/a.py::test_x[sqlite]", "tests/a.py::test_x[postgres]"]
    complaints = lonely(ids, {"tests/a.py::test_x"})[1]
    assert complaints == ["tests/a.py::test_x: listed for one database, but runs on both or on none"]
