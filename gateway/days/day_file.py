"""Reads a day file. Its form is told in docs/simulate.md."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.contact_file import ContactRow, parse_contacts, parse_row
from gateway.days.cast import Cast, read_contact
from gateway.days.earlier import read_before
from gateway.days.lines import DayError, Node, read_yaml
from gateway.days.model import Day, Subscribing
from gateway.days.moments import Calendar, read_moment
from gateway.days.rules import read_settings
from gateway.days.steps import read_steps
from gateway.days.wishes import Ground, read_wishes
from gateway.errors import UsageError
from gateway.wishes import Wish as DigestWish
from gateway.wishes import make_wish
from parsers import Codebook, compile_codebook, load_pack

KEYS = (
    "name", "about", "zone", "start", "refs_from", "contacts", "subscriptions", "settings", "before", "steps", "checks",
)  # fmt: skip
OTHERS = {"title": "name", "description": "about", "timezone": "zone", "refs": "refs_from", "expect": "checks"}
SUBSCRIPTION_KEYS = (
    "who", "by", "at", "places", "zone", "forms", "categories", "language", "every", "day", "when_empty", "detail",
    "catch_up", "attach",
)  # fmt: skip
SUBSCRIPTION_OTHERS = {
    "contact": "who", "to": "who", "for": "who", "hours": "at", "when": "at", "empty": "when_empty",
    "attachment": "attach", "weekday": "day",
}  # fmt: skip
MAIL_WORDS = {"mail": "email", "e-mail": "email"}
FIRST_REF = 3000
SHIPPED = "2026-03-10"


def shipped() -> list[str]:
    """Names of the days that come with the program."""
    found = files("gateway.days").joinpath("files").iterdir()
    return sorted(entry.name.removesuffix(".yaml") for entry in found if entry.name.endswith(".yaml"))


def load_day(name: str, pack: str = "gt") -> Day:
    """A shipped day by its name (`day`: the one that is played without a name), or a file by its path.

    Raises UsageError, DayError among them.
    """
    name = SHIPPED if name == "day" else name
    if name in shipped():
        text = files("gateway.days").joinpath("files", f"{name}.yaml").read_text(encoding="utf-8")
        return read_day(text, Path(), pack)
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8.") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}. Shipped days: {', '.join(shipped())}.") from error
    return read_day(text, path.parent, pack, str(path))


def read_day(text: str, folder: Path, pack: str = "gt", name: str = "") -> Day:
    """The day of a file's text; `folder` is where paths in it begin. Raises DayError."""
    return day_of(read_yaml(text), folder, pack, name)


@lru_cache(maxsize=2)
def _codebook(pack: str) -> Codebook:
    return compile_codebook(load_pack(pack))


def day_of(root: Node, folder: Path, pack: str = "gt", name: str = "") -> Day:
    """The day of a file that was read as YAML. Raises DayError."""
    fields = root.fields(KEYS, "a day", OTHERS)
    if "start" not in fields or "steps" not in fields:
        raise DayError(1, "a day needs start and steps")
    codebook = _codebook(pack)
    calendar, start = _calendar(fields, codebook)
    cast = Cast(_contacts(fields["contacts"], folder, codebook) if "contacts" in fields else ())
    ground = Ground(cast, codebook, calendar.after(start))
    rules = read_settings(fields["settings"]) if "settings" in fields else read_settings(Node(1, {}))
    steps = read_steps(fields["steps"], ground, start)
    last = replace(ground, calendar=calendar.after(max([start, *(step.at for step in steps)])))
    subscribed = fields.get("subscriptions")
    return Day(
        name=fields["name"].text("name") if "name" in fields else name, ground=ground, start=start,
        refs_from=_first_ref(fields, rules.settings), settings=rules.settings, limits=rules.limits,
        subscriptions=tuple(_subscriptions(subscribed, ground, rules.digest_hours)),
        before=tuple(read_before(fields["before"], ground, start)) if "before" in fields else (), steps=steps,
        checks=tuple(read_wishes(fields["checks"], last)) if "checks" in fields else (),
    )  # fmt: skip


