"""The pages Channels and Routes: how each channel is, its settings without its secrets, a test, what stands in."""

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway import audit, outages
from gateway.channel_state import SignReader
from gateway.channels import CHANNELS, registry
from gateway.channels.base import ChannelConfig
from gateway.errors import NotFound
from gateway.house import House
from gateway.routes import CHANNEL, rules
from gateway.web.labels import WORDS
from outbox import errors
from tests.gateway.desk import ANA, Desk
from tests.gateway.web.site import Browser

SID, SECRET = "AC" + "0" * 32, "a-secret-of-the-test-0123"


def add(desk: Desk, kind: str, name: str, **values: str) -> None:
    house = desk.house
    house.writer.write_now(lambda conn: registry.add(
        conn, house.sealer, kind=kind, name=name, values=values, at=house.clock(), actor="test"
    ))  # fmt: skip


def channel(desk: Desk, name: str) -> ChannelConfig:
    return desk.house.read_now(lambda conn: registry.get(conn, desk.house.sealer, name))


def actions(house: House) -> list[str]:
    return house.read_now(lambda conn: list(conn.scalars(select(audit.AUDIT.c.action))))


def test_the_list_tells_how_each_channel_is(admin: Browser, desk: Desk) -> None:
    add(desk, "twilio", "nube", account_sid=SID, auth_token=SECRET, **{"from": "+50255550000"})
    desk.house.writer.write_now(lambda conn: outages.begin(conn, "nube", "auth_failed", desk.house.clock()))
    page = admin.get("/channels").text
    assert "the provider refused our password" in page
    assert "nube" in page and "modem" in page
    assert SECRET not in page


def test_each_code_of_an_error_has_words() -> None:
    codes = {found.code for found in vars(errors).values() if isinstance(found, type) and hasattr(found, "code")}
    codes -= {getattr(errors.SendError, "code", "")}
    assert codes and codes - set(WORDS) == set()


@pytest.mark.parametrize("kind", CHANNELS)
def test_every_kind_can_be_looked_at_before_it_is_made(admin: Browser, kind: str) -> None:
    page = admin.get(f"/channels/new?kind={kind}")
    assert page.status_code == 200
    assert all(f'name="set.{spec.name}"' in page.text for spec in CHANNELS[kind].settings)


def test_a_channel_is_made_on_the_page_and_its_secret_is_never_shown(admin: Browser, desk: Desk) -> None:
    admin.get("/channels/new?kind=twilio")
    made = {"kind": "twilio", "name": "nube", "set.account_sid": SID, "set.auth_token": SECRET}
    assert admin.post("/channels", made).status_code == 303
    page = admin.follow().text
    assert SECRET not in page
    assert "http://127.0.0.1:8000/in/nube#rc=5&amp;rp=all" in page
    assert channel(desk, "nube").secrets == {"auth_token": SECRET}


def test_what_cannot_stand_is_told_and_nothing_typed_in_secret_comes_back(admin: Browser, desk: Desk) -> None:
    admin.get("/channels/new?kind=twilio")
    made = {"kind": "twilio", "name": "nube", "set.account_sid": "nonsense", "set.auth_token": SECRET}
    answer = admin.post("/channels", made)
    assert answer.status_code == 400
    assert "account_sid" in answer.text and SECRET not in answer.text
    with pytest.raises(NotFound):
        channel(desk, "nube")


def test_settings_change_and_a_secret_left_alone_stays(admin: Browser, desk: Desk) -> None:
    add(desk, "http", "telco", token=SECRET)
    admin.get("/channels/telco")
    sent = {"set.token": registry.KEEP, "set.send_url": "http://127.0.0.1:9/send"}
    assert admin.post("/channels/telco", sent).status_code == 303
    found = channel(desk, "telco")
    assert (found.secrets["token"], found.config["send_url"]) == (SECRET, "http://127.0.0.1:9/send")
    admin.get("/channels/telco")
    admin.post("/channels/telco", {"set.token": "another-secret-of-the-test"})
    assert channel(desk, "telco").secrets["token"] == "another-secret-of-the-test"
    assert actions(desk.house).count("channel.change") == 2


def test_rate_price_and_budget_change_on_the_page(admin: Browser, desk: Desk) -> None:
    admin.get("/channels/modem")
    typed = {"rate": "0,5", "price": "0.25", "currency": "GTQ", "day_segments": "40", "day_cost": ""}
    assert admin.post("/channels/modem/limits", typed).status_code == 303
    row: Any = desk.house.read_now(lambda conn: conn.execute(select(CHANNEL).where(CHANNEL.c.name == "modem")).one())
    assert (row.rate, row.price, row.day_segments, row.day_cost) == (0.5, 0.25, 40, None)
    assert "0 segments / 40" in admin.follow().text
    for wrong in ({"rate": "x"}, {"day_segments": "1.5"}, {"day_cost": "5"}, {"price": "-1"}, {"rate": "0"}):
        admin.get("/channels/modem")
        assert admin.post("/channels/modem/limits", wrong).status_code == 400, wrong
    again: Any = desk.house.read_now(lambda conn: conn.execute(select(CHANNEL).where(CHANNEL.c.name == "modem")).one())
    assert again.rate == 0.5


