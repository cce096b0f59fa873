"""The phone in the browser: what it writes comes through its page, what it gets is read from the outbox."""

from typing import TYPE_CHECKING

from gateway.channels.base import ChannelConfig, Kind, Surroundings

if TYPE_CHECKING:
    from outbox.senders.base import Sender


def make_sender(config: ChannelConfig, _around: Surroundings) -> "Sender | None":
    from outbox.senders.simulator import SimulatorSender

    return SimulatorSender(config.config, config.secrets)


KIND = Kind("simulator", "Simulator", make_sender=make_sender)
