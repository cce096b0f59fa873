"""docs/reading.md cannot lie: its examples are what the reader makes of the labelled texts today."""

from parsers import compile_codebook, load_pack
from tests.corpus import guide


def test_the_examples_of_the_guide_are_what_is_read_today() -> None:
    written = guide.GUIDE.read_text("utf-8")
    current = guide.with_examples(written, guide.render(compile_codebook(load_pack())))
    assert written == current, "run python -m tests.corpus.guide"
