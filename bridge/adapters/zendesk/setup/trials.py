"""Test tickets in Zendesk, one event after the other, to see that each one reaches the bridge."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.adapters.provisioning import TRIAL_TITLE, Trial
from bridge.adapters.resources import Json
from bridge.adapters.zendesk.setup.admin import Me, ZendeskAdmin
from bridge.errors import HelpdeskRefused, HelpdeskUnavailable

_POLLS, _POLL_SECONDS = 60, 0.5
_NO_EVENTS = "Zendesk has no webhook of ours for events"
_HARMFUL = {
    "ticket.marked_as_spam": "it would suspend the requester",
    "ticket.permanently_deleted": "it could not be undone",
}


def zendesk_trials(
    admin: ZendeskAdmin,
    *,
    bridge: Me,
    actor: Me,
    events: bool,
    sleep: Callable[[float], None],
) -> tuple[Trial, ...]:
    """A trial for each trigger and each event, on a ticket whose requester is the bridge's user.

    It has no organisation, so the ticket costs nobody points.

    Args:
        admin: makes the changes.
        bridge: the bridge's user.
        actor: the user of `admin`, who solves the ticket.
        events: whether the webhook for events is there.
        sleep: waits so many seconds, for Zendesk's background jobs.

    Raises:
        HelpdeskRefused: the bridge's user belongs to an organisation.
    """
    if bridge.organization_id is not None:
        raise HelpdeskRefused(
            "the bridge's user must be in no organisation: a test ticket would cost it points"
        )
    on = _Rehearsal(admin, bridge, actor, sleep)
    hand = "write an internal note on ticket {ticket} in Zendesk's own pages"
    acts = {
        "ticket.merged": on.merge_another,
        "ticket.soft_deleted": on.delete,
        "ticket.undeleted": on.restore,
    }
    told = [Trial(event, act, opened=on.opened) for event, act in acts.items()]
    told += [
        Trial(event, reason=f"{why}; the webhook is that of the other events")
        for event, why in _HARMFUL.items()
    ]
    return (
        Trial("created", on.create, opened=on.opened),
        Trial("changed", on.test_ticket, by_hand=hand),
        *(told if events else [Trial(one.event, reason=_NO_EVENTS) for one in told]),
    )


@dataclass
class _Rehearsal:
    """The test ticket that the trials share."""

    admin: ZendeskAdmin
    bridge: Me
    actor: Me
    sleep: Callable[[float], None]
    ticket: Json = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)

    def create(self) -> str:
        self.ticket = self._new()
        return self.test_ticket()

    def test_ticket(self) -> str:
        if not self.ticket:
            raise HelpdeskRefused("there is no test ticket: it could not be created")
        return str(self.ticket["id"])

    def merge_another(self) -> str:
        target, source = self.test_ticket(), self._new()["id"]
        answer = self.admin.call("POST", f"tickets/{target}/merge", {"ids": [source]})
        self._await(answer)
        return str(source)

    def delete(self) -> str:
        """Solved before: the bridge sees that when it is restored, and has nothing left to do."""
        solved = {"status": "solved", "assignee_id": self.actor.id}
        self.admin.update("tickets", self.test_ticket(), solved)
        self.admin.call("DELETE", f"tickets/{self.test_ticket()}")
        return self.test_ticket()

    def restore(self) -> str:
        self.admin.call("PUT", f"deleted_tickets/{self.test_ticket()}/restore")
        return self.test_ticket()

    def _new(self) -> Json:
        comment = {"body": TRIAL_TITLE, "public": False}
        spec = {"subject": TRIAL_TITLE, "comment": comment, "requester_id": self.bridge.id}
        ticket = self.admin.create("tickets", spec)
        self.opened.append(str(ticket["id"]))
        return ticket

    def _await(self, answer: Json) -> None:
        """Wait until a background job has ended well."""
        job = answer.get("job_status") or {}
        for _ in range(_POLLS):
            job = self.admin.call("GET", f"job_statuses/{job.get('id')}").get("job_status") or {}
            if job.get("status") in {"failed", "killed"} or _has_failed(job.get("results")):
                raise HelpdeskRefused("Zendesk does not merge the test tickets")
            if job.get("status") == "completed":
                return
            self.sleep(_POLL_SECONDS)
        raise HelpdeskUnavailable("Zendesk has not merged the test tickets yet")


def _has_failed(results: object) -> bool:
    """Whether a job could not do a part of its work: it is completed all the same then.

    Each ticket has a result of its own; Zendesk describes one for all, too.
    """
    rows = results if isinstance(results, list) else [results]
    return any(isinstance(row, dict) and row.get("success") is False for row in rows)
