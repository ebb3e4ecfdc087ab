"""Test tickets in Zammad, one event after the other, to see that each one reaches the bridge."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.adapters.provisioning import TRIAL_TITLE, Trial
from bridge.adapters.resources import Json
from bridge.adapters.zammad.setup.admin import ZammadAdmin
from bridge.adapters.zammad.setup.groups import Member
from bridge.adapters.zammad.setup.layout import TRIGGER_PREFIX
from bridge.errors import HelpdeskRefused

_UNGUARDED = frozenset({"created", "merged", "received a merge"})


def zammad_trials(
    admin: ZammadAdmin, actor: Member, bridge: Member, closed_state_id: int
) -> tuple[Trial, ...]:
    """A trial for each of our triggers, on a ticket whose customer is the bridge's own user.

    It has no organisation, so the ticket costs nobody points. It is the actor's own: by Zammad's
    usual settings nobody else is mailed about it, but for what the bridge tells its own user.

    Args:
        admin: makes the changes.
        actor: the user of `admin`; the bridge's own changes do not fire the guarded triggers.
        bridge: the bridge's user.
        closed_state_id: an active state that means closed.

    Raises:
        HelpdeskRefused: one of the users belongs to an organisation, or may work in no group.
    """
    if bridge.organization_id is not None or actor.organization_id is not None:
        raise HelpdeskRefused(
            "the bridge's user and that of the setup token must be in no organisation: a test"
            " ticket would cost it points"
        )
    if not actor.full_in:
        raise HelpdeskRefused("the setup token's user has full access to no group")
    on = _Rehearsal(admin, actor, bridge, closed_state_id)
    acts: dict[str, Callable[[], str]] = {
        "created": on.create,
        "customer article": lambda: on.write("Customer"),
        "agent article": lambda: on.write("Agent"),
        "customer changed": lambda: on.change({"customer_id": actor.id}),
        "state changed": on.close,
        "merged": on.merge_another,
        "received a merge": on.merged,
    }
    same = "the setup token is the bridge's own user's, whose changes fire no such trigger"
    tried = (
        Trial(TRIGGER_PREFIX + name, act, opened=on.opened)
        if name in _UNGUARDED or actor.id != bridge.id
        else Trial(TRIGGER_PREFIX + name, reason=same)
        for name, act in acts.items()
    )
    without = "a test ticket is of no organisation, so that it costs nobody points"
    return (*tried, Trial(f"{TRIGGER_PREFIX}organization changed", reason=without))


@dataclass
class _Rehearsal:
    """The test ticket that the trials share."""

    admin: ZammadAdmin
    actor: Member
    bridge: Member
    closed_state_id: int
    ticket: Json = field(default_factory=dict)
    has_merged: bool = False
    opened: list[str] = field(default_factory=list)

    def create(self) -> str:
        self.ticket = self._new()
        return str(self.ticket["id"])

    def test_ticket(self) -> str:
        if not self.ticket:
            raise HelpdeskRefused("there is no test ticket: it could not be created")
        return str(self.ticket["id"])

    def write(self, sender: str) -> str:
        # A note is never mailed, and public it is an article like any other.
        article = {"body": TRIAL_TITLE, "type": "note", "sender": sender, "internal": False}
        return self.change({"article": article})

    def change(self, change: Json) -> str:
        self.admin.update("tickets", self.test_ticket(), change)
        return self.test_ticket()

    def close(self) -> str:
        return self.change({"state_id": self.closed_state_id})

    def merge_another(self) -> str:
        self.close()
        source = str(self._new()["id"])
        answer = self.admin.put(f"ticket_merge/{source}/{self.ticket['number']}", {})
        if answer.get("result") != "success":
            raise HelpdeskRefused(
                f"Zammad does not merge the test tickets {source}, {self.test_ticket()}"
            )
        self.has_merged = True
        return source

    def merged(self) -> str:
        """The other side of the same merge: where there was none, nothing comes of it."""
        if not self.has_merged:
            raise HelpdeskRefused("the merge of the test tickets did not come about")
        return self.test_ticket()

    def _new(self) -> Json:
        article = {"body": TRIAL_TITLE, "type": "note", "internal": True}
        group, customer = min(self.actor.full_in), self.bridge.id
        spec = {
            "title": TRIAL_TITLE,
            "group_id": group,
            "customer_id": customer,
            "owner_id": self.actor.id,
            "article": article,
        }
        ticket = self.admin.create("tickets", spec)
        self.opened.append(str(ticket["id"]))
        return ticket
