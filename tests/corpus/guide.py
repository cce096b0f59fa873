"""Writes the examples of docs/reading.md from the labelled tables, as they are read now.

Run from the root: python -m tests.corpus.guide
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parsers import Codebook, compile_codebook, load_pack, place_name
from tests.corpus import runner, table

HERE = Path(__file__).parent
GUIDE = HERE.parent.parent / "docs" / "reading.md"
START, STOP = "<!-- examples: written by tests/corpus/guide.py -->", "<!-- end of examples -->"
PER_SECTION = 12
FIRST = ("category", "place", "date")
SECTIONS = {
    "telegraph": "Reports in shorthand, any order, any separator",
    "prose": "Reports in plain words",
    "typo": "Misspellings, repaired",
    "phon": "Written as it sounds",
    "glued": "Without spaces",
    "date": "Dates",
    "count": "Numbers, and what is not a count",
    "place": "Places",
    "village": "Villages, hamlets, farms",
    "denounced": "Whether it was reported to the authorities",
    "multi": "Several reports in one text",
    "urgent": "Urgent",
    "negation": "Denied",
    "commitment": "Peace commitments",
    "return": "Return and resettlement",
    "poll": "Victimisation poll",
    "meeting": "Meetings",
    "correction": "Corrections",
    "status": "Asking about a report",
    "register": "Registration",
    "language": "Language",
    "answer": "Answers to the open question",
    "help": "Help",
    "stop": "Leaving",
    "stop-trap": "What unsubscribes nobody",
    "calm": "All is well",
    "junk": "Not a report",
    "trap": "What sounds like a report or a command",
    "english": "English",
}


def render(book: Codebook) -> str:
    """The examples as Markdown, one table a section."""
    people = runner.contacts(HERE / "contacts.csv")
    lines = [line for path in sorted(HERE.glob("own*.csv")) for line in table.load_table(path, people)]
    read = {line["id"]: line for line in runner.predict(lines, book, people)}
    blocks = []
    for tag, title in SECTIONS.items():
        chosen = [line for line in lines if tag in line["tags"]][:PER_SECTION]
        rows = [f"| {_code(line['text'])} | {_told(line, read[line['id']], book)} |" for line in chosen]
        blocks.append("\n".join([f"### {title}", "", "| text | read as |", "|---|---|", *rows]))
    return "\n\n".join(blocks)


def _code(text: str) -> str:
    return f"`{text}`".replace("\n", "` ⏎ `").replace("|", "\\|")


def _told(line: dict[str, Any], got: dict[str, Any], book: Codebook) -> str:
    told = " + ".join(_report(report, book) for report in got["reports"])
    if got["outcome"] == "reject":
        return f"no report ({got['reason']})"
    asked = f"; asks {got['ask']}" if got["outcome"] == "ask" else ""
    question = (line.get("context") or {}).get("pending")
    before = f"(asked {question['ask']}) " if question else ""
    return before + told + asked


def _report(report: dict[str, Any], book: Codebook) -> str:
    return ", ".join([report["form"], *_values(report, book)])


def _values(report: dict[str, Any], book: Codebook) -> Iterator[str]:
    for name in sorted(report, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST)):
        value = report[name]
        if name in ("form", "text", "urgent", "counts", "place_source") or value is None:
            continue
        if name == "place":
            yield place_name(book, str(value)) + (" (the sender's)" if "place_source" in report else "")
        else:
            yield f"{name} {value}"
    yield from (f"{name} {count}" for name, count in report["counts"].items())
    if report["urgent"]:
        yield "**urgent**"


def with_examples(guide: str, examples: str) -> str:
    """The guide with what stands between the marks replaced."""
    before, _, rest = guide.partition(START)
    _, _, after = rest.partition(STOP)
    return f"{before}{START}\n\n{examples}\n\n{STOP}{after}"


if __name__ == "__main__":
    GUIDE.write_text(with_examples(GUIDE.read_text("utf-8"), render(compile_codebook(load_pack()))), "utf-8")
