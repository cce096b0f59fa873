"""Log lines: one JSON object each, to stderr, never with a phone, a text, a query string or a local variable.

Our own loggers say what they mean. Those of libraries are shown from WARNING up, without their arguments and with
anything that could be a number or an address blotted out. An exception is shown by type and place; its message only
when it is one of ours, whose words are fit for an operator.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

from gateway.errors import VoceroError

OURS = "vocero"
FRAMES = 12
_PRIVATE = re.compile(r"[^\s@<>]+@[^\s@<>]+|\+?\d[\d .()-]{5,}\d|\?[^\s]+")
_ROOT = Path(__file__).parent.parent
Event = MutableMapping[str, Any]


def configure(level: str = "info", form: str = "json") -> None:
    """Set up logging for this process; `form` is json or console."""
    last = structlog.dev.ConsoleRenderer(colors=False) if form == "console" else structlog.processors.JSONRenderer()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_blot_out, structlog.stdlib.ExtraAdder(allow=None), _drop_foreign_extras],
        processors=[
            _named, structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"), _show_exception,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta, last,
        ],
    )  # fmt: skip
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "mail.log", "apscheduler", "httpx", "twilio"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name == OURS or record.name.startswith(f"{OURS}.")


def _blot_out(_logger: Any, _method: str, event: Event) -> Event:
    """Foreign messages lose their arguments: a library does not know what is private here."""
    record: logging.LogRecord = event["_record"]
    if not _is_ours(record):
        event["event"] = _PRIVATE.sub("#", str(record.msg))
    return event


def _drop_foreign_extras(_logger: Any, _method: str, event: Event) -> Event:
    if _is_ours(event["_record"]):
        return event
    return {key: value for key, value in event.items() if key.startswith("_") or key in ("event", "exc_info")}


def _named(_logger: Any, _method: str, event: Event) -> Event:
    record: logging.LogRecord = event["_record"]
    event["level"] = record.levelname.lower()
    event["logger"] = record.name
    if record.exc_info and "exc_info" not in event:
        event["exc_info"] = record.exc_info
    return event


def _show_exception(_logger: Any, _method: str, event: Event) -> Event:
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["exception"] = describe(error)
    return event


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
