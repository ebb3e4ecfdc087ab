"""The whole system on loopback: stand-ins of helpdesks, the receiver, the ledger, the workers."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from bridge.demo.scene import CLOUD, HELPDESK, ZAMMAD, ZENDESK, Box, Scene, Stand, open_scene
from bridge.service.accounts import AccountChange, change_account
from tests.e2e.desks import DESKS, Desk, ZammadDesk, ZendeskDesk
from tests.e2e.helpers import CARLA, MIKE

Opens = Callable[..., AbstractContextManager[Scene]]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Box]:
    """A stand-in of each vendor that our own set-up has been in, to be copied."""
    with open_scene(tmp_path_factory.mktemp("made"), ZAMMAD, ZENDESK) as scene:
        return dict(scene.boxes)


@pytest.fixture
def opens(tmp_path: Path, migrated: Path, made_once: dict[str, Box]) -> Opens:
    """Opens a scene of some vendors, with copies of what takes long to make.

    Our set-up is run all the same: what it finds is told of the receiver's new address.
    """
    shutil.copy(migrated, tmp_path / "points-bridge.db")

    def opened(*stands: Stand) -> AbstractContextManager[Scene]:
        copies = [replace(one, make=made_once[one.name].copy) for one in stands]
        return open_scene(tmp_path, *copies)

    return opened


@pytest.fixture(params=DESKS, ids=lambda kind: kind.__name__)
def desk(request: pytest.FixtureRequest, opens: Opens) -> Iterator[Desk]:
    """Either helpdesk: Acme in Berlin and Maple in Toronto, a customer each, and no points yet."""
    kind: type[Desk] = request.param
    with opens(kind.stand) as scene:
        yield inhabited(kind(scene))


@pytest.fixture
def zammad(opens: Opens) -> Iterator[ZammadDesk]:
    """A Zammad with the same people, for what is so in Zammad alone."""
    with opens(ZAMMAD) as scene:
        yield inhabited(ZammadDesk(scene))


@pytest.fixture
def zendesk(opens: Opens) -> Iterator[ZendeskDesk]:
    """A Zendesk with the same people, for what is so in Zendesk alone."""
    with opens(ZENDESK) as scene:
        yield inhabited(ZendeskDesk(scene))


@pytest.fixture
def desks(opens: Opens) -> Iterator[Scene]:
    """Both helpdesks; Acme is a customer in both."""
    with opens(ZAMMAD, ZENDESK) as desks:
        berlin = {"support_timezone": "Europe/Berlin"}
        known = ZammadDesk(desks).adds("Acme GmbH", ("Carla", CARLA), **berlin)
        record = ZendeskDesk(desks).adds("Acme", ("Carla", CARLA), **berlin)
        for link in (f"{HELPDESK}:organization:{known}", f"{CLOUD}:organization:{record}"):
            change_account(desks.bridge, "Acme GmbH", AccountChange(link=link, new=True, take=True))
        yield desks


D = TypeVar("D", bound=Desk)


def inhabited(desk: D) -> D:
    """Two organisations with a customer each."""
    for name, person, zone, country in (
        ("Acme GmbH", ("Carla Customer", CARLA), "Europe/Berlin", "DE"),
        ("Maple Inc", ("Mike Maple", MIKE), "America/Toronto", "CA"),
    ):
        desk.adds(name, person, support_timezone=zone, support_country=country)
    return desk
