"""Files that must outlive a power cut. Imports nothing heavy: the supervisor uses it."""

import os
from pathlib import Path


def flush_directory(path: Path) -> None:
    """fsync a folder, so that a rename or a new file in it outlives a power cut."""
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
