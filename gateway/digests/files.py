"""What a digest tells as a table for a spreadsheet, CSV in UTF-8 or XLSX: what may be said in the mail and no more."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from gateway.digests.collect import Contents, Told
from gateway.digests.names import Names
from gateway.digests.view import Period
from gateway.export import safe_cell
from gateway.locale import N_
from gateway.reports import COUNTS
from outbox.senders.base import Attachment

ROWS_AT_MOST = 5000
# So that Excel reads a CSV file as UTF-8.
BOM = "\ufeff"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMNS = (
    N_("report number"), N_("category"), N_("place code"), N_("place"), N_("date"), N_("heard"), N_("urgent"),
    N_("state"), N_("verification"), N_("changes"), *COUNTS,
)  # fmt: skip

Cell = str | int | None


def attachment(kind: str, contents: Contents, period: Period, names: Names) -> Attachment:
    """The file of `kind` csv or xlsx; at most 5,000 reports, the first by number."""
    heading = [names.t(column) for column in COLUMNS]
    ordered = sorted(contents.reports, key=lambda told: (told.ref is None, told.ref or 0))[:ROWS_AT_MOST]
    rows = list(_rows(ordered, period, names))
    stem = f"vocero-{period.end.astimezone(ZoneInfo(period.zone)):%Y%m%d-%H%M}"
    if kind == "xlsx":
        return Attachment(f"{stem}.xlsx", XLSX, _xlsx(heading, rows))
    return Attachment(f"{stem}.csv", "text/csv", _csv(heading, rows))


def _rows(reports: Iterable[Told], period: Period, names: Names) -> Iterator[Sequence[Cell]]:
    for told in reports:
        if names.is_reserved(told.category):
            department = (told.place or "")[:2]
            said = (None, names.kind(told.category, told.form), department, names.place(department))
            yield (*said, *[None] * (len(COLUMNS) - len(said)))
        else:
            heard = told.heard_at.astimezone(ZoneInfo(period.zone))
            yield (
                told.ref, names.what(told), told.place, names.place(told.place),
                told.event_date.isoformat() if told.event_date else None, f"{heard:%Y-%m-%d %H:%M}",
                names.t("yes") if told.urgent else names.t("no"), names.t(told.state), names.t(told.verification),
                None if told.is_new else names.changes(told), *(told.counts.get(name) for name in COUNTS),
            )  # fmt: skip


def _csv(heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heading)
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return (BOM + out.getvalue()).encode()


def _xlsx(heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    from xlsxwriter import Workbook

    out = io.BytesIO()
    # What looks like a formula or an address stays the text it is.
    book = Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    for column, name in enumerate(heading):
        sheet.write_string(0, column, name, bold)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(number, column, value)
            elif value:
                sheet.write_string(number, column, value)
    sheet.freeze_panes(1, 1)
    sheet.autofit()
    book.close()
    return out.getvalue()
