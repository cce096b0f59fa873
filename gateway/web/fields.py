"""The fields of a form as inputs of a page: what may be picked for each kind."""

from collections.abc import Mapping

from gateway.locale import N_, Translator
from gateway.web.labels import Labels
from parsers import Codebook, FieldSpec, FormSpec

PROBLEMS = {
    "missing": N_("This is needed."),
    "unknown": N_("This is not one of the values there are."),
    "number": N_("This must be a number from 0 to 100,000."),
    "future": N_("This day has not come yet."),
}
# Kinds that are picked from a list, and kinds that are typed, with the type of the input.
PICKED = ("category", "commitment", "choice", "yes_no")
TYPED = {"date": "date", "count": "number", "number": "number", "text": "text", "name": "text"}


class Inputs:
    """What the templates ask to draw a field."""

    def __init__(self, codebook: Codebook, labels: Labels) -> None:
        self.codebook = codebook
        self.labels = labels

    def of(self, form: FormSpec) -> list[FieldSpec]:
        """The fields a person can fill in, in the form's order."""
        return [spec for spec in form.fields if spec.kind in PICKED or spec.kind in TYPED or spec.kind == "place"]

    def input_type(self, spec: FieldSpec) -> str:
        return TYPED[spec.kind]

    def is_picked(self, spec: FieldSpec) -> bool:
        return spec.kind in PICKED

    def pairs(self, form: FormSpec, spec: FieldSpec) -> list[tuple[str, str]]:
        """Value and label of each choice."""
        labels, codebook = self.labels, self.codebook
        if spec.kind == "category":
            return [(code, f"{code} {labels.category(code)}") for code in codebook.categories]
        if spec.kind == "commitment":
            return [(code, f"{code} {one.short}") for code, one in codebook.commitments.items()]
        if spec.kind == "yes_no":
            return [("yes", labels.t("yes")), ("no", labels.t("no"))]
        values = codebook.choices.get(f"{form.name}.{spec.name}", {})
        return [(value, labels.value(form.name, spec.name, value)) for value in values]

    def places(self) -> list[tuple[str, str]]:
        return [(code, self.labels.place(code)) for code in self.codebook.places]

    def shown(self, spec: FieldSpec, value: object) -> str:
        """A stored value as the input takes it."""
        if value is None:
            return ""
        if spec.kind == "yes_no":
            return "yes" if value else "no"
        if spec.kind == "place":
            return f"{value} {self.labels.place(str(value))}"
        return str(value)


def problem_words(problems: Mapping[str, str], t: Translator) -> dict[str, str]:
    """The sentence for each field that cannot stand."""
    return {field: t(PROBLEMS[word]) for field, word in problems.items()}
