"""The terminal, for who has no modem and no phone yet: `vocero say` writes a text, and its answer is printed there."""

from typing import TYPE_CHECKING

from gateway.channels.base import ChannelConfig, Kind, Surroundings

if TYPE_CHECKING:
    from outbox.senders.base import Sender


def make_sender(config: ChannelConfig, _around: Surroundings) -> "Sender | None":
    from outbox.senders.console import ConsoleSender

    return ConsoleSender(config.config, config.secrets)


KIND = Kind("console", "Terminal", make_sender=make_sender)
