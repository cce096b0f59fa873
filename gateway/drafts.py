"""A report reading as JSON and back: how a draft waits in an open question, and how a reading is kept."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from gateway.compact import to_json
from parsers import FieldValue, Reading, ReportReading


def dump_report(report: ReportReading, *, practice: bool = False) -> str:
    return to_json({**_report(report), "practice": True} if practice else _report(report))


def is_practice(text: str) -> bool:
    """Whether the draft was begun in practice."""
    return '"practice"' in text and bool(json.loads(text).get("practice"))


def load_report(text: str) -> ReportReading:
    """Inverse of dump_report."""
    document = json.loads(text)
    values = {name: FieldValue(*found) for name, found in document["values"].items()}
    return ReportReading(document["form"], values, document["urgent"], document["text"])


def dump_reading(reading: Reading, at: datetime) -> str:
    """The reading for the page that explains it: every value with how it was found and where in the text."""
    document = {
        "outcome": reading.outcome, "ask": reading.ask, "reason": reading.reason, "language": reading.language,
        "reports": [{**_report(report), "text": ""} for report in reading.reports], "read_at": at.isoformat(),
        "trace": [[step.step, step.start, step.end, step.field, step.value, step.note] for step in reading.trace],
        "problems": [asdict(problem) for problem in reading.problems],
    }  # fmt: skip
    return to_json(document)


def _report(report: ReportReading) -> dict[str, Any]:
    values = {
        name: [found.value, found.how, found.start, found.end, found.confidence]
        for name, found in report.values.items()
    }
    return {"form": report.form, "values": values, "urgent": report.urgent, "text": report.text}
