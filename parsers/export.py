"""Readings as plain data, and drafts back from it."""

from collections.abc import Mapping
from typing import Any

from parsers.results import FieldValue, Pending, Reading, ReportReading

COUNTS = ("dead", "injured", "detained", "missing", "families", "people", "women")
_SOFT = {"thanks": "unknown"}


def report_dict(report: ReportReading) -> dict[str, Any]:
    """A report as the labelled texts write it: fields flat, counts together, place_source when it is the sender's."""
    plain: dict[str, Any] = {"form": report.form}
    counts: dict[str, int] = {}
    for name, found in report.values.items():
        if name in COUNTS and isinstance(found.value, int):
            counts[name] = found.value
        else:
            plain[name] = found.value
    plain["counts"] = counts
    plain["urgent"] = report.urgent
    plain["text"] = report.text.encode("utf-8", "replace").decode("utf-8")
    place = report.values.get("place")
    if place is not None and place.how == "sender":
        plain["place_source"] = "sender"
    return plain


def as_prediction(reading: Reading) -> dict[str, Any]:
    """A reading in the scorer's shape: outcome, ask, reason, reports."""
    reports = [report_dict(report) for report in reading.reports] if reading.outcome != "reject" else []
    if len(reports) > 1:
        reports = [report for report in reports if report["form"] != "identify"]
    reason = _SOFT.get(reading.reason, reading.reason) if reading.reason else None
    return {"outcome": reading.outcome, "ask": reading.ask, "reason": reason, "reports": reports}


def pending_from_dict(data: Mapping[str, Any]) -> Pending:
    """An open question written as {"ask", "report", "choices"?}; the report in the shape report_dict gives."""
    report = dict(data["report"])
    values: dict[str, FieldValue] = {}
    source = report.pop("place_source", None)
    for name, value in (*report.pop("counts", {}).items(), *report.items()):
        if name in ("form", "urgent", "text") or value is None:
            continue
        values[name] = FieldValue(value, "sender" if name == "place" and source == "sender" else "exact")
    draft = ReportReading(
        str(data["report"]["form"]), values, bool(report.get("urgent")), str(report.get("text") or "")
    )
    return Pending(str(data["ask"]), draft, tuple(data.get("choices") or ()))
