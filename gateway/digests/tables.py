"""The counts of a digest, by what, where and week, beside what is usual."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import dropwhile

from gateway.digests.collect import Told
from gateway.digests.names import Names, day
from gateway.digests.usual import Kind, Usual
from gateway.digests.view import Counted, Row, rows_of
from gateway.locale import Translator


def tables(counted: Sequence[Told], usual: Usual, names: Names, most: int) -> list[Counted]:
    """Tables of at most `most` rows; those without a row are left out."""
    t = names.t

    def by_kind(kind: Kind) -> str:
        return names.kind(kind[0], kind[1])

    def by_place(kind: Kind) -> str:
        return names.counted_place(kind[0], kind[2])

    found = []
    for title, label in ((t("By category"), by_kind), (t("By place"), by_place)):
        labels = [label((told.category, told.form, told.place)) for told in counted]
        medians = usual.of(label)
        found.append(Counted(title, [_compared(row, medians, t) for row in rows_of(labels, most)]))
    if any(number for _, number in usual.weeks[:-1]):
        found.append(Counted(t("By week"), list(_weeks(usual, t))))
    return [table for table in found if table.rows]


def _compared(row: Row, medians: Mapping[str, int] | None, t: Translator) -> Row:
    if medians is None:
        return row
    return Row(row.label, row.number, row.share, _change(row.number - medians.get(row.label, 0), t))


def _change(more: int, t: Translator) -> str:
    if more > 0:
        return t("+{n} over the usual", n=more)
    return t("{n} under the usual", n=-more) if more < 0 else t("as usual")


def _weeks(usual: Usual, t: Translator) -> Iterable[Row]:
    """From the first week that has any. The last whole week is compared with those before it, the week that is not
    over with nothing."""
    weeks = list(dropwhile(lambda week: not week[1], usual.weeks))
    largest = max(number for _, number in weeks)
    for index, (monday, number) in enumerate(weeks):
        before = sorted(n for _, n in weeks[:index])
        is_last_whole = index == len(weeks) - 2 and any(before)
        change = _change(number - before[(len(before) - 1) // 2], t) if is_last_whole else ""
        yield Row(t("week of {date}", date=day(monday)), number, round(100 * number / largest), change)
