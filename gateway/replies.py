"""What is answered: the pack's templates filled with what was understood, always one GSM-7 segment.

An answer carries the report number and values as the codebook spells them, never free text, a locality, another
person's name or a phone; sensitive categories are a reserved case.
"""

from collections.abc import Mapping
from datetime import date

from gateway.conversation import Asked
from gateway.reports import COUNTS, ReportState
from outbox.segments import count, to_gsm7
from parsers import Codebook, Question, ReportReading

NAME_LENGTH = 24


class Replies:
    """Fills the templates of one codebook."""

    def __init__(self, codebook: Codebook) -> None:
        self.codebook = codebook

    def text(self, name: str, /, **values: object) -> str:
        """The reply `name` of the pack, filled and folded."""
        return fill(self.codebook.replies[name], values)

    def form_reply(self, form: str, /, **values: object) -> str:
        return fill(self.codebook.forms[form].reply, values)

    def confirmation(
        self, state: ReportState, *, discreet: bool = False, open_end: bool = False, late_hours: int = 0,
        long: bool = False,
    ) -> str:  # fmt: skip
        """The answer to an accepted report; `open_end` when an alert did not say what or where.

        With `late_hours` it says that the text took so long, if that fits into one SMS or the answer may be `long`.
        """
        if discreet:
            return self.text("discreet", ref=state.ref)
        form = self.codebook.forms["urgent" if state.urgent and "urgent" in self.codebook.forms else state.form]
        template = form.reply_open if open_end and form.reply_open else form.reply
        values = self.values(state)
        texts = [fill(template, values), fill(template, {**values, "counts": ""})]
        if late_hours:
            texts.insert(0, f"{texts[0]} {self.text('delayed', ref=state.ref, hours=late_hours)}")
        return next((text for text in texts if long or count(text).segments == 1), texts[-1])

    def question(self, asked: Asked, question: Question | None) -> str:
        """The one question about a draft."""
        form = self.codebook.forms[asked.draft.form]
        kind = question.kind if question and question.kind in form.asks else asked.ask
        template = form.asks.get(kind) or form.asks.get(asked.ask) or self.codebook.replies["unknown"]
        values = self._reading_values(asked.draft)
        if asked.choices:
            values["choices"] = self.choices(asked.choices)
        values["term"] = (question.term if question else None) or self._term(asked)
        values["ref"] = asked.ref or asked.draft.get("ref") or ""
        return fill(template, values)

    def choices(self, codes: tuple[str, ...]) -> str:
        """Numbered choices; places of one name are told apart by their department."""
        return ", ".join(f"{number} {self._told_apart(code, codes)}" for number, code in enumerate(codes, 1))

    def values(self, state: ReportState) -> dict[str, object]:
        values = self._reading_values_of({**state.fields, "category": state.category, "place": state.place})
        values.update(
            ref=state.ref,
            date=self.date(state.event_date),
            counts=self.counts(state.counts),
            people=state.fields.get("people", ""),
            state=self.state(state),
        )
        return values

    def category(self, code: str | None) -> str:
        found = self.codebook.categories.get(code or "")
        if found is None:
            return self.codebook.replies["word.other"]
        return self.codebook.replies["word.reserved"] if found.sensitive else found.short

    def place(self, code: str | None) -> str:
        found = self.codebook.places.get(code or "")
        return found.short if found else self.codebook.replies["word.unknown_place"]

    def date(self, day: date | None) -> str:
        return f"{day:%d/%m}" if day else ""

    def counts(self, counts: Mapping[str, int]) -> str:
        """ "2 heridos. " or nothing; zero is a value that was said and is not repeated."""
        parts = [self._counted(name, counts[name]) for name in COUNTS if counts.get(name)]
        return f"{', '.join(parts)}. " if parts else ""

    def state(self, state: ReportState) -> str:
        word = state.verification if state.state == "open" and state.verification != "unverified" else state.state
        return self.codebook.replies[f"state.{word}"]

    def field_value(self, field: str, value: object) -> str:
        """A corrected value as the codebook spells it."""
        if field == "category":
            return self.category(str(value))
        if field == "place":
            return self.place(str(value))
        if field == "date":
            return self.date(date.fromisoformat(str(value)))
        for list_name, choices in self.codebook.choices.items():
            if list_name.endswith(f".{field}") and value in choices:
                return choices[str(value)].label
        return str(value)

    def field_name(self, field: str) -> str:
        found = self.codebook.choices.get("field_name", {}).get(field)
        return found.label if found else field

    def _counted(self, name: str, number: int) -> str:
        template = self.codebook.replies[f"word.{name}.{'1' if number == 1 else 'n'}"]
        return template.replace("{n}", str(number))

    def _told_apart(self, code: str, codes: tuple[str, ...]) -> str:
        place = self.codebook.places.get(code)
        if place is None:
            return code
        departments = [self.codebook.places[other].department for other in codes if other in self.codebook.places]
        if departments.count(place.department) > 1:
            return place.short
        return self.place(place.department)

    def _term(self, asked: Asked) -> str:
        names = [self.codebook.places[code].short for code in asked.choices if code in self.codebook.places]
        return min(names, key=len) if names else ""

    def _reading_values(self, report: ReportReading) -> dict[str, object]:
        values = self._reading_values_of({name: found.value for name, found in report.values.items()}, report.form)
        name = report.get("name")
        values["name"] = str(name)[:NAME_LENGTH] if name else ""
        return values

    def _reading_values_of(self, fields: Mapping[str, object], form: str = "") -> dict[str, object]:
        values: dict[str, object] = {
            "category": self.category(_text(fields.get("category"))),
            "place": self.place(_text(fields.get("place"))),
        }
        commitment = self.codebook.commitments.get(_text(fields.get("commitment")) or "")
        if commitment:
            values.update(code=commitment.code, short=commitment.short)
        for name in ("status", "topic", "agreement", "reason"):
            value = fields.get(name)
            if value is not None:
                values[name] = self._choice_label(name, str(value), form, bool(commitment))
        return values

    def _choice_label(self, field: str, value: str, form: str, commitment: bool) -> str:
        wanted = f"{form or ('commitment' if commitment else 'return')}.{field}"
        found = self.codebook.choices.get(wanted, {}).get(value)
        return found.label if found else self.field_value(field, value)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def fill(template: str, values: Mapping[str, object]) -> str:
    """Put `values` into `{name}` marks by plain replacement (values are never read as templates) and fold to GSM-7."""
    pieces: list[str] = []
    rest = template
    while rest:
        before, mark, rest = rest.partition("{")
        pieces.append(before)
        if mark:
            name, closed, after = rest.partition("}")
            pieces.append(str(values.get(name, "")) if closed else mark)
            rest = after if closed else rest
    return to_gsm7("".join(pieces)).strip()
