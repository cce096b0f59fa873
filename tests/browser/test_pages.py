"""The main job as a newcomer does it, in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.served import Served

pytestmark = pytest.mark.browser
MENU = (
    "/", "/alerts", "/alert-rules", "/messages", "/reports",
    "/keywords", "/outbox", "/subscriptions", "/contacts", "/channels", "/channels/new",
    "/channels/new?kind=twilio", "/routes", "/simulator",
    "/mailbox", "/users", "/audit", "/health", "/account",
)  # fmt: skip


def test_a_text_written_on_the_phone_becomes_a_report_and_a_confirmation(admin: Page) -> None:
    admin.click("nav >> text=Teléfono")
    admin.select_option("[name=contact]", label="Ana Cobo (+502 5555 **01)")
    admin.click("text=Tomar este teléfono")
    admin.fill("[name=text]", "inc rob nebaj ayer 2 heridos")
    admin.click("text=Enviar")
    answer = admin.locator(".talk .theirs").first
    expect(answer).to_contain_text("R3000 recibido: Robo")
    expect(answer).to_contain_text("entregado")
    expect(admin.locator("[name=text]")).to_have_value("")
    admin.click("nav >> text=Reportes")
    admin.click("text=R3000")
    expect(admin.locator("h1")).to_contain_text("R3000 Incidente")
    expect(admin.locator("main")).to_contain_text("Nebaj, Quiché")
    admin.click("text=el texto y cómo se leyó")
    expect(admin.locator("mark")).to_have_text(["rob", "nebaj", "ayer", "2 heridos"])


def test_new_texts_appear_on_the_open_list_by_themselves(admin: Page, served: Served) -> None:
    served.run("channel", "add", "http", "campo", "--set", "token=a-token-of-the-test")
    admin.click("nav >> text=Mensajes")
    expect(admin.locator("#list")).to_contain_text("Aún no hay textos.")
    for _ in range(40):
        if served.post({"from": "+50255550101", "text": "inc rob nebaj"}).status_code == 202:
            break
        admin.wait_for_timeout(100)
    expect(admin.locator("#list")).to_contain_text("inc rob nebaj")
    expect(admin.locator("#list")).to_contain_text("R3000")


def test_a_keyword_is_tried_saved_and_remembered(admin: Page) -> None:
    admin.click("nav >> text=Palabras")
    admin.click("text=ROB Robo o asalto")
    words = admin.locator("textarea[name=words]")
    words.fill(words.input_value() + "\nchumpeteo")
    admin.fill("[name=text]", "inc chumpeteo nebaj")
    admin.click("button:has-text('Probar')")
    expect(admin.locator("#tried mark").first).to_have_text("chumpeteo")
    assert admin.url.endswith("/keywords/category/ROB")
    words.fill(words.input_value() + "\nlinchamiento")
    admin.click("button:has-text('Guardar')")
    expect(admin.locator("[role=alert]")).to_contain_text("“linchamiento” ya significa LIN")
    words.fill(words.input_value().replace("\nlinchamiento", ""))
    admin.click("button:has-text('Guardar')")
    expect(admin.locator("[role=status]")).to_contain_text("revisión 2")
    admin.goto("/keywords/revisions")
    expect(admin.locator("tbody tr").first).to_contain_text("ROB +chumpeteo")


def test_the_digest_lies_in_the_mailbox_as_it_would_be_read(admin: Page, served: Served) -> None:
    served.lines("digest", "run", "--at", "2100-01-01T06:00-06:00")
    admin.goto("/mailbox")
    admin.locator("td a").first.click()
    expect(admin.locator("iframe")).to_have_attribute("sandbox", "")
    expect(admin.frame_locator("iframe").locator("body")).to_contain_text("No se reportó nada nuevo")


def test_every_page_fits_a_phone_and_speaks_the_language_one_chose(admin: Page, served: Served) -> None:
    admin.set_viewport_size({"width": 360, "height": 700})
    admin.click("footer >> text=English")
    served.run("channel", "add", "kannel", "telco", "--set", "token=a-token-of-the-test-0123")
    for path in (*MENU, "/channels/telco"):
        admin.goto(path)
        expect(admin.locator("html")).to_have_attribute("lang", "en")
        assert admin.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert admin.title().endswith("· Vocero")


def test_who_logs_out_must_log_in_again_and_comes_where_one_wanted(admin: Page, served: Served) -> None:
    admin.click("footer >> text=Salir")
    admin.wait_for_url(re.compile("/login$"))
    admin.goto("/reports")
    admin.wait_for_url(re.compile("/login"))
    admin.fill("[name=name]", "rosa")
    admin.fill("[name=password]", "maiz lluvia camino tejido")
    admin.click("article button")
    admin.wait_for_url(f"{served.url}/reports")
