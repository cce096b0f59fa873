"""Replies that act: by SMS or mail, once each, and a helpful answer to a mistake."""

import pytest
from sqlalchemy import select

from gateway.audit import AUDIT
from gateway.channels.mail_in import incoming_of
from outbox.rows import OUTBOUND
from outbox.segments import count
from tests.conftest import HandClock
from tests.gateway.alerts.crew import (
    EULALIO_MAIL,
    JULIO,
    MARTA_MAIL,
    PETRONA,
    acts,
    alerts,
    later,
)
from tests.gateway.desk import ANA, EULALIO, MARTA, STRANGER, TOMAS, Desk

LYNCHING = "ALERTA LIN 1416 turba en el parque"


def audited(desk: Desk) -> list[str]:
    rows = desk._rows(select(AUDIT.c.action).order_by(AUDIT.c.number))
    return [row.action for row in rows if row.action.startswith(("alert.", "report."))]


def mail_reply(desk: Desk, sender: str, body: str, *, to_mail_of: str | None = None, subject: str = "") -> None:
    """A reply as a mail program writes it: our mail quoted below, threaded under it."""
    said, thread = "", ""
    if to_mail_of is not None:
        hashed = desk.house.sealer.hash("address", to_mail_of)
        row = desk._rows(select(OUTBOUND).where(OUTBOUND.c.to_hash == hashed).order_by(OUTBOUND.c.id))[-1]
        quoted = desk.house.sealer.open("outbound_message", "text", row.id, row.text_sealed)
        said = "\r\n".join(["", "El 10/03/2026 06:12, Vocero escribió:", *(f"> {line}" for line in quoted.split("\n"))])
        thread = f"In-Reply-To: <{row.id}@oficina.example>\r\nReferences: <{row.id}@oficina.example>\r\n"
        subject = subject or f"Re: {quoted.splitlines()[0]}"
    address = sender.removeprefix("mailto:")
    raw = (
        f"From: Marta <{address}>\r\nTo: vocero@oficina.example\r\nSubject: {subject}\r\n{thread}"
        f"Message-ID: <{desk.house.clock().timestamp()}{len(body)}@oficina.example>\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n{said}\r\n"
    )
    heard = incoming_of(
        raw.encode(), channel="mail", own="vocero@oficina.example", mail_from=address, to=None, now=desk.house.clock()
    )
    desk.say_all([heard])


def test_a_bare_visto_means_the_only_open_alert(desk: Desk) -> None:
    desk.say(TOMAS, LYNCHING)
    desk.say(MARTA, "visto")
    assert desk.told(MARTA)[-1].startswith("R3000: queda anotado que usted la atiende")
    assert alerts(desk)[0].state == "seen"


def test_a_bare_visto_to_several_asks_which(desk: Desk) -> None:
    desk.say(TOMAS, LYNCHING)
    desk.say(ANA, "ALERTA BAL 1413 disparos")
    desk.say(MARTA, "VISTO")
    assert desk.told(MARTA)[-1].startswith("Tiene 2 alertas abiertas: R3001 R3000.")
    assert {alert.state for alert in alerts(desk)} == {"open"}
    desk.say(MARTA, "VISTO 3001")
    desk.say(MARTA, "VISTO")
    assert {alert.state for alert in alerts(desk)} == {"seen"}


def test_a_bare_visto_without_alerts_is_told_so(desk: Desk) -> None:
    desk.say(MARTA, "VISTO")
    assert desk.told(MARTA) == [
        "No hay alertas abiertas enviadas a usted. Si quiere marcar otra, mande VISTO y su numero."
    ]


def test_visto_twice_is_one_act_and_two_polite_answers(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, LYNCHING)
    for _ in range(5):
        desk.say(MARTA, "VISTO 3000")
    assert len(acts(desk)) == 1
    assert audited(desk) == ["alert.seen"]
    assert len([text for text in desk.told(MARTA) if "queda anotado" in text]) == 5
    assert len(desk.told(TOMAS)) == 2


@pytest.mark.parametrize("text", ["VISTO 3000", "CERRAR 3000", "VERIFICAR 3000 SI", "NOTA 3000 hola"])
def test_what_was_not_sent_to_a_coordinator_does_not_exist_for_her(desk: Desk, text: str) -> None:
    desk.say(TOMAS, LYNCHING)
    desk.say(PETRONA, text)
    assert desk.told(PETRONA)[-1].startswith("No hallamos un reporte suyo con el numero 3000")
    desk.say(PETRONA, text.replace("3000", "4999"))
    assert desk.told(PETRONA)[-1].startswith("No hallamos un reporte suyo con el numero 4999")
    assert alerts(desk)[0].state == "open"
    assert desk.events(desk.report(3000).id) == ["accepted"]


def test_visto_needs_an_alert_that_was_sent_but_case_work_only_the_place(desk: Desk) -> None:
    desk.say(TOMAS, "INC ROB 1416")
    desk.say(MARTA, "VISTO 3000")
    assert desk.told(MARTA)[-1] == "R3000 no es una alerta. Para anotar algo mande NOTA 3000 y el texto."
    desk.say(MARTA, "NOTA 3000 ya llame al alcalde")
    assert desk.told(MARTA)[-1] == "R3000: nota guardada."
    assert desk.texts(desk.report(3000))["remarks"] == ["ya llame al alcalde"]


