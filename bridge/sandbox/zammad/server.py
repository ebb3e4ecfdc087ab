"""A ready-made Zammad: model, API and deliveries in one."""

from collections.abc import Iterable, Mapping

from bridge.sandbox.deliveries import Clock, Transport
from bridge.sandbox.server import Sandbox
from bridge.sandbox.zammad.api import create_app
from bridge.sandbox.zammad.lifecycle import FIELDS
from bridge.sandbox.zammad.model import Zammad
from bridge.sandbox.zammad.records import as_moment
from bridge.sandbox.zammad.webhooks import WebhookSender, post


class ZammadSandbox(Sandbox[Zammad]):
    """A Zammad as after its installation, with the recordings' agents and no tickets.

    Args:
        clock: the present, as an aware datetime; move it to let time pass.
        transport: carries webhook requests; by HTTP if not given.
        retry_scale: multiplies the waits between the attempts of a delivery.
    """

    def __init__(
        self, clock: Clock, *, transport: Transport = post, retry_scale: float = 1.0
    ) -> None:
        super().__init__(Zammad(clock, transport=transport, retry_scale=retry_scale), create_app)

    @property
    def webhooks(self) -> WebhookSender:
        """The deliveries."""
        return self.model.webhooks

    def load_ticket(
        self,
        ticket: Mapping[str, object],
        articles: Iterable[Mapping[str, object]] = (),
        history: Iterable[Mapping[str, object]] = (),
    ) -> int:
        """Install a ticket as some Zammad showed it, with its own ids. Nothing is fired.

        The users and the organisation that it names must be there: see `load`. Names beside ids,
        and attributes that this Zammad does not have, are left out. Returns the ticket's id.
        """
        store = self.model.store
        with store.lock:
            times = {"created_at", "updated_at", "created_by_id", "updated_by_id"}
            fields = dict.fromkeys(FIELDS) | self.model.attributes.defaults("Ticket")
            fields |= {key: ticket[key] for key in ticket if key in times.union(fields)}
            fields |= self.model.attributes.cast("Ticket", fields)
            fields["pending_time"] = as_moment(fields["pending_time"])
            row = store.load("Ticket", fields)
            for article in articles:
                names = ("type", "sender", "created_by", "updated_by", "origin_by", "attachments")
                shown = {key: value for key, value in article.items() if key not in names}
                store.load("TicketArticle", shown)
            store.history[row["id"]] = [
                {**entry, "created_at": as_moment(entry["created_at"])} for entry in history
            ]
            return int(row["id"])

    def load(self, table: str, record: Mapping[str, object]) -> None:
        """Install a record of another table, such as `User`, as an answer's assets show it."""
        derived = {"member_ids", "secondary_member_ids", "user_ids"}
        with self.model.store.lock:
            shown = {key: value for key, value in record.items() if key not in derived}
            self.model.store.load(table, shown)
