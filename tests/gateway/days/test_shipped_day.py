"""The day that comes with the program: played once on each database, judged many times."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import pytest

from gateway.days.day_file import SHIPPED, day_of
from gateway.days.lines import Node, read_yaml
from gateway.days.model import Day, Step
from gateway.days.player import play
from gateway.days.record import Record
from gateway.days.verdict import failed, failures, view_of
from gateway.days.wishes import read_wishes
from tests.conftest import database_of, run_sql

NONSENSE = "zzz"
TIMELINE = {"ref", "has", "not"}
KEPT = ("within", "path", "channel", "kind", "commitment", "topic")
OTHERS = {
    "category": "HOM", "place": "0101", "date": "2026-01-01", "from": "Julio Admin", "seen_by": "Julio Admin",
    "told": "Julio Admin", "until": "2026-01-01", "silent_since": "2026-01-01", "received": "01:01", "sent": "01:01",
    "empty_by": "10:30", "to": "Julio Admin", "refs": "R9999", "ref": "R9999",
}  # fmt: skip


@dataclass(frozen=True)
class Played:
    root: Node
    day: Day
    record: Record


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def played(request: pytest.FixtureRequest) -> Iterator[Played]:
    root = read_yaml(files("gateway.days").joinpath("files", f"{SHIPPED}.yaml").read_text("utf-8"))
    url = None
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        run_sql(server, "CREATE DATABASE the_day")
        url = database_of(server, "the_day")
    day = day_of(root, Path())
    yield Played(root, day, play(day, url))
    if url is not None:
        run_sql(request.getfixturevalue("postgres_server"), "DROP DATABASE the_day WITH (FORCE)")


@pytest.mark.timeout(400)
def test_every_expectation_of_the_shipped_day_holds(played: Played) -> None:
    assert [f"line {failure.line}: {failure.words}" for failure in failures(played.day, played.record)] == []


@pytest.mark.timeout(400)
def test_the_shipped_day_fails_when_any_expected_line_is_changed(played: Played) -> None:
    unnoticed, untried = [], []
    for step in (*played.day.steps, None):
        ground = replace(played.day.ground, calendar=played.day.ground.calendar.after(step.at)) if step else None
        view = view_of(played.day, played.record, step)
        for wish in expected(played.root, step):
            others = list(changed_value(wish, wish, ""))
            for what, other in others:
                read = read_wishes(Node(wish.line, [other]), ground or played.day.ground)
                if not list(failed(read, view, "")):
                    unnoticed.append(f"line {wish.line}: {what}")
            untried += [] if others else [wish.line]
    assert (unnoticed, untried) == ([], [])


def expected(root: Node, step: Step | None) -> list[Node]:
    """The expectations of a step, or the checks at the end, as they stand in the file."""
    assert isinstance(root.value, dict)
    if step is None:
        return root.value["checks"].items()
    written = root.value["steps"].items()[step.number]
    assert isinstance(written.value, dict)
    return written.value["expect"].items()


def changed_value(wish: Node, node: Node, key: str) -> Iterator[tuple[str, Node]]:
    """Every value that can be made untrue, one at a time."""
    if isinstance(node.value, dict):
        for name, inner in node.value.items():
            for what, other in changed_value(node, inner, name):
                yield what, replace(node, value={**node.value, name: other})
    elif isinstance(node.value, list):
        for index, inner in enumerate(node.value):
            for what, other in changed_value(wish, inner, key):
                yield what, replace(node, value=[*node.value[:index], other, *node.value[index + 1 :]])
    else:
        if key == "outbox":
            yield f"{key}: {node.value}", replace(node, value={"queued": Node(node.line, "99")})
        for other in untrue(wish, key, node.value) if key != "outbox" else ():
            yield f"{key}: {node.value} -> {other}", replace(node, value=other)


def untrue(wish: Node, key: str, value: str) -> Iterator[str]:
    """What the value may be changed into so that the expectation cannot hold; nothing when it may hold all the same."""
    assert isinstance(wish.value, dict)
    absent = "exists" in wish.value
    words = wish.value["has"].words() if "has" in wish.value else ()
    nobody = ("by" in wish.value and wish.value["by"].value == "none") or wish.value.get(
        "times", Node(1, "")
    ).value == "0"
    if key == "ref" and set(wish.value) <= TIMELINE:
        return
    if key in KEPT or (absent and key != "exists") or (nobody and key not in ("by", "times")):
        return
    if key == "by":
        yield from ["any"] if value == "none" else []
    elif key == "to":
        yield from [OTHERS[key]] if words else []
    elif key == "has":
        yield value + NONSENSE
    elif key == "not":
        yield from words[:1]
    elif key == "exists":
        yield "yes"
    elif key in OTHERS and not (key == "sent" and value.isdigit()):
        yield OTHERS[key]
    elif value in ("yes", "no") and key not in ("status", "state"):
        yield "no" if value == "yes" else "yes"
    elif key == "seen_after":
        yield "17m"
    elif value.isdigit():
        yield str(int(value) - 1 if key in ("segments", "digest") else int(value) + 1)
    else:
        yield NONSENSE
