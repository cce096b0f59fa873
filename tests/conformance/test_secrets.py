"""The secrets of a channel stand sealed in its row, and are told to nobody again: pages, commands, logs, exports."""

import asyncio
import logging
from pathlib import Path

import pytest

from gateway import audit
from gateway.channels import registry
from gateway.cli import main
from gateway.house import House
from tests.conformance.conftest import Open
from tests.conformance.rig import Delivery, Rig, kinds, rig_of
from tests.gateway.web.site import open_site

KEEPERS = [kind for kind in kinds() if rig_of(kind).secrets]
COMMANDS = (("channel", "list"), ("channel", "kinds"), ("doctor",), *(("export", what) for what in (
    "messages", "reports", "outbox", "events",
)))  # fmt: skip


def pages(house: House) -> str:
    site = open_site(house)
    admin = site.logged_in("admin")
    told = [admin.get(path).text for path in ("/channels", "/audit", "/outbox", "/", "/messages")]
    site.web.passwords.close()
    return "\n".join(told)


def commands(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setenv("VOCERO_DATA_DIR", str(house.settings.data_dir))
    if house.settings.database_url:
        monkeypatch.setenv("VOCERO_DATABASE_URL", house.settings.database_url)
    for words in COMMANDS:
        with pytest.raises(SystemExit):
            main(words)
    told = capsys.readouterr()
    return told.out + told.err


async def use(opened: Open, rig: Rig) -> str:
    """A text, a stranger's, and a change of the settings; what the metrics say afterwards."""
    async with opened(rig) as office:
        assert await rig.hear(office, Delivery("inc rob nebaj ayer 2 heridos"))
        if "stranger" not in rig.cannot:
            await rig.hear_stranger(office, Delivery("inc rob nebaj ayer"))
        values = {name: value for name, value in rig.settings().items() if value}
        office.house.writer.write_now(
            lambda conn: registry.change(
                conn, office.house.sealer, name=rig.name, values=values, at=office.house.clock(), actor="test"
            )
        )
        return (await office.client.get("/metrics")).text + repr(office.running.channels.configs())


@pytest.mark.parametrize("kind", KEEPERS)
def test_no_secret_of_a_channel_is_shown_anywhere(
    house: House, opened: Open, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    rig = rig_of(kind)("canal")
    # As a process has it: ours tell all, libraries what is wrong.
    caplog.set_level(logging.WARNING)
    caplog.set_level(logging.DEBUG, "vocero")
    told = {"figures": asyncio.run(use(opened, rig))}
    told["pages"] = pages(house)
    told["audit"] = str(house.read_now(lambda conn: list(conn.execute(audit.AUDIT.select()))))
    told["commands"] = commands(house, monkeypatch, capsys)
    told["logs"] = caplog.text
    told |= files(house.settings.data_dir)
    assert {(place, word) for place, text in told.items() for word in rig.secrets if word in text} == set()
    assert rig.name in told["pages"]
    assert rig.name in told["commands"]


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()}
