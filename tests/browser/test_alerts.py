"""An alert on a small phone: by the link of the mail, and on the pages."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SMALL = {"width": 360, "height": 640}


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def alert(page: Page) -> None:
    """Tomas writes from the simulated phone that a young man is tied up."""
    page.goto("/simulator")
    page.select_option("[name=contact]", label="Tomas Lux (+502 5555 **05)")
    page.click("text=Tomar este teléfono")
    page.fill("[name=text]", "ALERTA LIN 1416 tienen amarrado a un joven")
    page.click("text=Enviar")
    expect(page.locator(".talk .theirs").first).to_contain_text("ALERTA R3000 enviada")


def test_an_alert_is_seen_handled_and_closed_with_a_thumb(admin: Page) -> None:
    admin.set_viewport_size(SMALL)
    alert(admin)
    admin.goto("/alerts")
    assert fits(admin)
    expect(admin.locator("article.alert")).to_contain_text("Linchamiento")
    admin.click("article.alert button")
    expect(admin.locator("h1")).to_contain_text("visto")
    for button in ("seen", "handled", "closed"):
        found = admin.locator(f"button[value={button}]")
        if button == "seen":
            expect(found).to_have_count(0)
            continue
        box = found.bounding_box()
        assert box is not None
        assert box["height"] >= 30
        assert box["x"] + box["width"] <= SMALL["width"]
    admin.click("button[value=handled]")
    admin.fill("[name=note]", "fui con la PNC")
    admin.click("button[value=closed]")
    assert fits(admin)
    expect(admin.locator("table")).to_contain_text("fui con la PNC")
    expect(admin.locator("h1")).to_contain_text("cerrad")


def test_the_link_of_the_mail_opens_one_button_without_a_login(admin: Page) -> None:
    alert(admin)
    admin.goto("/mailbox")
    admin.click("main a >> nth=0")
    link = admin.locator("text=/acknowledge/").first.inner_text()
    path = "/acknowledge/" + link.split("/acknowledge/")[1].split()[0]
    admin.context.clear_cookies()
    admin.set_viewport_size(SMALL)
    admin.goto(path)
    assert fits(admin)
    expect(admin.locator("main")).to_contain_text("ALERTA R3000: Linchamiento, Sacapulas")
    expect(admin.locator("main")).not_to_contain_text("amarrado")
    admin.click("main button")
    expect(admin.locator("[role=status]")).to_contain_text("La atiende Marta desde las")
    expect(admin.locator("main button")).to_have_count(0)