@pytest.mark.parametrize("sender", [TOMAS, STRANGER, ANA])
def test_a_monitor_or_stranger_orders_nothing(desk: Desk, sender: str) -> None:
    desk.say(TOMAS, LYNCHING)
    for text in ("VISTO 3000", "CERRAR 3000", "VERIFICAR 3000 SI"):
        desk.say(sender, text)
    assert alerts(desk)[0].state == "open"
    assert desk.report(3000).state == "open"


def test_one_who_was_escalated_to_may_act_outside_the_own_places(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, LYNCHING)
    later(desk, clock, 15)
    desk.say(EULALIO, "NOTA 3000 voy con la pnc")
    desk.say(EULALIO, "CERRAR 3000")
    assert desk.told(EULALIO)[-2:] == ["R3000: nota guardada.", "R3000 queda cerrado. El historial se conserva."]
    assert (desk.report(3000).state, alerts(desk)[0].state) == ("closed", "closed")
    assert desk.told(MARTA)[-1].startswith("R3000 la atiende Eulalio")


def test_each_order_acts_once(desk: Desk) -> None:
    desk.say(TOMAS, LYNCHING)
    for text in ("NOTA 3000 fuimos", "VERIFICAR 3000 SI", "CERRAR 3000"):
        for _ in range(3):
            desk.say(MARTA, text)
    assert desk.events(desk.report(3000).id) == ["accepted", "noted", "verified", "closed"]
    assert audited(desk) == ["report.noted", "report.verified", "alert.closed", "report.closed"]
    assert desk.folds_differ() == []


def test_verificar_without_a_word_asks_for_it_and_takes_the_answer(desk: Desk) -> None:
    desk.say(TOMAS, LYNCHING)
    desk.say(MARTA, "VERIFICAR 3000")
    assert desk.told(MARTA)[-1] == "¿Se verifico R3000? Responda SI, NO o PARCIAL."
    desk.say(MARTA, "parcial")
    assert desk.report(3000).verification == "corroborated"


def test_what_a_withdrawn_report_does_not_allow_is_said(desk: Desk) -> None:
    desk.say(TOMAS, LYNCHING)
    desk.say(TOMAS, "ANULAR 3000")
    desk.say(MARTA, "VERIFICAR 3000 SI")
    assert desk.told(MARTA)[-1] == "R3000 esta anulado; eso ya no se puede anotar. El historial esta en el panel."


def test_answers_that_belong_to_alerts_know_no_limit(desk: Desk) -> None:
    for number in range(32):
        desk.say(ANA, f"ALERTA LIN {1401 + number % 21:04} suceso {number}")
    for number in range(32):
        desk.say(MARTA, f"VISTO {3000 + number}")
    assert len([text for text in desk.told(MARTA) if "queda anotado" in text]) == 32


def test_a_mail_reply_of_one_word_means_the_alert_it_answers(desk: Desk) -> None:
    desk.say(TOMAS, LYNCHING)
    desk.say(ANA, "ALERTA BAL 1413 disparos")
    mail_reply(desk, MARTA_MAIL, "Visto", to_mail_of=MARTA_MAIL)
    assert [alert.state for alert in alerts(desk)] == ["open", "seen"]
    assert acts(desk)[0].way == "mail"
    assert len(desk.reports()) == 2
    mail_reply(desk, MARTA_MAIL, "VISTO 3000 gracias a todos", to_mail_of=MARTA_MAIL)
    assert [alert.state for alert in alerts(desk)] == ["seen", "seen"]


def test_a_mail_reply_that_orders_nothing_makes_no_alert_of_the_subject(desk: Desk) -> None:
    desk.say(TOMAS, LYNCHING)
    mail_reply(desk, MARTA_MAIL, "Gracias, ya vamos para alla", to_mail_of=MARTA_MAIL)
    assert len(desk.reports()) == 1
    assert len(alerts(desk)) == 1


def test_a_mail_of_its_own_that_answers_with_news_is_read_without_our_subject(desk: Desk) -> None:
    desk.say(TOMAS, LYNCHING)
    mail_reply(
        desk, "mailto:nebaj1@monitores.example", "INC ROB NEBAJ ayer", subject="RE: R3000 recibido: Robo, Chajul"
    )
    assert (desk.report(3001).category, desk.report(3001).place) == ("ROB", "1413")
    answer = desk.outbox()[-1]
    subject = desk.house.sealer.open("outbound_message", "subject", answer.id, answer.subject_sealed)
    assert subject == "RE: R3000 recibido: Robo, Chajul"


def test_a_reply_to_another_persons_mail_means_nothing_more(desk: Desk) -> None:
    desk.say(TOMAS, LYNCHING)
    mail_reply(desk, EULALIO_MAIL, "VISTO", to_mail_of=MARTA_MAIL)
    assert alerts(desk)[0].state == "open"


def test_every_answer_is_one_sms(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, LYNCHING)
    for text in ("VISTO", "VISTO 99", "CERRAR", "VERIFICAR", "NOTA", "VERIFICAR 3000", "NOTA 3000", "CERRAR 3000"):
        desk.say(MARTA, text)
    later(desk, clock, 40)
    for who in (MARTA, TOMAS, EULALIO, JULIO):
        assert all(count(text).segments == 1 for text in desk.told(who))
