"""The whole system on loopback: a stand-in Zammad, the receiver, the ledger, the workers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.demo.scene import CLOUD, HELPDESK, Scene, TwoDesks, open_scene, open_two_desks
from bridge.policy.places import Address
from bridge.service.accounts import change_account
from tests.e2e.helpers import CARLA


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Acme in Berlin and Maple in Toronto, with one customer each, and no points yet."""
    with open_scene(tmp_path) as scene:
        people_of(scene)
        yield scene


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[TwoDesks]:
    """Acme is a customer in both."""
    with open_two_desks(tmp_path) as desks:
        known = desks.zammad.model.add_organization("Acme GmbH", support_timezone="Europe/Berlin")
        desks.zammad.model.add_customer("Carla", CARLA, "Acme GmbH")
        record = desks.zendesk.model.add_organization("Acme", support_timezone="Europe/Berlin")
        desks.zendesk.model.add_customer("Carla", CARLA, "Acme")
        for link in (f"{HELPDESK}:organization:{known}", f"{CLOUD}:organization:{record}"):
            change_account(desks.bridge, "Acme GmbH", Address(), link)
        yield desks


def people_of(scene: Scene) -> None:
    """Two organisations with a customer each."""
    model = scene.zammad.model
    for name, zone, country in (
        ("Acme GmbH", "Europe/Berlin", "DE"),
        ("Maple Inc", "America/Toronto", "CA"),
    ):
        model.add_organization(name, support_timezone=zone, support_country=country)
    model.add_customer("Carla Customer", "carla@acme.example", "Acme GmbH")
    model.add_customer("Mike Maple", "mike@maple.example", "Maple Inc")
