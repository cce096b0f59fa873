"""What may be said of a report in a digest, in one language: codes as the codebook spells them.

Sensitive categories are a reserved case of a department, without number, municipality or date.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from gateway.digests.collect import Told
from gateway.locale import N_, Translator
from gateway.reports import COUNTS
from parsers import Codebook

CHANGE_WORDS = {
    "withdrawn": N_("withdrawn"), "closed": N_("closed"), "reopened": N_("reopened"), "reread": N_("read again"),
}  # fmt: skip


class Names:
    """`brief` takes the short names made for SMS."""

    def __init__(self, t: Translator, codebook: Codebook, *, brief: bool = False) -> None:
        self.t, self._codebook, self.brief = t, codebook, brief
        self._english = t.language == "en"
        self.arrow = "->" if brief else "→"

    def is_reserved(self, category: str | None) -> bool:
        found = self._codebook.categories.get(category or "")
        return found is not None and found.sensitive

    def kind(self, category: str | None, form: str) -> str:
        """The category, or the form when it has none."""
        if self.is_reserved(category):
            return self.t("Reserved case")
        found = self._codebook.categories.get(category or "")
        if found is not None:
            return found.name_en if self._english else found.short if self.brief else found.name
        known = self._codebook.forms.get(form)
        return (known.title_en if self._english else known.title) if known else form

    def what(self, told: Told) -> str:
        """The kind, with what a report without a category says: which commitment and how it stands, which topic."""
        if told.category is not None:
            return self.kind(told.category, told.form)
        said = ", ".join(self._said(told))
        code = told.choices.get("commitment") if told.form == "commitment" else None
        if self.brief and code:
            return ": ".join(filter(None, (code, said)))
        kind = f"{self.kind(None, told.form)} {code}" if code else self.kind(None, told.form)
        return f"{kind}: {said}" if said else kind

    def _said(self, told: Told) -> Iterator[str]:
        for name in ("topic", "status"):
            choice = self._codebook.choices.get(f"{told.form}.{name}", {}).get(told.choices.get(name, ""))
            if choice is not None:
                yield choice.label_en if self._english else choice.label

    def place(self, code: str | None) -> str:
        found = self._codebook.places.get(code or "")
        if found is None:
            return self.t("place unknown")
        return found.short if self.brief else found.name

    def reserved_place(self, code: str | None) -> str:
        return f"{self.t('Reserved case')}, {self.place((code or '')[:2])}"

    def counted_place(self, category: str | None, place: str | None) -> str:
        return self.reserved_place(place) if self.is_reserved(category) else self.place(place)

    def counts(self, counts: Mapping[str, int]) -> str:
        """ "2 heridos, 3 familias"; how many of the people were women has no room in an SMS."""
        shown = COUNTS[:-1] if self.brief else COUNTS
        return ", ".join(self._counted(name, counts[name]) for name in shown if counts.get(name))

    def _counted(self, name: str, number: int) -> str:
        if self._english:
            return f"{number} {self.t(name)}"
        template = self._codebook.replies.get(f"word.{name}.{'1' if number == 1 else 'n'}", name + " {n}")
        return template.replace("{n}", str(number))

    def changes(self, told: Told) -> str:
        """What happened to a report that was told before: "corregido: heridos 2 → 3, verificado"."""
        return ", ".join(self._change(told, change) for change in told.changes)

    def _change(self, told: Told, change: str) -> str:
        if change == "corrected":
            values = ", ".join(self._replaced(told))
            return f"{self.t('corrected')}: {values}" if values else self.t("corrected")
        if change == "verified":
            return self.t("verified") if told.verification == "verified" else self.t("checked")
        return self.t(CHANGE_WORDS.get(change, change))

    def _replaced(self, told: Told) -> Iterator[str]:
        """Old and new value of what was corrected; of a category that is or was sensitive nothing is said."""
        now: dict[str, Any] = {
            "category": told.category, "place": told.place, "date": str(told.event_date or ""), **told.counts
        }  # fmt: skip
        for name, old in told.was.items():
            if name not in ("category", "place", "date", *COUNTS) or (name == "category" and self.is_reserved(old)):
                continue
            values = [self._value(name, old), self._value(name, now.get(name))]
            if values[0] != values[1]:
                yield f"{self._field(name)} {f' {self.arrow} '.join(values)}"

    def _value(self, name: str, value: Any) -> str:
        if name in COUNTS:
            return str(value or 0)
        if value in (None, ""):
            return "?"
        if name == "category":
            return self.kind(str(value), "")
        return self.place(str(value)) if name == "place" else day(date.fromisoformat(str(value)))

    def _field(self, name: str) -> str:
        found = self._codebook.choices.get("field_name", {}).get(name)
        return (found.label_en if self._english else found.label) if found else name


def day(at: date | None) -> str:
    return f"{at:%d/%m}" if at else ""
