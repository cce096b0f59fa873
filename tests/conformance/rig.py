"""What the suite needs to know of a channel kind: how a text comes in by its real door, and what its provider saw.

A rig tells what its kind cannot show, and why, in `cannot`; everything else is tried. `tests/conformance/rigs/http.py`
is the one to copy.
"""

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from uuid_utils.compat import uuid7

from gateway.channels import CHANNELS

if TYPE_CHECKING:
    import httpx

    from gateway.house import House
    from gateway.running import Running

ANA = "tel:+50255550101"

# What a provider may do to a message, with the error it has to become unless the rig says another.
TROUBLES: Mapping[str, str] = {
    "throttled": "throttled",  # 429 and its kin
    "silent": "unknown_result",  # it took the message and no answer came
    "refused": "refused",  # it will never take this message
    "offline": "offline",  # it was not reached
    "wrong_key": "auth_failed",  # it does not know us
}
HEARING = ("again", "stranger")  # the same delivery comes again; a caller without the secret
ABILITIES = (*TROUBLES, *HEARING, "receipt")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One text on its way in. `sender` is an Address."""

    text: str
    sender: str = ANA
    id: str = field(default_factory=lambda: uuid7().hex)

    @property
    def number(self) -> str:
        return self.sender.partition(":")[2]


@dataclass
class Office:
    """A gateway at work, and a client of its web server."""

    house: "House"
    running: "Running"
    client: "httpx.AsyncClient"


class Rig:
    """One channel and the provider at its other end, which the rig plays. Made anew for each channel."""

    kind: ClassVar[str]
    cannot: ClassVar[Mapping[str, str]] = {}
    """Names of ABILITIES this kind has no way to show, each with the reason."""
    codes: ClassVar[Mapping[str, str]] = {}
    """Where a trouble becomes another error than TROUBLES says."""
    hears: ClassVar[bool] = True
    sends: ClassVar[bool] = True
    fetches: ClassVar[bool] = False
    """A device that comes for its messages: the provider is never called, so that the troubles are not tried."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """Words that stand in secret settings and must be shown nowhere."""
    to: ClassVar[str] = ANA
    names_deliveries: ClassVar[bool] = True
    """The other end gives each delivery a name; without one a repeat is known within seconds only."""
    looks_up: ClassVar[bool] = False
    """After silence it finds out whether the message arrived; others send it again under the same id."""
    brings_parts: ClassVar[bool] = False
    """A long text comes as the parts a phone made of it, each kept as it comes; others join them before."""
    own_name: ClassVar[str | None] = None
    """The only name a channel of this kind can have."""

    def __init__(self, name: str) -> None:
        self.name = self.own_name or name

    def settings(self) -> dict[str, str]:
        """Settings of the channel, secrets among them."""
        return {}

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        """Bring a text to the channel's real door; True when it was acknowledged."""
        raise NotImplementedError

    async def hear_stranger(self, office: Office, delivery: Delivery) -> bool:
        """The same by someone who does not know the secret."""
        raise NotImplementedError

    def sent(self, office: Office) -> list[tuple[str, str]]:
        """Address and text of each message the provider took, in the order they came."""
        raise NotImplementedError

    def set_trouble(self, trouble: str) -> None:
        """The provider is in one of TROUBLES from now on."""
        raise NotImplementedError

    def mend(self) -> dict[str, str]:
        """The trouble is over; the settings under which the provider is found now."""
        raise NotImplementedError

    async def fetch(self, office: Office) -> list[tuple[str, str]]:
        """A device comes for messages: our id and text of each it is given."""
        raise NotImplementedError

    async def report(self, office: Office, message: Any, status: str) -> bool:
        """Tell `status` (sent, delivered, failed) of a row of the outbox; True when it was acknowledged."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the provider."""


def rig_of(kind: str) -> type[Rig]:
    """The rig of a kind; raises ModuleNotFoundError when nobody has made one."""
    module = importlib.import_module(f"tests.conformance.rigs.{kind.replace('-', '_')}")
    rig: type[Rig] = module.RIG
    return rig


def kinds() -> list[str]:
    """Kinds that have a rig; that every kind has one is a test of its own."""
    names = {kind: f"tests.conformance.rigs.{kind.replace('-', '_')}" for kind in CHANNELS}
    return [kind for kind, name in names.items() if importlib.util.find_spec(name) is not None]
