"""The power goes at a random moment, and of all that was written only what was synced is still there."""

import random
import shutil
import time
from pathlib import Path

import pytest

from tests.faults.crew import Callers, Tally, compare, end_all, is_sound, kept, until
from tests.served import Served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

CUTS = 12
CONTROL_CUTS = 3
UNSAFE = ("-m", "tests.faults.unsafe_server")


def cut_power(served: Served, shim: Path, cuts: int) -> tuple[Tally, bool]:
    """Texts come in while the power goes again and again; each start finds the data folder as the disk kept it."""
    data, shadow = served.folder / "data", served.folder / "shadow"
    served.more = {"LD_PRELOAD": str(shim), "PL_ROOT": str(data), "PL_SHADOW": str(shadow)}
    tally, sound = Tally("power loss"), True
    with Callers(served, number=6) as callers:
        for _ in range(cuts):
            shutil.copytree(data, shadow)
            served.start()
            until(lambda: bool(callers.acknowledged), 60)
            time.sleep(random.uniform(0.1, 1.0))
            end_all(served)
            shutil.rmtree(data)
            shadow.rename(data)
            tally.rounds += 1
            shutil.copytree(data, served.folder / "look")
            sound = is_sound(served.folder / "look" / "vocero.db") and sound
            shutil.rmtree(served.folder / "look")
    served.more = {}
    return compare(tally, served, callers.acknowledged), sound


def test_what_was_acknowledged_is_there_after_the_power_went(served: Served, power_loss: Path) -> None:
    tally, sound = cut_power(served, power_loss, CUTS)
    tally.tell()
    assert (tally.lost, tally.doubled) == (0, 0)
    assert sound
    assert tally.acknowledged > 50


def test_the_same_cuts_find_a_server_that_does_not_wait_for_the_disk(served: Served, power_loss: Path) -> None:
    """The control: without its syncs the gateway must be seen losing what it acknowledged."""
    served.command = UNSAFE
    tally, _ = cut_power(served, power_loss, CONTROL_CUTS)
    tally.fault = "power loss, control with synchronous=NORMAL"
    tally.tell()
    assert tally.lost > 0


def test_an_installation_goes_on_serving_from_what_the_disk_kept(served: Served, power_loss: Path) -> None:
    """After the cut a delivery that was acknowledged is known, and its answers go out."""
    cut_power(served, power_loss, 1)
    served.start()
    there = kept(served, "messages")
    again = [
        served.post({"id": one["external_id"], "from": one["from"].removeprefix("tel:"), "text": one["text"]})
        for one in there[:20]
    ]
    assert there
    assert {answer.json()["status"] for answer in again} == {"duplicate"}
    assert served.stop() == 0
    assert len(kept(served, "messages")) == len(there)
