"""Kannel, the SMS gateway: the `http` channel in its dialect, with the few settings that are ours to choose."""

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.channels import checks, http, pasting
from gateway.channels.base import ChannelConfig, Kind, Spec, Surroundings

if TYPE_CHECKING:
    from outbox.senders.base import Sender


def spoken(config: ChannelConfig) -> ChannelConfig:
    """The channel as one of kind `http` that speaks Kannel's dialect."""
    return replace(config, config={**config.config, "dialect": "kannel"})


def make_door(config: ChannelConfig) -> http.HttpDoor:
    return http.HttpDoor(spoken(config))


def make_sender(config: ChannelConfig, around: Surroundings) -> "Sender | None":
    return http.make_sender(spoken(config), around)


KIND = Kind(
    "kannel", "Kannel",
    settings=(
        Spec("token", "long random secret that stands in Kannel's get-url", required=True, secret=True,
             check=checks.secret),
        Spec("send_url", "address of sendsms, such as http://127.0.0.1:13013/cgi-bin/sendsms", check=checks.http_url),
        Spec("username", "username of Kannel's sendsms-user"),
        Spec("password", "password of Kannel's sendsms-user", secret=True, check=checks.secret),
        Spec("from", "number or name that answers are sent from", check=checks.sms_sender),
    ),
    make_door=make_door,
    make_sender=make_sender,
    paste=pasting.kannel,
)  # fmt: skip
