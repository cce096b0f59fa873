"""Which Authentication-Results are believed, and what they must say of the author's own domain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.mail_auth import author_proof

OURS = "mx.ong.example"
AUTHOR = "marta@ong.example"
HERE = f"Received: from mail.evil.example by {OURS} with ESMTPS; Tue, 10 Mar 2026\r\n"
INNER = f"Received: from {OURS} by in.{OURS}; x\r\n"
THERE = "Received: from laptop by mail.evil.example; Tue, 10 Mar 2026\r\n"


def results(text: str) -> str:
    return f"Authentication-Results: {text}\r\n"


# what it is | header fields, the newest first | what is made of it
FIELDS = (
    ("DMARC passed", HERE + results(f"{OURS}; dmarc=pass header.from=ong.example") + THERE, "pass"),
    ("DMARC failed", HERE + results(f"{OURS}; dmarc=fail header.from=ong.example") + THERE, "fail"),
    ("DMARC failed, DKIM passed", HERE + results(f"{OURS}; dkim=pass header.d=ong.example; dmarc=fail"), "fail"),
    ("DMARC of another From", HERE + results(f"{OURS}; dmarc=pass header.from=evil.example"), "fail"),
    ("DKIM of the domain", HERE + results(f"{OURS}; dkim=pass header.d=ong.example"), "pass"),
    ("DKIM by header.i", HERE + results(f"{OURS} 1; dkim=pass (2048 bit) header.i=@ong.example header.s=k1"), "pass"),
    ("DKIM of a domain below", HERE + results(f"{OURS}; dkim=pass header.d=mail.ong.example"), "pass"),
    ("DKIM of another domain", HERE + results(f"{OURS}; dkim=pass header.d=evil.example"), "fail"),
    ("DKIM of a domain that ends alike", HERE + results(f"{OURS}; dkim=pass header.d=evilong.example"), "fail"),
    ("DKIM of a top level", HERE + results(f"{OURS}; dkim=pass header.d=example"), "fail"),
    ("SPF of the domain", HERE + results(f"{OURS}; spf=pass smtp.mailfrom=bounce@ong.example"), "pass"),
    ("SPF of another domain", HERE + results(f"{OURS}; spf=pass smtp.mailfrom=x@evil.example; dkim=none"), "fail"),
    ("SPF of the greeting only", HERE + results(f"{OURS}; spf=pass smtp.helo=ong.example"), "fail"),
    ("SPF and DKIM failed", HERE + results(f"{OURS}; spf=softfail smtp.mailfrom=a@ong.example; dkim=fail"), "fail"),
    ("nothing was checked", HERE + results(f"{OURS}; none"), "none"),
    ("no field at all", HERE, "none"),
    ("another server's name", HERE + results("mx.evil.example; dmarc=pass header.from=ong.example"), "none"),
    ("a name that begins alike", HERE + results(f"{OURS}.evil.example; dmarc=pass header.from=ong.example"), "none"),
    ("ours in capitals", HERE + results("MX.Ong.Example; dmarc=pass header.from=ong.example"), "pass"),
    ("folded", HERE + results(f"{OURS};\r\n\tdkim=fail;\r\n\tdmarc=pass header.from=ong.example"), "pass"),
    (
        "a forged one below ours",
        HERE + results(f"{OURS}; dmarc=fail") + results(f"{OURS}; dmarc=pass header.from=ong.example"), "fail",
    ),
    ("a forged one below another's Received", THERE + results(f"{OURS}; dmarc=pass header.from=ong.example"), "none"),
    ("an inner relay above", INNER + HERE + results(f"{OURS}; dmarc=pass"), "pass"),
    ("a local hand-over above", "Received: by 2002:a05:6402; x\r\n" + HERE + results(f"{OURS}; dmarc=pass"), "pass"),
    ("a result inside a comment", HERE + results(f"{OURS} (ok; dmarc=pass (header.from=ong.example)); none"), "none"),
    ("a result inside a string", HERE + results(f'{OURS}; dkim=fail reason="x; dmarc=pass"'), "fail"),
    ("the word pass as a property", HERE + results(f"{OURS}; dkim=fail header.d=ong.example policy.x=pass"), "fail"),
)  # fmt: skip


@pytest.mark.parametrize(("head", "proof"), [row[1:] for row in FIELDS], ids=[row[0] for row in FIELDS])
def test_only_our_own_servers_word_on_the_authors_domain_counts(head: str, proof: str) -> None:
    raw = f"{head}From: Marta <{AUTHOR}>\r\nSubject: x\r\n\r\nCERRAR 3000\r\n".encode()
    assert author_proof(raw, OURS, AUTHOR) == proof


def test_a_mail_without_one_author_is_proved_by_nothing() -> None:
    raw = (HERE + results(f"{OURS}; dmarc=pass") + "\r\nhi").encode()
    assert author_proof(raw, OURS, None) == "none"


def test_what_stands_in_the_body_is_no_header() -> None:
    raw = f"From: {AUTHOR}\r\n\r\n{HERE}{results(f'{OURS}; dmarc=pass header.from=ong.example')}".encode()
    assert author_proof(raw, OURS, AUTHOR) == "none"


@given(st.binary(max_size=400))
def test_any_field_is_judged(value: bytes) -> None:
    raw = b"Authentication-Results: mx.ong.example; " + value + b"\r\n\r\nx"
    assert author_proof(raw, OURS, AUTHOR) in ("pass", "fail", "none")
