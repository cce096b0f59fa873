"""Totals of the victimisation poll for those who may see them: no cell leads to a person."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from gateway.figures.public import POLL


@dataclass(frozen=True, slots=True)
class PollTotals:
    """Answers in all, those of victims, and those of victims who did not report the crime (the dark figure)."""

    answers: int
    victims: int
    dark: int


def poll_totals(connection: Connection) -> PollTotals:
    rows = [row.answers for row in connection.execute(select(POLL.c.answers))]
    victims = [answers for answers in rows if answers.get("victim") in (True, "si")]
    return PollTotals(len(rows), len(victims), sum(answers.get("reported") in (False, "no") for answers in victims))
