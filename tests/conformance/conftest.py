"""An office at work with channels of one kind, whose other ends are rigs."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from gateway.house import House
from tests.conformance.rig import Office, Rig
from tests.gateway.at_work import add_channel, at_work

Open = Callable[..., AbstractAsyncContextManager[Office]]


@pytest.fixture
def rigs() -> Iterator[list[Rig]]:
    """Every rig a test makes; closed with it."""
    made: list[Rig] = []
    yield made
    for rig in made:
        rig.close()


@pytest.fixture
def opened(house: House, rigs: list[Rig]) -> Open:
    """Start the gateway with a channel for each rig."""

    @asynccontextmanager
    async def start(*these: Rig, worker: bool = False) -> AsyncIterator[Office]:
        for rig in these:
            rigs.append(rig)
            add_channel(house, rig.kind, rig.name, **rig.settings())
        async with at_work(house, worker=worker) as (running, client):
            yield Office(house, running, client)

    return start
