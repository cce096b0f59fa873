"""A reading shown to a person: the text in colours, what was understood, and how."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.conversation import Decision
from parsers import Reading, ReportReading

COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_red")


def show(decision: Decision) -> None:
    """Print the decision about one text to standard output, in colours when it is a terminal."""
    console = Console(highlight=False)
    reading = decision.reading
    if reading is None:
        console.print(Text.assemble(("outcome ", "dim"), (decision.outcome, "bold")))
        return
    colours = _colours(reading)
    console.print(_coloured(decision.text, reading, colours))
    console.print()
    console.print(_headline(reading))
    for number, report in enumerate(reading.reports, start=1):
        console.print(_report(number, report, colours))
    if reading.problems:
        console.print(_problems(reading))
    if reading.trace:
        console.print(_trace(reading))


def _colours(reading: Reading) -> dict[str, str]:
    names = dict.fromkeys(name for report in reading.reports for name in report.values)
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}


def _coloured(text: str, reading: Reading, colours: dict[str, str]) -> Text:
    shown = Text(text)
    for report in reading.reports:
        for name, found in report.values.items():
            if 0 <= found.start < found.end:
                shown.stylize(f"bold {colours[name]}", found.start, found.end)
    for problem in reading.problems:
        if 0 <= problem.start < problem.end:
            shown.stylize("underline red", problem.start, problem.end)
    return shown


def _headline(reading: Reading) -> Text:
    parts: list[tuple[str, str] | str] = [("outcome ", "dim"), (reading.outcome, "bold")]
    for name, value in (("ask", reading.ask), ("reason", reading.reason), ("language", reading.language)):
        if value:
            parts += [(f"  {name} ", "dim"), value]
    if reading.practice:
        parts.append(("  practice", "yellow"))
    return Text.assemble(*parts)


def _report(number: int, report: ReportReading, colours: dict[str, str]) -> Table:
    table = Table(title=f"{number}. {report.form}{'  URGENT' if report.urgent else ''}", title_justify="left")
    for heading in ("field", "value", "found", "from", "sure"):
        table.add_column(heading)
    for name, found in report.values.items():
        where = f"{found.start}-{found.end}" if found.start >= 0 else ""
        value = Text(str(found.value), style=colours[name])
        table.add_row(name, value, found.how, where, f"{found.confidence:.2f}")
    return table


def _problems(reading: Reading) -> Table:
    table = Table(title="Problems", title_justify="left")
    for heading in ("field", "what", "text"):
        table.add_column(heading)
    for problem in reading.problems:
        table.add_row(problem.field, problem.code, Text(problem.text))
    return table


def _trace(reading: Reading) -> Table:
    table = Table(title="Steps", title_justify="left")
    for heading in ("step", "from", "field", "value", "note"):
        table.add_column(heading)
    for step in reading.trace:
        where = f"{step.start}-{step.end}" if step.start >= 0 else ""
        table.add_row(step.step, where, step.field, Text(str(step.value)), Text(step.note))
    return table
