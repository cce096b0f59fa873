"""Known numbers, texts and tokens go down every path; none may be found where others can read."""

import json
import re
import smtplib
from pathlib import Path

import httpx
import pytest

from tests.faults.crew import Phones, Tally, family, kept, until
from tests.served import TOKEN, Served, free_port

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

NUMBER = "50255587654"
WORD = "quetzalcanario"
WRONG_TOKEN = "wrong-token-canary-7391"
SECRET = "twilio-secret-canary-5520"
ANSWERED = "provider-said-canary-2846"
MAIL = "canaria7781@monitores.example"
CANARIES = (NUMBER[3:], WORD, TOKEN, WRONG_TOKEN, SECRET, ANSWERED, MAIL.partition("@")[0])
URGENT = f"urgente amenaza de linchamiento en nebaj hoy {WORD}"
BODY = {"from": f"+{NUMBER}", "text": f"inc rob nebaj ayer 2 heridos {WORD}"}

RECEIPT = {"id": WORD, "status": "failed", "error": f"no phone +{NUMBER}"}

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
GOOD = f"Bearer {TOKEN}"
CALLS = {
    "a good text": ("campo", JSON, GOOD, json.dumps(BODY)),
    "an urgent text": ("campo", JSON, GOOD, json.dumps({**BODY, "text": URGENT})),
    "a text nobody can read": ("campo", JSON, GOOD, json.dumps({**BODY, "text": f"zzz {WORD} ??? {NUMBER}"})),
    "a sender that is no number": ("campo", JSON, GOOD, json.dumps({**BODY, "from": f"{WORD}{NUMBER}"})),
    "a wrong token": ("campo", JSON, f"Bearer {WRONG_TOKEN}", json.dumps(BODY)),
    "another scheme": ("campo", JSON, f"Basic {WRONG_TOKEN}", json.dumps(BODY)),
    "broken JSON": ("campo", JSON, GOOD, json.dumps(BODY)[:-1]),
    "a list": ("campo", JSON, GOOD, json.dumps([BODY])),
    "a wrong type": ("campo", JSON, GOOD, json.dumps({**BODY, "text": {WORD: NUMBER}})),
    "an id that is too long": ("campo", JSON, GOOD, json.dumps({**BODY, "id": WORD * 100})),
    "a wrong moment": ("campo", JSON, GOOD, json.dumps({**BODY, "sent_at": WORD})),
    "half a character": ("campo", JSON, GOOD, json.dumps({**BODY, "text": f"{WORD} \ud800"})),
    "too large": ("campo", JSON, GOOD, json.dumps({**BODY, "text": WORD * 6000})),
    "another media type": ("campo", "text/plain", GOOD, json.dumps(BODY)),
    "no such channel": (f"{WORD}", JSON, GOOD, json.dumps(BODY)),
    "a receipt of nothing": ("campo/status", JSON, GOOD, json.dumps(RECEIPT)),
    "a broken receipt": ("campo/status", JSON, GOOD, json.dumps({"id": WORD, "status": WORD})),
    "an unsigned webhook": ("telco", FORM, "", f"MessageSid=SM{WORD}&From=%2B{NUMBER}&Body={WORD}"),
    "a broken form": ("telco", FORM, GOOD, f"%zz={WORD}&From=%ff{NUMBER}"),
    "a page that is not there": (f"../{WORD}/{NUMBER}", JSON, GOOD, ""),
}  # fmt: skip

# Gateways that put everything into the address.
IN_THE_ADDRESS = {
    "a text in the address": f"linea?token={TOKEN}&from={NUMBER}&text=inc+rob+nebaj+{WORD}&id={WORD}",
    "a wrong token in the address": f"linea?token={WRONG_TOKEN}&from={NUMBER}&text={WORD}",
    "no sender in the address": f"linea?token={TOKEN}&text={WORD}",
    "a receipt in the address": f"linea/status?token={TOKEN}&id={WORD}&status=2&answer=NACK%2F{NUMBER}",
    "a channel that takes no address": f"campo?token={TOKEN}&from={NUMBER}&text={WORD}",
}

# A page may name the address it was asked for to who asked; the log may not.
PAGES = ("a page that is not there", f"/{WORD}/{NUMBER}")


