"""Everything that can end a try at sending. Each class is a row of facts, and the facts are acted on.

    SendError                        code            retry  attempt  channel
    ├── Offline                      offline         yes    no       pauses, probes      never reached the provider
    │   ├── CaptivePortal            captive_portal                                      a web page answered instead
    │   └── Insecure                 insecure                                            TLS missing or not trusted
    ├── Throttled                    throttled       yes    no       pauses              the provider says: slower
    ├── AuthFailed                   auth_failed     yes    no       stops, alarm        key or password refused
    ├── Misconfigured                misconfigured   yes    no       stops, alarm        settings the provider refuses
    ├── Unavailable                  unavailable     yes    yes      pauses              the provider is in trouble
    ├── Deferred                     deferred        yes    yes      goes on             not this message, not now
    ├── UnknownResult                unknown_result  yes    yes      goes on             handed over, no answer heard
    └── Final                        (below)         no     yes      goes on             this message will never go
        ├── InvalidAddress           invalid_address
        ├── OptedOut                 opted_out
        ├── Refused                  refused
        ├── TooLong                  too_long
        └── Unsupported              unsupported

`str()` is fit for an operator: it names no address and no text. `detail` holds small facts for the record of the try
(`status`, `provider_code`), under the same rule.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Literal

Effect = Literal["none", "pause", "stop"]
Detail = Mapping[str, str | int | float | bool | None]


class SendError(Exception):
    """Base of all. `retry`: may go again. `uses_attempt`: counts as a try. `effect`: what it means for the channel."""

    code: ClassVar[str] = "error"
    retry: ClassVar[bool] = True
    uses_attempt: ClassVar[bool] = True
    effect: ClassVar[Effect] = "none"
    summary: ClassVar[str] = "The message could not be sent."

    def __init__(self, *, retry_after: timedelta | None = None, detail: Detail | None = None) -> None:
        super().__init__(self.summary)
        self.retry_after = retry_after
        self.detail: Detail = dict(detail or {})


class Offline(SendError):
    """The provider was not reached, so it cannot hold the message."""

    code = "offline"
    uses_attempt = False
    effect = "pause"
    summary = "There is no connection to the provider. Messages wait."


class CaptivePortal(Offline):
    """Something answered that is not the provider, such as the log-in page of a Wi-Fi network."""

    code = "captive_portal"
    summary = "The network answered with a page of its own. Log in to the network; messages wait."


class Insecure(Offline):
    """An encrypted connection was asked for and could not be made: nothing was handed over."""

    code = "insecure"
    summary = "The connection is not secure: encryption is missing or the certificate is not trusted. Messages wait."


class Throttled(SendError):
    """The provider asks to be asked more slowly; `retry_after` says how long, when it told."""

    code = "throttled"
    uses_attempt = False
    effect = "pause"
    summary = "The provider asks to send more slowly. Messages wait."


class AuthFailed(SendError):
    """The provider refuses our key or password: the channel stops until someone corrects it."""

    code = "auth_failed"
    uses_attempt = False
    effect = "stop"
    summary = "The provider refuses the key or password. Correct the channel's settings; messages wait."


class Misconfigured(SendError):
    """The provider refuses a setting of the channel, such as its sender number: no message of it can go."""

    code = "misconfigured"
    uses_attempt = False
    effect = "stop"
    summary = "The provider refuses a setting of the channel. Correct it; messages wait."


class Unavailable(SendError):
    """The provider answered that it cannot serve now."""

    code = "unavailable"
    effect = "pause"
    summary = "The provider is in trouble. The message will be tried again."


class Deferred(SendError):
    """The provider will not take this message now and may take it later."""

    code = "deferred"
    summary = "The provider put the message off. It will be tried again."


class UnknownResult(SendError):
    """The message was handed over and no answer was heard: the provider may hold it."""

    code = "unknown_result"
    summary = "The provider did not say whether it took the message. It will be looked up or tried again."


class Final(SendError):
    """The message will never go as it is; an admin may correct the cause and try again."""

    code = "failed"
    retry = False
    summary = "The provider will not take the message."


class InvalidAddress(Final):
    code = "invalid_address"
    summary = "The address does not exist or cannot receive messages."


class OptedOut(Final):
    code = "opted_out"
    summary = "The person asked not to receive messages."


class Refused(Final):
    code = "refused"
    summary = "The provider refuses the message."


class TooLong(Final):
    code = "too_long"
    summary = "The message is longer than the channel can carry."


class Unsupported(Final):
    code = "unsupported"
    summary = "The channel cannot reach this kind of address."
