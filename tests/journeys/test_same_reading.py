"""The same functions decide at the door and in `vocero read`: every labelled text, posted, is reported as predicted."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update
from uuid_utils.compat import uuid7

from gateway.contact_file import read_contact_file
from gateway.drafts import dump_report
from gateway.export import rows
from gateway.models import OpenQuestion
from gateway.reading_files import FileReader, asked_of
from gateway.reports import COUNTS
from tests.conftest import HandClock
from tests.gateway.at_work import BEARER, TOKEN, add_channel, at_work
from tests.gateway.desk import CONTACTS, Desk

CORPUS = Path(__file__).parents[1] / "corpus" / "dev.jsonl"
QUESTION = OpenQuestion.__table__
OUTCOME = {"read": "accept", "asked": "ask", "held": "hold", "duplicate": "duplicate"}
STORED = ("incident", "urgent", "commitment", "return", "meeting")


def lines() -> list[dict[str, Any]]:
    documents = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    return [document for document in documents if document["channel"] != "email"]


def forget(office: Desk, document: dict[str, Any], clock: HandClock) -> None:
    """An independent line has no memory; a pending question of the line is put there."""

    def job(conn: Any) -> None:
        conn.execute(update(QUESTION).where(QUESTION.c.state == "open").values(state="left"))
        pending = (document.get("context") or {}).get("pending")
        if pending:
            asked, key = asked_of(pending), uuid7()
            sealed = office.house.sealer.seal("open_question", "draft", key, dump_report(asked.draft))
            row = {
                "id": key, "sender_hash": office.house.sealer.hash("address", f"tel:{document['from']}"),
                "message_id": uuid7(), "form": asked.draft.form, "ask": asked.ask, "choices": list(asked.choices),
                "draft_sealed": sealed, "state": "open", "asked_at": clock(),
                "expires_at": clock().replace(year=2027),
            }  # fmt: skip
            conn.execute(insert(QUESTION), [row])

    if "group" not in document:
        office.house.writer.write_now(job)


async def post_all(office: Desk, documents: list[dict[str, Any]], clock: HandClock) -> dict[str, str]:
    """Message ids by line id."""
    kept: dict[str, str] = {}
    async with at_work(office.house) as (_, client):
        for document in documents:
            clock.now = datetime.fromisoformat(document["received_at"])
            await asyncio.to_thread(forget, office, document, clock)
            body = {"id": document["id"], "from": document["from"], "text": document["text"]}
            if "part" in document:
                body["part"] = {**document["part"], "ref": str(document["part"]["ref"])}
            answer = await client.post("/in/campo", json=body, headers=BEARER)
            assert answer.status_code == 202, answer.text
            kept[document["id"]] = answer.json()["message"]
    return kept


def reported(report: dict[str, Any]) -> dict[str, Any]:
    """An exported report in the words of a prediction."""
    return {
        "form": report["form"], "category": report["category"], "place": report["place"],
        "date": report["date"], "counts": report["counts"],
        "urgent": report["urgent"], **{key: report["fields"].get(key) for key in ("commitment", "status", "agreement")},
        "topic": report["fields"].get("topic"),
    }  # fmt: skip


def predicted(report: dict[str, Any]) -> dict[str, Any]:
    counts = {name: value for name, value in (report.get("counts") or {}).items() if name in COUNTS}
    names = ("category", "place", "date", "commitment", "status", "agreement", "topic")
    return {
        "form": report["form"], "counts": {name: value for name, value in counts.items() if value is not None},
        "urgent": bool(report.get("urgent")), **{name: report.get(name) for name in names},
    }  # fmt: skip


@pytest.mark.timeout(300)
def test_every_labelled_text_is_reported_as_vocero_read_predicts(office: Desk, clock: HandClock) -> None:
    house, documents = office.house, lines()
    book = house.read_now(house.codebook)
    reader = FileReader(book, read_contact_file(CONTACTS, book.places))
    predictions = {document["id"]: reader.read_line(json.dumps(document))[0] for document in documents}
    add_channel(house, "http", "campo", token=TOKEN)
    kept = asyncio.run(post_all(office, documents, clock))
    with house.engine.connect() as conn:
        messages = {str(row["id"]): row for row in rows(conn, "messages", house.sealer)}
        reports: dict[str, list[dict[str, Any]]] = {}
        for row in rows(conn, "reports", house.sealer):
            reports.setdefault(str(row["message"]), []).append(reported(row))
    differing = {}
    for key, prediction in predictions.items():
        message = messages[kept[key]]
        outcome = OUTCOME.get(message["state"], "reject")
        found = sorted(reports.get(kept[key], []), key=str)
        wanted = sorted((predicted(one) for one in prediction["reports"] if one["form"] in STORED), key=str)
        if message["state"] == "read" and message["reason"]:
            outcome = "hold" if message["reason"] == "part" else "reject"
        if outcome != prediction["outcome"] or found != wanted:
            differing[key] = (outcome, prediction["outcome"], found, wanted)
    assert not differing, json.dumps(differing, indent=1)
    assert len(messages) == len(documents)
    assert office.folds_differ() == []
