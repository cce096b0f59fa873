"""The command `vocero`. Each command imports what it needs when it runs, so that help and `read` start at once."""

import sys
from collections.abc import Sequence

from gateway.cli.support import run


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code: 0 done, 1 failed, 2 usage, 3 key or schema."""
    from gateway.cli.commands import app

    sys.exit(run(app, list(sys.argv[1:] if arguments is None else arguments)))
