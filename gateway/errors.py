"""Everything that can go wrong in the gateway, each saying what the caller can do.

VoceroError
├── UsageError            the person asked for something that cannot be done      exit 2, HTTP 400
│   ├── NotFound          no such thing                                           exit 1, HTTP 404
│   └── Conflict          it is there already, or changed meanwhile               exit 1, HTTP 409
├── Refused               not allowed                                             exit 1, HTTP 403
├── Busy                  too much waits, or the disk is nearly full: try again   HTTP 503 + Retry-After
├── AlreadyRunning        another process holds this data folder                  exit 1
└── SetupError            the installation must be put right first                exit 3
    ├── KeyFileMissing, KeyFileBroken, WrongKey, DatabaseDamaged
    └── SchemaTooOld, SchemaTooNew
"""

from pathlib import Path


class VoceroError(Exception):
    """Base of all. `str()` is fit to be shown to an operator: it names no person and no text."""

    exit_code = 1


class UsageError(VoceroError):
    exit_code = 2


class NotFound(UsageError):
    exit_code = 1


class Conflict(UsageError):
    exit_code = 1


class Refused(VoceroError):
    """The caller may not do this."""


class Busy(VoceroError):
    """Nothing was kept; the caller should try again after `retry_after` seconds."""

    def __init__(self, reason: str, retry_after: int = 5) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class AlreadyRunning(VoceroError):
    """Another process serves the same data folder."""


class SetupError(VoceroError):
    exit_code = 3


class KeyFileMissing(SetupError):
    def __init__(self, path: Path) -> None:
        super().__init__(f"The key file {path} is missing. Bring it back from its backup: without it nothing opens.")


class KeyFileBroken(SetupError):
    def __init__(self, path: Path) -> None:
        super().__init__(f"The key file {path} cannot be read. Bring back an undamaged copy from its backup.")


class WrongKey(SetupError):
    def __init__(self) -> None:
        super().__init__("This database was sealed with another key. Set VOCERO_KEY_FILE to the key it was made with.")


class DatabaseDamaged(SetupError):
    def __init__(self, path: Path | None) -> None:
        super().__init__(
            f"The database {path} is damaged. Move it aside, do not delete it, and bring back a backup with"
            " `vocero restore FILE`."
        )


class SchemaTooOld(SetupError):
    def __init__(self) -> None:
        super().__init__("The database has an older schema. Run `vocero migrate` first.")


class SchemaTooNew(SetupError):
    def __init__(self) -> None:
        super().__init__(
            "The database was made by a newer version of Vocero. Install that version or restore a backup."
        )
