"""What exists is documented, and what is documented exists."""

import re
from pathlib import Path

import pytest

import gateway.models as models
import outbox.models
from gateway.channels import CHANNELS
from gateway.channels.base import Kind
from gateway.limits import LIMITS
from gateway.settings import Settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^\s*```.*?^\s*```", re.MULTILINE | re.DOTALL)
SETTINGS = {f"VOCERO_{name.upper()}": field for name, field in Settings.model_fields.items()}
STATES = {
    "message": models.message.STATES,
    "report": models.report.STATES,
    "verification": models.report.VERIFICATIONS,
    "alert": models.alert.STATES,
    "open question": models.question.STATES,
    "outbox": outbox.models.STATES,
    "channel": models.channel.STATES,
    "contact": models.contact.STATUSES,
}


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, made as forges make them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def setting_rows() -> dict[str, str]:
    """Each setting in docs/settings.md with the default that stands beside it."""
    return dict(re.findall(r"^\| `(VOCERO_\w+)` \| ([^|]+) \|", (DOCS / "settings.md").read_text(), re.MULTILINE))


def shown(default: object) -> str:
    """A default as the page spells it."""
    if isinstance(default, Path):
        return f"`./{default}`"
    return f"`{str(default).lower()}`" if isinstance(default, bool) else f"`{default}`"


def test_every_setting_is_documented_and_no_other() -> None:
    assert set(setting_rows()) == set(SETTINGS)


def test_every_documented_default_is_the_true_one() -> None:
    rows = setting_rows()
    defaults = {name: field.default for name, field in SETTINGS.items() if field.default is not None}
    assert {name: rows[name] for name in defaults} == {name: shown(value) for name, value in defaults.items()}


def test_the_example_file_lists_every_setting_and_no_other() -> None:
    names = re.findall(r"^# (VOCERO_\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(names) == sorted(SETTINGS)


def test_no_code_reads_a_setting_that_is_not_told_of() -> None:
    rooms = ("gateway", "outbox", "parsers", "alembic")
    sources = [path.read_text() for room in rooms for path in (ROOT / room).rglob("*.py")]
    found = {name for source in sources for name in re.findall(r"VOCERO_[A-Z_]+[A-Z]", source)}
    assert found <= set(re.findall(r"`(VOCERO_\w+)`", (DOCS / "settings.md").read_text()))


@pytest.mark.parametrize("noun", STATES)
def test_the_glossary_has_the_words_of_state_that_the_database_allows(noun: str) -> None:
    row = re.search(rf"^\| {noun} \| (`.+) \|$", (DOCS / "glossary.md").read_text(), re.MULTILINE)
    assert row is not None
    assert tuple(re.findall(r"`(\w+)`", row[1])) == tuple(STATES[noun])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCED.sub("", page.read_text())):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_of_the_documents_is_linked_from_another() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in LINK.findall(page.read_text())
        if "://" not in link
    }
    indexes = {folder / "README.md" for folder in linked if folder.is_dir()}
    assert [str(page) for page in DOCS.rglob("*.md") if page not in linked | indexes] == []


def test_every_target_that_is_told_of_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([.a-z]+):", makefile, re.MULTILINE))
    told = {word for page in PAGES for word in re.findall(r"`make ([.a-z]+)", page.read_text())}
    assert told <= targets
    assert set(re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE)) - {"help", "clean"} <= told


def test_every_decision_record_is_numbered_listed_and_complete() -> None:
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    index = (DOCS / "decisions" / "README.md").read_text()
    for path in records:
        assert f"]({path.name})" in index
        assert re.findall(r"^## (\w+)$", path.read_text(), re.MULTILINE) == ["Context", "Decision", "Consequences"]


@pytest.mark.parametrize("kind", CHANNELS.values(), ids=lambda kind: kind.name)
def test_every_channel_kind_has_a_guide_that_tells_each_of_its_settings(kind: Kind) -> None:
    guide = DOCS / "channels" / f"{kind.name}.md"
    table = guide.read_text().partition("| key | needed | what |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`.+?) \| (.+?) \|", table, re.MULTILINE)
    told = {name: needed for names, needed in rows for name in re.findall(r"`(\w+)`", names)}
    assert set(told) == {spec.name for spec in kind.settings}
    for spec in kind.settings:
        assert spec.required == (told[spec.name] == "yes"), spec.name
    assert f"| `{kind.name}` |" in (DOCS / "channels" / "README.md").read_text()


def test_every_limit_is_documented_with_its_true_default() -> None:
    page = (DOCS / "settings.md").read_text().partition("## What may change while it runs")[2].partition("\n## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", page, re.MULTILINE))
    assert told == {name: str(limit.default) for name, limit in LIMITS.items()}
