"""Journey 7: an admin changes a keyword on the page, tries a text there, and the next text is read by the new rule."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.served import Served

PASSWORD = "maiz lluvia camino tejido"
TEXT = "inc chumpeteo nebaj ayer"
LIST = "/keywords/category/ROB"


@pytest.fixture
def served(tmp_path: Path, database_url: str | None) -> Iterator[Served]:
    server = Served(tmp_path, database_url)
    yield server
    server.close()


class Admin:
    """A browser over real HTTP: cookies, and the token of the form last seen."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, headers={"accept-language": "en"}, timeout=30, follow_redirects=True)
        self.page = ""

    def get(self, path: str) -> str:
        answer = self.http.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        self.page = answer.text
        return self.page

    def post(self, path: str, fields: dict[str, str], status: int = 200) -> str:
        token = re.search(r'name="csrf" value="([0-9a-f]+)"', self.page)
        assert token
        answer = self.http.post(path, data={"csrf": token[1], **fields})
        assert answer.status_code == status, (path, answer.status_code, answer.text[-800:])
        self.page = answer.text
        return self.page

    def words(self) -> str:
        """The list as it stands in the page's box."""
        box = re.search(r"<textarea[^>]*>(.*?)</textarea>", self.get(LIST), re.DOTALL)
        assert box
        return html.unescape(box[1]).strip()


@pytest.fixture
def admin(served: Served) -> Iterator[Admin]:
    browser = Admin(served.url)
    yield browser
    browser.http.close()


def test_an_admin_changes_a_keyword_and_the_next_text_is_read_by_it(served: Served, admin: Admin) -> None:
    link = next(word for word in served.run("init").split() if "/setup/" in word)
    served.set_up()
    served.start()
    sign_in(admin, link)

    assert served.post({"id": "1", "from": "+50255550101", "text": "inc rob nebaj ayer"}).status_code == 202
    assert served.post({"id": "2", "from": "+50255550101", "text": TEXT}).status_code == 202

    words = admin.words()
    tried = admin.post(f"{LIST}/try", {"words": words, "text": TEXT, "based_on": "1"})
    assert ">chumpeteo</mark>" not in tried
    tried = admin.post(f"{LIST}/try", {"words": f"{words}\nchumpeteo", "text": TEXT, "based_on": "1"})
    assert ">chumpeteo</mark>" in tried
    assert len(served.export("messages")) == 2

    refused = admin.post(LIST, {"words": f"{words}\nlinchamiento", "based_on": "1"}, status=400)
    assert "means LIN" in refused
    saved = admin.post(LIST, {"words": f"{words}\nchumpeteo", "based_on": "1", "note": "se dice en la costa"})
    assert "Saved as revision 2" in saved

    assert served.post({"id": "3", "from": "+50255550102", "text": TEXT}).status_code == 202
    reports = {report["text"]: report for report in served.export("reports") if report["state"] == "open"}
    assert reports["inc rob nebaj ayer"]["codebook_revision"] == 1
    assert (reports[TEXT]["category"], reports[TEXT]["place"]) == ("ROB", "1413")
    assert reports[TEXT]["codebook_revision"] == 2
    assert "ROB +chumpeteo" in admin.get("/keywords/revisions")
    assert "codebook.save" in admin.get("/audit")


def sign_in(admin: Admin, link: str) -> None:
    """Choose a password behind the setup link, go out, and come in by the login page."""
    path = "/setup/" + link.rsplit("/", 1)[1]
    admin.get(path)
    admin.post(path, {"name": "rosa", "password": PASSWORD, "again": PASSWORD})
    admin.post("/logout", {})
    admin.get("/login")
    assert "rosa" in admin.post("/login", {"name": "rosa", "password": PASSWORD})
