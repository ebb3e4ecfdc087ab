"""A Zammad and a Zendesk, one bridge and one ledger."""

from bridge.demo.scene import Scene
from tests.e2e.desks import ZammadDesk, ZendeskDesk
from tests.e2e.helpers import bought, charges, dead, on_hand, opened, sound


def test_one_balance_is_shared_by_both(desks: Scene) -> None:
    """ "It may be known in several helpdesks, and has one balance over all of them." """
    bought(desks, "Acme GmbH", 20)
    zendesk = ZendeskDesk(desks)
    opened(ZammadDesk(desks))
    ticket = opened(zendesk)
    assert (on_hand(desks, "Acme GmbH"), charges(desks, "Acme GmbH")) == (0, 2)
    assert zendesk.shown(ticket, "state") == "charged"
    held = opened(zendesk)
    assert zendesk.shown(held, "state") == "awaiting_points"
    assert sound(desks)
    assert dead(desks) == []
