"""Debian's chromium on a real `vocero serve --local`: what the page asks for elsewhere or complains of is a failure."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, sync_playwright

from tests.served import Served

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PASSWORD = "maiz lluvia camino tejido"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """An empty folder that `vocero serve --local` made into an office."""
    server = Served(tmp_path / "office", command=("-m", "gateway.cli", "serve", "--local"))
    server.folder.mkdir()
    server.start()
    yield server
    server.close()


@pytest.fixture
def page(tmp_path: Path, served: Served) -> Iterator[Page]:
    """A Spanish-speaking browser. Complaints of its console and requests to other hosts fail the test at its end."""
    if CHROMIUM is None:
        pytest.skip("needs Debian's chromium")
    wrong: list[str] = []

    def complain(said: ConsoleMessage) -> None:
        """A form that was refused is told to the console too, and is no fault."""
        if said.type in ("error", "warning") and "status of 400" not in said.text:
            wrong.append(said.text)

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=CHROMIUM, args=list(FLAGS), headless=True, locale="es-GT",
            base_url=served.url,
        )  # fmt: skip
        shown = context.pages[0]
        shown.set_default_timeout(15_000)
        shown.on("console", complain)
        shown.on("pageerror", lambda error: wrong.append(str(error)))
        shown.on("request", lambda asked: None if asked.url.startswith(served.url) else wrong.append(asked.url))
        yield shown
        context.close()
    assert wrong == []


@pytest.fixture
def admin(page: Page, served: Served) -> Page:
    """The setup link of the first start was opened and an account made."""
    link = next(word for word in (served.folder / "serve.log").read_text().split() if "/setup/" in word)
    page.goto(link)
    page.fill("[name=name]", "rosa")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.click("article button")
    page.wait_for_url(f"{served.url}/")
    return page
