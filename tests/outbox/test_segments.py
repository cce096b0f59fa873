import gsm0338
import pytest
import smsutil
from hypothesis import assume, given
from hypothesis import strategies as st

from outbox.segments import BASIC, EXTENDED, count, is_gsm7, split, to_gsm7

ORACLE = gsm0338.Codec()
GSM = st.text(alphabet=BASIC + EXTENDED, max_size=500)
ANY = st.text(alphabet=st.characters(codec="utf-16"), max_size=400)

FOLDED = {
    "plain": ("Inc 3001 recibido", "Inc 3001 recibido"),
    "accents that GSM lacks": ("Tomás violó aquí según él", "Tomas violo aqui segun él"),
    "accents that GSM has": ("ñÑéüÜàèìòù¿¡äö", "ñÑéüÜàèìòù¿¡äö"),
    "capitals": ("ÁÍÓÚ", "AIOU"),
    "decomposed": ("n\u0303 e\u0301 a\u0301", "ñ é a"),
    "curly quotes": ("“sí” ‘no’", "\"si\" 'no'"),
    "glottal marks": ("K’iche’ Tz'utujil ʼ ʻ ꞌ `", "K'iche' Tz'utujil ' ' ' '"),
    "dashes": ("a–b—c−d", "a-b-c-d"),
    "ellipsis": ("espere…", "espere..."),
    "hard and narrow spaces": ("a\u00a0b\u202fc\td", "a b c d"),
    "invisible": ("a\u200bb\u200dc\ufeffd\u00ade", "abcde"),
    "full width": ("ＩＮＣ　ｒｏｂ", "INC rob"),
    "ligature": ("ﬁn œuvre", "fin oeuvre"),
    "ordinals": ("1º 2ª", "1o 2a"),
    "euro stays": ("5€", "5€"),
    "unknown": ("日本 🚓", "?? ?"),
    "control characters": ("a\x00b\x07c", "a?b?c"),
    "lone surrogate": ("a\ud800b", "a?b"),
}


@pytest.mark.parametrize(("text", "expected"), FOLDED.values(), ids=FOLDED)
def test_a_text_is_folded_to_its_nearest_gsm_spelling(text: str, expected: str) -> None:
    assert to_gsm7(text) == expected


@given(ANY)
def test_folding_always_ends_in_gsm_and_again_changes_nothing(text: str) -> None:
    folded = to_gsm7(text)
    assert is_gsm7(folded)
    assert to_gsm7(folded) == folded


@given(GSM)
def test_gsm_texts_are_counted_as_the_codec_encodes_them(text: str) -> None:
    counted = count(text)
    assert counted.encoding == "gsm7"
    assert counted.units == len(ORACLE.encode(text)[0])


@given(ANY)
def test_what_the_codec_cannot_encode_is_not_gsm(text: str) -> None:
    """But for ESC alone, which the codec takes for a letter and which begins one of the extended alphabet."""
    assume("\x1b" not in text)
    try:
        ORACLE.encode(text)
    except (UnicodeEncodeError, KeyError):
        assert not is_gsm7(text)
    else:
        assert is_gsm7(text)


@given(st.one_of(GSM, ANY))
def test_parts_and_segments_are_those_of_smsutil(text: str) -> None:
    ours = split(text)
    theirs = [part.content for part in smsutil.split(text).parts] if is_gsm7(text) else _by_units(text)
    assert ours == theirs
    assert count(text).segments == len(ours)


def _by_units(text: str) -> list[str]:
    return [part.content for part in smsutil.unicode_split(text).parts]


@given(st.one_of(GSM, ANY))
def test_parts_join_to_the_text_and_cut_no_pair(text: str) -> None:
    parts = split(text)
    assert "".join(parts) == text
    limit = {"gsm7": 153, "ucs2": 67}[count(text).encoding]
    if len(parts) > 1:
        assert all(0 < count(part).units <= limit for part in parts if is_gsm7(part) == is_gsm7(text))


COUNTED = {
    "empty": ("", "gsm7", 0, 1),
    "160 plain": ("a" * 160, "gsm7", 160, 1),
    "161 plain": ("a" * 161, "gsm7", 161, 2),
    "80 euros": ("€" * 80, "gsm7", 160, 1),
    "81 euros": ("€" * 81, "gsm7", 162, 2),
    "an escape on the edge of a part": ("a" * 152 + "€" * 77, "gsm7", 306, 3),
    "70 with an acute": ("á" * 70, "ucs2", 70, 1),
    "71 with an acute": ("á" * 71, "ucs2", 71, 2),
    "35 emoji": ("🚓" * 35, "ucs2", 70, 1),
    "36 emoji": ("🚓" * 36, "ucs2", 72, 2),
    "a surrogate pair on the edge of a part": ("á" * 66 + "🚓" * 34, "ucs2", 134, 3),
}


@pytest.mark.parametrize(("text", "encoding", "units", "segments"), COUNTED.values(), ids=COUNTED)
def test_segments_are_counted(text: str, encoding: str, units: int, segments: int) -> None:
    counted = count(text)
    assert (counted.encoding, counted.units, counted.segments) == (encoding, units, segments)
