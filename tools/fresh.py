"""What a newcomer does: clone, type the README's two commands, and open the page. Prints how long each step took.

    python tools/fresh.py

The commands are taken from the first shell block of README.md, with REPOSITORY replaced by this folder. Only what is
committed is seen. The environment variable FRESH_LIMIT_S (default 600) bounds the wait for the first page.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = float(os.environ.get("FRESH_LIMIT_S", "600"))
SHELL_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
SETUP_LINK = re.compile(r"https?://\S+/setup\S*")


def readme_commands() -> str:
    found = SHELL_BLOCK.search((ROOT / "README.md").read_text())
    if found is None or "REPOSITORY" not in found[1]:
        sys.exit("README.md has no shell block that clones REPOSITORY.")
    return found[1].replace("REPOSITORY", f"'{ROOT}'")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def wait_for(url: str, process: subprocess.Popen[str], log: Path) -> None:
    end = time.monotonic() + LIMIT
    while not answers(url):
        if process.poll() is not None:
            sys.exit(f"`make run` ended with exit code {process.returncode}:\n{log.read_text()}")
        if time.monotonic() > end:
            sys.exit(f"No page within {LIMIT:.0f} s:\n{log.read_text()}")
        time.sleep(0.1)


def stop(process: subprocess.Popen[str]) -> None:
    """Ask the whole group to end, as a terminal's Ctrl-C does; what has not ended after 20 s is killed."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        sys.exit("`make run` did not stop within 20 s.")


def environment_without_ours() -> dict[str, str]:
    """Neither settings of another installation nor the flags of the make that runs this."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("VOCERO_", "MAKE", "MFLAGS"))}


def main() -> None:
    port = free_port()
    page = f"http://127.0.0.1:{port}/healthz"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "output")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("VOCERO_", "MAKE", "MFLAGS"))
        }
        environment |= {"VOCERO_PORT": str(port), "PYTHONUNBUFFERED": "1"}
        started = time.monotonic()
        with log.open("w") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-ec", readme_commands()],
                cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True, text=True,
            )  # fmt: skip
            try:
                wait_for(page, process, log)
                seconds = time.monotonic() - started
            finally:
                stop(process)
        link = SETUP_LINK.search(log.read_text())
        if link is None:
            sys.exit(f"`make run` printed no setup link:\n{log.read_text()}")
        print(f"From clone to first page: {seconds:.1f} s")


if __name__ == "__main__":
    main()
