"""`doctor` and `demo`."""

from typing import Annotated

import typer

from gateway.cli.support import FAILED, load_settings, opened_house, progress, say

MARKS = {"ok": ("ok  ", "green"), "look": ("look", "yellow"), "bad": ("BAD ", "red")}


def doctor() -> int:
    """Look at settings, key, database, disk, clock and channels, and say what to do. Exit code 1: something is bad."""
    from gateway.doctor import examine_house, examine_settings

    settings = load_settings()
    if not settings.data_dir.exists():
        say(f"There is no {settings.data_dir}. Run `vocero init` first.")
        return FAILED
    findings = list(examine_settings(settings))
    if not any(finding.level == "bad" and finding.about == "database" for finding in findings):
        with opened_house() as house:
            findings += examine_house(house)
    for finding in findings:
        mark, colour = MARKS[finding.level]
        typer.secho(f"{mark} {finding.about}: {finding.words}", fg=colour if finding.level != "ok" else None)
    return FAILED if any(finding.level == "bad" for finding in findings) else 0


def demo(
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days of reports.")] = 30,
    seed: Annotated[int, typer.Option(help="Another number gives another month.")] = 1996,
) -> None:
    """Fill a database that holds no texts yet with a believable month of reports, to look at and to teach with."""
    from gateway.rehearsal.demo import Demo

    with opened_house() as house:
        play = Demo(house, days=days, seed=seed)
        for _ in progress(play.run(), "Playing", total=play.steps):
            pass
    say(f"{play.texts} texts of {days} days are in. Everything and everybody in them is invented.")
