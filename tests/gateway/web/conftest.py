"""The pages over an office with people, channels and texts."""

from collections.abc import Iterator

import pytest

from gateway.house import House
from tests.gateway.desk import Desk
from tests.gateway.web.site import Browser, Site, open_site


@pytest.fixture
def site(house: House) -> Iterator[Site]:
    made = open_site(house)
    yield made
    made.web.passwords.close()


@pytest.fixture
def admin(site: Site, desk: Desk) -> Browser:
    """A logged-in admin of an office with people in it."""
    return site.logged_in("admin")
