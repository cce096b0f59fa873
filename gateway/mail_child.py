"""The process that opens mail: it holds no key, no database and no network, and may be ended at any moment.

Over its pipes: the length of a mail and of our address (8 and 4 bytes), then the address and the mail; back come the
length and the JSON of `parsers.mail_tables`.
"""

import resource
import signal
import struct
import sys
from typing import BinaryIO

from parsers.mail_tables import dump, open_mail

MEMORY = 512 * 1024 * 1024
CPU_S = 10
HEAD = struct.Struct(">QI")
LENGTH = struct.Struct(">Q")


def main() -> None:
    """Open one mail after another until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):  # fmt: skip
        resource.setrlimit(limit, (most, most))
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(HEAD.size):
        _grant_time()
        size, own_size = HEAD.unpack(head)
        own = _exactly(source, own_size).decode()
        answer = dump(open_mail(_exactly(source, size), own))
        target.write(LENGTH.pack(len(answer)) + answer)
        target.flush()


def _grant_time() -> None:
    """Processor time for one more mail; who needs more is ended by the kernel."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    until = int(usage.ru_utime + usage.ru_stime) + CPU_S
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _exactly(source: BinaryIO, size: int) -> bytes:
    found = source.read(size)
    if len(found) != size:
        raise SystemExit(1)
    return found


if __name__ == "__main__":
    main()
