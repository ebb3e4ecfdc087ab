"""What a vendor's tests say of the vendor: payloads, and a small stand-in for its API."""

from abc import ABC, abstractmethod
from collections.abc import Sized
from typing import ClassVar, Generic, Protocol, TypeVar

from bridge.adapters.base import Adapter
from bridge.ticket import AccountFields, Delivery, HttpDelivery
from tests.adapters.contract.cases import SECRET


class Vendor(Protocol):
    """Whatever stands for the vendor: a mock of HTTP, or a helpdesk in memory."""

    @property
    def calls(self) -> Sized:
        """What it was asked."""


V = TypeVar("V", bound=Vendor)


class Hooks(ABC, Generic[V]):
    """What a vendor's test class fills in, fit for `SECRET` and `TOKEN`."""

    signature_header: ClassVar[str]
    ticket_id: ClassVar[str]
    status_field: ClassVar[str]
    """The vendor's name for the field that shows `Fields.state`."""
    organization: ClassVar[str]
    """The `Customer.ref` of an organisation that `serve` has."""
    balance_field: ClassVar[str]
    """The vendor's name for the field of an organisation that shows `AccountFields.balance`."""

    @abstractmethod
    def adapter(self, *secrets: str) -> Adapter:
        """An adapter that accepts these webhook secrets and calls with `TOKEN`."""

    @abstractmethod
    def signed(self, body: bytes, secret: str = SECRET) -> HttpDelivery:
        """The delivery of a body, signed as the vendor does."""

    @abstractmethod
    def about_a_ticket(self) -> tuple[bytes, Delivery]:
        """A body, and how `signed` of it must be read."""

    @abstractmethod
    def about_something_else(self) -> bytes:
        """A body that the vendor may send and that is not about a ticket."""

    @abstractmethod
    def serve(
        self, vendor: V, *, marks: tuple[str, ...] = (), lost_field: str | None = None
    ) -> None:
        """The vendor's API with ticket `ticket_id`, on which the bridge left these marks.

        `lost_field` is unknown to it, and left out silently, or refused, as the vendor does. The
        organisation remembers what is put onto it.
        """

    @abstractmethod
    def account_shown(self, vendor: V) -> AccountFields:
        """What the organisation's record shows."""

    @abstractmethod
    def serve_no_ticket(self, vendor: V) -> None:
        """The vendor's API without ticket `ticket_id`."""

    @abstractmethod
    def notes_sent(self, vendor: V) -> list[str]:
        """The texts of the notes that the vendor was sent."""
