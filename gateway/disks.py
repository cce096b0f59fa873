"""Which disk a folder lies on and whether it is encrypted, as far as Linux tells (/proc, /sys)."""

import os
from pathlib import Path

CRYPT = "CRYPT-"


def disk_of(path: Path) -> tuple[int, int]:
    """Major and minor number of the device."""
    device = path.stat().st_dev
    return os.major(device), os.minor(device)


def is_encrypted(device: tuple[int, int], sysfs: Path = Path("/sys/dev/block")) -> bool | None:
    """Whether dm-crypt lies somewhere under the device; None when it cannot be seen (a container, a network disk)."""
    folder = sysfs / f"{device[0]}:{device[1]}"
    if not folder.exists():
        return None
    return _is_crypt(folder)


def _is_crypt(folder: Path) -> bool:
    """The folder's device, and all it is built of."""
    kind = folder / "dm" / "uuid"
    if kind.exists() and kind.read_text().startswith(CRYPT):
        return True
    below = folder / "slaves"
    slaves = list(below.iterdir()) if below.is_dir() else []
    return bool(slaves) and all(_is_crypt(slave) for slave in slaves)


def open_swaps(swaps: Path = Path("/proc/swaps"), sysfs: Path = Path("/sys/dev/block")) -> list[str]:
    """Swap devices and files that are neither encrypted nor in memory."""
    if not swaps.exists():
        return []
    names = [line.split()[0] for line in swaps.read_text().splitlines()[1:] if line.strip()]
    return [name for name in names if "zram" not in name and not _is_encrypted_swap(Path(name), sysfs)]


def _is_encrypted_swap(path: Path, sysfs: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    device = found.st_rdev or found.st_dev
    return is_encrypted((os.major(device), os.minor(device)), sysfs) is True