@pytest.mark.parametrize(("act", "state"), [("pause", "paused"), ("disable", "disabled")])
def test_a_channel_is_paused_switched_off_and_taken_up_again(
    admin: Browser, desk: Desk, act: str, state: str
) -> None:  # fmt: skip
    admin.get("/channels/modem")
    admin.post("/channels/modem/state", {"act": act})
    assert channel(desk, "modem").state == state
    admin.follow()
    admin.post("/channels/modem/state", {"act": "resume"})
    assert channel(desk, "modem").state == "active"


def test_a_test_waits_in_the_outbox_and_stands_in_the_audit_log_without_the_address(
    admin: Browser, desk: Desk
) -> None:  # fmt: skip
    admin.get("/channels/modem")
    assert admin.post("/channels/modem/test", {"to": "5555 0101"}).status_code == 303
    assert "queued" in admin.follow().text
    row = desk.outbox()[-1]
    assert (row.kind, row.channel, row.segments, row.expires_at is not None) == ("test", "modem", 1, True)
    assert "modem" in desk.told(ANA)[-1]
    entries = desk.house.read_now(lambda conn: list(conn.execute(select(audit.AUDIT))))
    tests = [entry for entry in entries if entry.action == "channel.test"]
    assert len(tests) == 1 and "5555" not in str(tests)


@pytest.mark.parametrize("to", ["", "nobody", "who@example.org"])
def test_a_test_to_where_the_channel_does_not_send_is_refused(admin: Browser, desk: Desk, to: str) -> None:
    admin.get("/channels/modem")
    assert admin.post("/channels/modem/test", {"to": to}).status_code == 400
    assert desk.outbox() == []


def test_no_test_goes_to_who_said_baja(admin: Browser, desk: Desk) -> None:
    desk.say(ANA, "BAJA")
    before = len(desk.outbox())
    admin.get("/channels/modem")
    assert admin.post("/channels/modem/test", {"to": "55550101"}).status_code == 400
    assert len(desk.outbox()) == before


def test_a_modem_tells_signal_and_state(admin: Browser, desk: Desk, tmp_path: Path) -> None:
    spool = tmp_path / "sms"
    (spool / "stats").mkdir(parents=True)
    (spool / "stats" / "status").write_text("Status\nGSM1: 1, Idle, 0, 0, ssi: -101 dBm\n")
    add(desk, "smstools", "usb", spool=str(spool))
    page = admin.get("/channels/usb")
    assert page.status_code == 200
    assert "waiting in the folders" in page.text
    assert "-101 dBm (weak)" in page.text and "idle" in page.text


def test_a_modem_whose_status_hangs_holds_no_page(admin: Browser, desk: Desk, tmp_path: Path) -> None:
    admin.site.web.signs = SignReader(within_s=0.05)
    status = tmp_path / "stats" / "status"
    status.parent.mkdir()
    os.mkfifo(status)
    add(desk, "smstools", "usb", spool=str(tmp_path))
    for path in ("/channels", "/channels/usb", "/channels"):
        answer = admin.get(path)
        assert answer.status_code == 200 and "waiting in the folders" not in answer.text
    reading = admin.site.web.signs.reading
    assert reading is not None and not reading.done(), "one thread waits, not one for each page"
    status.write_text("Status\n")
    assert reading.result(10) != {}


def test_two_channels_without_a_route_are_told_of(admin: Browser, desk: Desk) -> None:
    for name in ("uno", "dos"):
        add(desk, "http", name, token=SECRET, send_url="http://127.0.0.1:9/send")
    assert "none stands in for it: uno, dos" in admin.get("/channels").text
    admin.get("/routes")
    admin.post("/routes", {"act": "add", "name": "Tigo / Claro", "channels": "uno, dos", "prefixes": "+5024"})
    assert "none stands in" not in admin.get("/channels").text


def test_routes_are_added_asked_first_explained_and_taken_away(admin: Browser, desk: Desk) -> None:
    admin.get("/routes")
    for name, prefix in (("all", ""), ("tigo", "+5024")):
        typed = {"act": "add", "name": name, "channels": "modem", "prefixes": prefix}
        assert admin.post("/routes", typed).status_code == 303
        admin.follow()
    admin.post("/routes", {"act": "first", "name": "tigo"})
    assert [rule.name for rule in desk.house.read_now(rules)] == ["tigo", "all"]
    admin.follow()
    assert "Route: tigo" in admin.post("/routes/explain", {"address": "4000 1111"}).text
    assert admin.post("/routes/explain", {"address": "nobody"}).status_code == 400
    admin.post("/routes", {"act": "remove", "name": "all"})
    assert [rule.name for rule in desk.house.read_now(rules)] == ["tigo"]
    admin.follow()
    assert admin.post("/routes", {"act": "add", "name": "x", "channels": "nada"}).status_code == 400


def test_a_page_of_no_channel_is_not_there(admin: Browser) -> None:
    assert admin.get("/channels/nada").status_code == 404
