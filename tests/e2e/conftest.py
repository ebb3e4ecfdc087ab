"""The whole system on loopback: a stand-in Zammad, the receiver, the ledger, the workers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.cli.scene import Scene, open_scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Acme in Berlin and Maple in Toronto, with one customer each, and no points yet."""
    with open_scene(tmp_path) as scene:
        people_of(scene)
        yield scene


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