@pytest.fixture
def mail_port(served: Served) -> int:
    """The port of a mail channel; beside it a Twilio channel, and the owner of the canary's number."""
    port = free_port()
    contacts = served.folder / "canaries.csv"
    head = "phone,email,name,role,village,place,department,lang,status,places"
    contacts.write_text(f"{head}\n+{NUMBER},{MAIL},{WORD},monitor,Acul,1413,14,es,active,\n")
    served.run("contact", "import", str(contacts))
    served.run("channel", "add", "smtp", "correo", "--set", f"listen=127.0.0.1:{port}")
    served.run("channel", "add", "kannel", "linea", "--set", f"token={TOKEN}")
    twilio = {"account_sid": "AC" + "0" * 32, "auth_token": SECRET, "from": "+15005550006"}
    served.run(
        "channel", "add", "twilio", "telco", *(word for pair in twilio.items() for word in ("--set", "=".join(pair)))
    )
    return port


def call_all(served: Served) -> dict[str, httpx.Response]:
    with httpx.Client(timeout=20) as client:
        by_address = {label: client.get(f"{served.url}/in/{path}") for label, path in IN_THE_ADDRESS.items()}
        return by_address | {
            label: client.post(
                f"{served.url}/in/{path}", content=body.encode("utf-8", "surrogatepass"),
                headers={"Content-Type": media, **({"Authorization": given} if given else {})},
            )
            for label, (path, media, given, body) in CALLS.items()
        }  # fmt: skip


def mail(port: int) -> str:
    """A report by mail and a letter that is refused; what the listener said."""
    said = []
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.sendmail(MAIL, ["vocero@oficina.example"], f"Subject: {WORD}\r\nFrom: {MAIL}\r\n\r\n{BODY['text']}\r\n")
        for line in (f"MAIL FROM:<{MAIL}", f"VRFY {MAIL}", f"MAIL FROM:<{MAIL}> SIZE=999999999"):
            said.append(repr(client.docmd(line)))
        client.docmd(f"{WORD} {NUMBER}")  # told back to its caller, and to nobody else
    return "\n".join(said)


def found(place: str, content: str) -> list[str]:
    """Each canary in `content`, with where it was."""
    return [f"{place}: {canary}" for canary in CANARIES if canary.lower() in content.lower()]


def command_lines(served: Served) -> str:
    assert served.process is not None
    return " ".join(Path(f"/proc/{one}/cmdline").read_text() for one in family(served.process.pid))


@pytest.mark.parametrize("level", ["info", "debug"])
def test_no_number_text_or_token_is_told_to_logs_figures_or_strangers(
    served: Served, phones: Phones, mail_port: int, level: str
) -> None:
    phones.status, phones.answer = 500, json.dumps({"error": ANSWERED, "to": NUMBER}).encode()
    served.more = {"VOCERO_LOG_LEVEL": level}
    served.start()
    answers = call_all(served)
    said = mail(mail_port)
    until(lambda: len(phones.heard) > 1)
    phones.status = 400
    until(lambda: "failed" in {row["state"] for row in kept(served, "outbox")}, 60, every=0.2)
    looks = {
        path: httpx.get(f"{served.url}{path}", timeout=20) for path in ("/metrics", "/readyz", f"/{WORD}/{NUMBER}")
    }
    hits = found("command line", command_lines(served))
    doctor = served.run("doctor", code=1)  # the account of the channel telco is nobody's
    assert served.stop() == 0
    for label, answer in {**answers, **looks}.items():
        if label not in PAGES:
            hits += found(label, f"{answer.status_code} {answer.headers} {answer.text}")
    log = (served.folder / "serve.log").read_text()
    hits += found("log", log) + found("mail listener", said) + found("doctor", doctor)
    for path in (served.folder / "data").rglob("*"):
        if path.is_file():
            hits += found(path.name, path.read_bytes().decode("latin-1"))
    Tally(f"canaries, log level {level}", 1, len(answers), len(hits)).tell(log_bytes=len(log))
    assert hits == []
    assert {label for label, answer in answers.items() if answer.status_code >= 500} == set()
    assert [answers[label].status_code for label in ("a good text", "a wrong token", "broken JSON")] == [202, 401, 400]
    assert not re.search(r"\+?502\d{8}", log)


def test_the_search_sees_a_canary_where_one_is(served: Served) -> None:
    assert found("here", f"x{NUMBER}y {WORD.upper()}") == [f"here: {NUMBER[3:]}", f"here: {WORD}"]
