"""The figures of score.py as a dict, for tests."""

from typing import Any

from tests.corpus import score


def urgent(reports: list[dict[str, Any]]) -> bool:
    return any(report.get("urgent") for report in reports)


def stops(reports: list[dict[str, Any]]) -> bool:
    return any(report.get("form") == "stop" for report in reports)


def known(line: dict[str, Any]) -> bool:
    """Whether the label says of every report whether it is urgent."""
    return all("urgent" in report for report in line["expect"]["reports"] if report["form"] in ("incident", "urgent"))


def summary(lines: list[dict[str, Any]], read: list[dict[str, Any]]) -> dict[str, float]:
    """exact, mean, urgent_recall, false_urgent (shares), wrong_stops and junk_accepted (counts)."""
    by_id = {line["id"]: line for line in read}
    pairs = [(line, by_id[line["id"]]) for line in lines]
    scores = [score.score(line["expect"], got) for line, got in pairs]
    alarms = [urgent(got.get("reports") or []) for line, got in pairs if urgent(line["expect"]["reports"])]
    calm = [
        urgent(got.get("reports") or [])
        for line, got in pairs
        if not urgent(line["expect"]["reports"]) and known(line)
    ]
    junk = [got for line, got in pairs if line["expect"]["outcome"] == "reject"]
    return {
        "n": len(lines),
        "exact": sum(exact for _, exact, _ in scores) / len(scores),
        "mean": sum(mean for mean, _, _ in scores) / len(scores),
        "urgent_recall": sum(alarms) / len(alarms) if alarms else 1.0,
        "false_urgent": sum(calm) / len(calm) if calm else 0.0,
        "wrong_stops": sum(
            stops(got.get("reports") or []) and not stops(line["expect"]["reports"]) for line, got in pairs
        ),
        "junk_accepted": sum(got.get("outcome") in ("accept", "ask") for got in junk),
    }
