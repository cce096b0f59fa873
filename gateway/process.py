"""One process from start to end: locks, installation, port, event loop, signals, exit code."""

import asyncio
import gc
import logging
import resource
import signal
import socket
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any

import uvloop

from gateway import install
from gateway.clock import Clock, system_clock
from gateway.errors import VoceroError
from gateway.house import House, open_house
from gateway.http_server import bind
from gateway.logs import configure
from gateway.plan import Reader
from gateway.running import Running
from gateway.sealing import read_key_file
from gateway.settings import Settings

FILES = 65_536
COLLECT_AFTER = (20_000, 20, 50)

_log = logging.getLogger("vocero")


class PortTaken(VoceroError):
    """The address of the web server cannot be had."""


def serve(
    settings: Settings, *, worker: bool = True, pages: bool = True, prepare: Callable[[House], None] | None = None,
    clock: Clock = system_clock, reader: Reader | None = None,
) -> int:  # fmt: skip
    """Serve until SIGTERM or SIGINT; returns 0. `prepare` gets the open house before anything is heard.

    Raises VoceroError (another process serves here, wrong key, port taken), whose `exit_code` is the process'.
    """
    configure(settings.log_level, settings.log_format)
    _allow_many_files()
    with ExitStack() as held:
        _hold(settings, held, ["serve", *(["worker"] if worker else [])])
        install.init(settings, clock)
        listening = held.enter_context(_bound(settings))
        house = _opened(settings, clock, held)
        if prepare is not None:
            prepare(house)
        _run(_life(house, listening, web=True, worker=worker, pages=pages, reader=reader))
    return 0


def work(settings: Settings, *, clock: Clock = system_clock) -> int:
    """Send and tick until SIGTERM or SIGINT; returns 0. Raises VoceroError; makes no installation."""
    configure(settings.log_level, settings.log_format)
    install.check(settings)
    with ExitStack() as held:
        _hold(settings, held, ["worker"])
        _run(_life(_opened(settings, clock, held), None, web=False, worker=True, pages=False, reader=None))
    return 0


def _hold(settings: Settings, held: ExitStack, roles: list[str]) -> None:
    """On SQLite one process a role; on Postgres any number, each a folder or not."""
    if settings.sqlite_path is None:
        return
    if settings.sqlite_path.exists():
        read_key_file(settings.key_path)
    install.prepare_folder(settings)
    for role in roles:
        held.enter_context(install.held(settings, role))


def _opened(settings: Settings, clock: Clock, held: ExitStack) -> House:
    house = open_house(settings, clock)
    held.callback(house.close)
    return house


def _bound(settings: Settings) -> socket.socket:
    try:
        return bind(settings.host, settings.port)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise PortTaken(f"{where} cannot be listened on ({error.strerror}). Set VOCERO_HOST or VOCERO_PORT.") from error


def _run(life: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(life)


async def _life(
    house: House, listening: socket.socket | None, *, web: bool, worker: bool, pages: bool, reader: Reader | None
) -> None:
    running = Running(house, web=web, worker=worker, pages=pages, reader=reader)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.ask_to_stop)
    try:
        await running.start(listening)
        where = f" on {running.base_url}" if listening else ""
        _log.info("ready%s", where, extra={"web": web, "worker": worker})
        settling = asyncio.create_task(settle(running))
        await running.wait()
        settling.cancel()
    finally:
        await running.stop()
        _log.info("stopped")


async def settle(running: Running) -> None:
    """When all is in memory that will stay, keep the garbage collector off it.

    Without this it walks the codebook's tables again and again, a tenth of the intake's time.
    """
    await running.warm.wait()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def _allow_many_files() -> None:
    """Each slow caller costs a descriptor; the soft limit of 1024 is soon used up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