def _calendar(fields: Mapping[str, Node], codebook: Codebook) -> tuple[Calendar, datetime]:
    zone = ZoneInfo(codebook.zone)
    if "zone" in fields:
        try:
            zone = ZoneInfo(fields["zone"].text("zone").strip())
        except (KeyError, ValueError, OSError):
            raise fields["zone"].wrong("there is no such time zone; write America/Guatemala") from None
    start = read_moment(fields["start"], Calendar(zone, date.min + timedelta(days=1)), "start")
    if start.year < 2000:
        raise fields["start"].wrong("start needs its date: 2026-03-10 05:55")
    return Calendar(zone, start.astimezone(zone).date()), start


def _first_ref(fields: Mapping[str, Node], settings: Mapping[str, str]) -> int:
    if "refs_from" not in fields:
        return int(settings.get("ref_start", FIRST_REF))
    node = fields["refs_from"]
    return Node(node.line, node.text("refs_from").strip().upper().removeprefix("R")).number("refs_from")


def _contacts(node: Node, folder: Path, codebook: Codebook) -> Iterator[ContactRow]:
    for item in node.items():
        if isinstance(item.value, str):
            yield from _table(item, folder, codebook)
            continue
        row, problems = parse_row(item.line, read_contact(item), codebook.places)
        if row is None:
            raise item.wrong(f"this contact cannot stand: {'; '.join(problems)}")
        yield row


def _table(node: Node, folder: Path, codebook: Codebook) -> list[ContactRow]:
    """`pack`: the invented people that come with the program; else the path of a CSV file."""
    name = node.text("contacts").strip()
    source = files("gateway.rehearsal").joinpath("contacts.csv") if name == "pack" else folder / name
    try:
        return parse_contacts(source.read_text(encoding="utf-8-sig"), codebook.places)
    except OSError as error:
        raise node.wrong(f"the table of contacts {name!r} cannot be read: {error.strerror}") from error
    except UsageError as error:
        raise node.wrong(f"the table of contacts {name!r} has mistakes: {error}") from error


def _subscriptions(node: Node | None, ground: Ground, hours: str) -> Iterator[Subscribing]:
    """Each for a person or a role. Without any, `digest_hours` of the settings gives all coordinators both ways."""
    if node is None:
        coordinators = [member for member in ground.cast.members if member.role == "coordinator"] if hours else []
        for member in coordinators:
            yield Subscribing(1, member, make_wish("both", hours, "", ground.codebook.places, ground.codebook.zone))
        return
    for item in _spread(node):
        fields = item.fields(SUBSCRIPTION_KEYS, "a subscription", SUBSCRIPTION_OTHERS)
        if "who" not in fields:
            raise item.wrong("a subscription needs who")
        wish = _digest_wish(item, {name: ",".join(value.words(name)) for name, value in fields.items()}, ground, hours)
        yield from (Subscribing(item.line, member, wish) for member in ground.cast.find(fields["who"]))


def _spread(node: Node) -> list[Node]:
    """A list of subscriptions, one alone, or persons with their hours: `{Marta Brito: [06:00, 18:00]}`."""
    if not isinstance(node.value, dict) or "who" in node.value or set(node.value) & set(SUBSCRIPTION_OTHERS):
        return node.items()
    found = []
    for name, value in node.value.items():
        own = value.value if isinstance(value.value, dict) else {"at": value}
        found.append(Node(value.line, {"who": Node(value.line, name), **own}, value.keys))
    return found


def _digest_wish(item: Node, values: dict[str, str], ground: Ground, hours: str) -> DigestWish:
    more = {name: value.strip() for name, value in values.items() if name in SUBSCRIPTION_KEYS[5:]}
    ways = {MAIL_WORDS.get(way.strip(), way.strip()) for way in values.get("by", "both").lower().split(",")}
    try:
        return make_wish(
            "both" if ways == {"email", "sms"} else ",".join(sorted(ways)), values.get("at", hours),
            values.get("places", ""), ground.codebook.places,
            values.get("zone", ground.codebook.zone), codebook=ground.codebook, **more,
        )  # fmt: skip
    except UsageError as error:
        raise item.wrong(f"this subscription cannot stand: {error}") from error
