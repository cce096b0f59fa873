"""Log lines: one JSON object each, to stderr, never with a phone, a text, a query string or a local variable.

Our own loggers say what they mean. Those of libraries are shown from WARNING up, without their arguments and with
anything that could be a number or an address blotted out. An exception is shown by type and place; its message only
when it is one of ours, whose words are fit for an operator.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from gateway.errors import VoceroError

OURS = "vocero"
FRAMES = 12
LOUD = ("uvicorn", "uvicorn.error", "uvicorn.access", "mail.log", "apscheduler", "httpx", "twilio")
_PRIVATE = re.compile(r"[^\s@<>]+@[^\s@<>]+|\+?\d[\d .()-]{5,}\d|\?[^\s]+")
_ROOT = Path(__file__).parent.parent
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(level: str = "info", form: str = "json") -> None:
    """Set up logging for this process; `form` is json or console."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ConsoleLines() if form == "console" else JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level.upper())
    for name in LOUD:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


class JsonLines(logging.Formatter):
    """One object a line: at, level, logger, event, then what a logger of ours gave as extra."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(fields(record), ensure_ascii=False, default=str)


class ConsoleLines(logging.Formatter):
    """For a person at a terminal; control characters are shown, not obeyed."""

    def format(self, record: logging.LogRecord) -> str:
        told = fields(record)
        at, level, event = str(told.pop("at"))[11:19], told.pop("level"), told.pop("event")
        more = " ".join(f"{name}={value}" for name, value in told.items() if name != "logger")
        return f"{at} {level:7} {event} {more}".rstrip().encode("unicode_escape").decode("ascii")


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What is told of a record. A library does not know what is private here, so its arguments are left out."""
    ours = record.name == OURS or record.name.startswith(f"{OURS}.")
    told: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": record.getMessage() if ours else _PRIVATE.sub("#", str(record.msg)),
    }
    if ours:
        told |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        told["exception"] = describe(error)
    return told


def describe(error: BaseException) -> list[dict[str, Any]]:
    """Types and places of an exception and its causes, innermost frame last; no values."""
    chain: list[dict[str, Any]] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen and len(chain) < 5:
        seen.add(id(error))
        one: dict[str, Any] = {"type": type(error).__name__, "frames": _frames(error.__traceback__)}
        if isinstance(error, VoceroError):
            one["words"] = str(error)
        chain.append(one)
        following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if following is None:
            break
        error = following
    return chain


def _frames(traceback: TracebackType | None) -> list[str]:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        path = Path(code.co_filename)
        name = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path.name
        frames.append(f"{name}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-FRAMES:]
