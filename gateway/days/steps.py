"""The steps of a day file: `at`, one thing that happens, and what is expected of it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.days.acts import ACTS
from gateway.days.cast import Member
from gateway.days.lines import Node, as_key
from gateway.days.model import HTTP, MAIL, MODEM, Act, Action, Outage, Power, Step, Text, Tick, Via
from gateway.days.moments import read_moment, read_span
from gateway.days.wishes import WISHES, Ground, read_wishes

ACTIONS = ("text", "outage", "power", "tick", "admin")
STEP_KEYS = ("at", *ACTIONS, "expect", "note")
TEXT_KEYS = ("from", "via", "body", "raw", "part", "subject", "id", "arrives", "note")
VIAS: Mapping[str, Via] = {
    "modem": "modem", "sms": "modem", "phone": "modem", "http": "http", "email": "email", "mail": "email",
    "e-mail": "email",
}  # fmt: skip
_NUMBER = re.compile(r"\d{1,3}", re.ASCII)
CHANNELS = {
    "internet": MAIL,
    "mail": MAIL,
    "email": MAIL,
    "e-mail": MAIL,
    "smtp": MAIL,
    "modem": MODEM,
    "sms": MODEM,
    "http": HTTP,
}


def read_steps(node: Node, ground: Ground, start: datetime) -> tuple[Step, ...]:
    """The steps in their order. Raises DayError, also when one stands before the one above it."""
    steps: list[Step] = []
    calendar = ground.calendar.after(start)
    for number, item in enumerate(node.items()):
        fields = item.fields((*STEP_KEYS, *WISHES), "a step", {"expects": "expect"})
        if "at" not in fields and "tick" not in fields:
            raise item.wrong("a step needs its time, such as `at: 06:12`")
        at = read_moment(fields["at"], calendar) if "at" in fields else calendar.before or start
        if calendar.before is not None and at < calendar.before:
            raise fields["at"].wrong(
                f"{fields['at'].value} is before the step above ({calendar.shown(calendar.before)}); a later day is"
                " written +1d 08:30"
            )
        calendar = calendar.after(at)
        here = replace(ground, calendar=calendar)
        wishes = read_wishes(fields["expect"], here) if "expect" in fields else []
        beside = {name: fields[name] for name in WISHES if name in fields}
        wishes += read_wishes(Node(item.line, beside), here) if beside else []
        steps.append(Step(number, item.line, at, _read_action(item, fields, here), tuple(wishes)))
    return tuple(steps)


def _read_action(item: Node, fields: Mapping[str, Node], ground: Ground) -> Action | None:
    found = [name for name in ACTIONS if name in fields]
    if len(found) > 1:
        raise item.wrong(f"a step does one thing; this one has {' and '.join(found)}")
    if not found:
        return None
    node = fields[found[0]]
    if found[0] == "text":
        return read_text(node, ground)
    if found[0] == "outage":
        return _read_outage(node, ground)
    if found[0] == "power":
        return Power(_read_power(node))
    if found[0] == "tick":
        return _read_tick(node, ground)
    return read_act(node)


def read_text(node: Node, ground: Ground) -> Text:
    """`text {from, via, body|raw, part, subject, id, arrives}`."""
    fields = node.fields(TEXT_KEYS, "text", {"text": "body", "sender": "from"})
    if "from" not in fields or ("body" in fields) == ("raw" in fields):
        raise node.wrong("a text needs `from`, and either `body` or `raw`")
    sender = ground.cast.one(fields["from"])
    via = _via(fields.get("via"), sender)
    scheme = "mailto" if via == "email" else "tel"
    if sender.address(scheme) is None:
        raise fields["from"].wrong(f"{sender.name} has no {'mail address' if via == 'email' else 'phone'} to send from")
    body = fields["raw"].text("raw") if "raw" in fields else fields["body"].text("body").strip("\n")
    return Text(
        sender, via, body, "raw" in fields, _read_part(fields["part"]) if "part" in fields else None,
        fields["subject"].text("subject") if "subject" in fields else "",
        fields["id"].text("id") if "id" in fields else None,
        read_moment(fields["arrives"], ground.calendar, "arrives") if "arrives" in fields else None,
    )  # fmt: skip


def _via(node: Node | None, sender: Member) -> Via:
    if node is None:
        return "modem" if sender.address("tel") else "email"
    via = VIAS.get(node.text("via").strip().lower())
    if via is None:
        raise node.wrong(f"via must be modem, http or email, not {node.text()!r}")
    return via


def _read_part(node: Node) -> tuple[str, int, int]:
    """`2/2`, `2 of 2`, `[2, 2]`, `[a, 2, 2]` or `{n: 2, of: 2, ref: a}`."""
    reference = "1"
    if isinstance(node.value, dict):
        others = {"seq": "n", "number": "n", "part": "n", "total": "of", "m": "of", "id": "ref"}
        fields = node.fields(("n", "of", "ref"), "part", others)
        numbers = [fields[name].number(name) for name in ("n", "of") if name in fields]
        reference = fields["ref"].text("ref") if "ref" in fields else reference
    elif isinstance(node.value, list):
        reference = node.value[0].text("part") if len(node.value) == 3 else reference
        numbers = [item.number("part") for item in node.value[-2:]]
    else:
        numbers = [int(digits) for digits in _NUMBER.findall(node.value)]
    if len(numbers) != 2 or not 1 <= numbers[0] <= numbers[1]:
        raise node.wrong("a part is written 2/2: which one, of how many")
    return reference, numbers[0], numbers[1]


def _read_outage(node: Node, ground: Ground) -> Outage:
    fields = node.fields(("channel", "until", "for"), "outage")
    if "channel" not in fields or ("until" in fields) == ("for" in fields):
        raise node.wrong("an outage needs its channel, and until when or for how long")
    channel = CHANNELS.get(fields["channel"].text("channel").strip().lower())
    if channel is None:
        raise fields["channel"].wrong(f"channel must be {MAIL}, {MODEM} or {HTTP}")
    begin = ground.calendar.before
    assert begin is not None
    until = read_moment(fields["until"], ground.calendar, "until") if "until" in fields else None
    until = until or begin + read_span(fields["for"], "for")
    if until <= begin:
        raise node.wrong("an outage must end after it begins")
    return Outage(channel, until)


def _read_tick(node: Node, ground: Ground) -> Tick:
    to = node.fields(("to",), "tick").get("to") if isinstance(node.value, dict) else node
    if to is None:
        raise node.wrong("a tick needs the time to go to")
    moment = read_moment(to, ground.calendar, "to")
    if ground.calendar.before is not None and moment < ground.calendar.before:
        raise node.wrong("a tick goes forward in time")
    return Tick(moment)


def _read_power(node: Node) -> timedelta:
    """`power {off_for: 2m}`, or the length alone."""
    others = {"for": "off_for", "off": "off_for"}
    value = node.fields(("off_for",), "power", others).get("off_for") if isinstance(node.value, dict) else node
    if value is None:
        raise node.wrong("power needs off_for, such as 2m")
    return read_span(value, "off_for")


def read_act(node: Node) -> Act:
    """`admin {do, ...}`: one of ACTS with its values."""
    do = node.mapping("admin").get("do")
    if do is None or as_key(do.text("do")) not in ACTS:
        raise node.wrong(f"admin needs `do`, one of {', '.join(ACTS)}")
    name = as_key(do.text("do"))
    fields = node.fields(("do", *ACTS[name].takes), f"admin {name}", ACTS[name].others)
    missing = [key for key in ACTS[name].needs if key not in fields]
    if missing:
        raise node.wrong(f"admin {name} needs {', '.join(missing)}")
    return Act(node.line, name, {key: value for key, value in fields.items() if key != "do"})
