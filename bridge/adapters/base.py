"""The contract of an adapter: one helpdesk, both directions, no opinion about points."""

from abc import ABC, abstractmethod

from bridge.ticket import (
    AccountFields,
    Change,
    Delivery,
    Fields,
    HttpDelivery,
    Ticket,
    TicketUpdate,
)


class Adapter(ABC):
    """One configured helpdesk. Adapters report state and carry out writes; policy decides.

    An adapter is shared by threads. Every call to the vendor has a total deadline, follows no
    redirect, and fails in the error tree of `bridge.errors` only.

    `shows_accounts`: whether organisations are to show what their accounts have.
    """

    shows_accounts: bool = True

    def knows(self, customer: str) -> bool | None:  # noqa: ARG002 - a vendor may not be able to tell
        """Whether the helpdesk has the record of a `Customer.ref`; None: it cannot tell.

        Raises:
            HelpdeskUnavailable: try again later.
            HelpdeskRefused: credentials or rights.
        """
        return None

    @abstractmethod
    def verify(self, delivery: HttpDelivery) -> None:
        """Prove, without I/O and in constant time, that the helpdesk sent this.

        Raises:
            WebhookRejected: unsigned, forged or stale; also where no secret is configured.
        """

    @abstractmethod
    def parse(self, delivery: HttpDelivery) -> Delivery | None:
        """Read a verified delivery, without I/O. None: authentic, but not about a ticket.

        Raises:
            PayloadNotUnderstood: the body or the headers cannot be read.
        """

    @abstractmethod
    def fetch(self, ticket_id: str) -> Ticket:
        """The ticket's present state. Repeatable.

        One call to the vendor; a second one where the vendor keeps its messages apart.

        Raises:
            TicketNotFound: the vendor does not know or show it.
            HelpdeskUnavailable: try again later.
            HelpdeskRefused: credentials, rights, or an answer that makes no sense.
        """

    @abstractmethod
    def history(self, ticket_id: str) -> tuple[Change, ...]:
        """What was done to the ticket and by whom, oldest first. Repeatable.

        Every change has a number of its own (`Change.seq`), the same at each reading.

        One call, or one for each page where the vendor's history has pages.

        Raises: as `fetch`.
        """

    @abstractmethod
    def shows(self, ticket: Ticket, fields: Fields) -> bool:
        """Whether a ticket that was fetched shows these fields. No I/O.

        What is only as of the last write and must not cost another one (balance, next expiry) is
        not compared.
        """

    @abstractmethod
    def write(self, update: TicketUpdate) -> bool:
        """Write fields, status and note, and check that the vendor really stored them.

        False: the ticket is closed for good (`Ticket.closed_for_good`), and nothing was written.

        Fields and status are desired state, safe to repeat. A note is not: with `update.repeat`
        its mark is looked up first and it is left out when it is there already.

        Raises:
            HelpdeskRefused: the vendor refuses, or answers 2xx but did not store what was sent.
            HelpdeskUnavailable: try again later, with `repeat=True`.
        """

    @abstractmethod
    def show_account(self, customer: str, fields: AccountFields) -> None:
        """Write onto an organisation's record what its account has. Repeatable, in one call.

        `customer` is a `Customer.ref`; a person's record shows nothing.

        Raises:
            HelpdeskRefused: the vendor refuses, knows no such organisation, or did not store it.
            HelpdeskUnavailable: try again later; `retry_after` where a limit is used up.
        """
