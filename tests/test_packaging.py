"""What is shipped: the licence, the locks and the wheel. The container files are in test_containers.py."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")
EXTRAS = {"requirements.lock": ("build",), "requirements-dev.lock": ("build", "dev")}
INSTALLED_ELSEWHERE = """
import sys
sys.path.insert(0, sys.argv[1])
import gateway.install, gateway.schema
from gateway.settings import Settings
from pathlib import Path
settings = Settings(data_dir=Path(sys.argv[1]) / "data")
assert gateway.install.init(settings) is True
assert gateway.install.init(settings) is False
print(gateway.__file__)
print(gateway.schema.scripts_folder())
"""


def requirements(lock: str) -> list[str]:
    """One string a requirement, its hashes included; comments left out."""
    lines = [
        line for line in (ROOT / lock).read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    return "\n".join(lines).replace("\\\n", " ").splitlines()


def versions(lock: str) -> dict[str, str]:
    found = (PINNED.match(line) for line in requirements(lock))
    return {canonicalize_name(match[1]): match[2] for match in found if match}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_library_is_pinned_by_version_and_hash(lock: str) -> None:
    lines = requirements(lock)
    assert len(lines) > 30
    assert [line for line in lines if not PINNED.match(line) or "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_an_address_or_an_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert re.findall(r"\S*://\S*|\S* @ \S*|--(?:extra-)?index-url|--find-links|--trusted-host|(?m:^-\S+)", text) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_satisfies_the_project(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in EXTRAS[lock] for line in project["optional-dependencies"][extra]),
    ]
    locked = versions(lock)
    for line in wanted:
        requirement = Requirement(line)
        if requirement.name != project["name"]:
            assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), line


def test_both_locks_agree_so_that_one_environment_serves_both() -> None:
    small, large = (versions(lock) for lock in LOCKS)
    assert {name: large.get(name) for name in small} == small


def test_the_licence_is_the_whole_apache_licence() -> None:
    text = (ROOT / "LICENSE").read_text()
    for part in (
        "Apache License\n",
        "Version 2.0, January 2004",
        "END OF TERMS AND CONDITIONS",
        "APPENDIX: How to apply",
    ):
        assert part in text


def test_every_script_is_well_formed() -> None:
    for path in [path for path in (ROOT / "tools").iterdir() if path.is_file() and path.suffix != ".py"]:
        subprocess.run(["sh", "-n", str(path)], check=True)
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_every_file_it_needs_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for room in ("gateway", "outbox", "parsers"):
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert str(path.relative_to(ROOT)) in names
    for path in (ROOT / "alembic" / "versions").glob("*.py"):
        assert f"gateway/_alembic/versions/{path.name}" in names
    assert {"gateway/_alembic/env.py", "gateway/_alembic/script.py.mako"} <= names
    assert {name.split("/")[0] for name in names} <= {"gateway", "outbox", "parsers", "vocero-0.1.0.dist-info"}


def test_the_wheel_names_its_licence_and_its_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read("vocero-0.1.0.dist-info/METADATA").decode()
        assert "License-Expression: Apache-2.0" in metadata
        assert archive.read("vocero-0.1.0.dist-info/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        assert "vocero = gateway.cli:main" in archive.read("vocero-0.1.0.dist-info/entry_points.txt").decode()


def test_an_installed_wheel_makes_a_database_with_its_own_migrations(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    command = [sys.executable, "-c", INSTALLED_ELSEWHERE, str(tmp_path)]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines() == [
        str(tmp_path / "gateway" / "__init__.py"),
        str(tmp_path / "gateway" / "_alembic"),
    ]
