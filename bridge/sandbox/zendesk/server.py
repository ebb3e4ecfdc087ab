"""A ready-made Zendesk: model, API and deliveries in one."""

from bridge.sandbox.deliveries import Clock, Transport
from bridge.sandbox.server import Sandbox
from bridge.sandbox.zendesk.api import create_app
from bridge.sandbox.zendesk.model import Zendesk
from bridge.sandbox.zendesk.webhooks import WebhookSender, post


class ZendeskSandbox(Sandbox[Zendesk]):
    """A Zendesk with an admin, an agent and the bridge's user, and no tickets.

    Args:
        clock: the present, as an aware datetime; move it to let time pass.
        transport: carries webhook requests; by HTTP if not given.
        retry_scale: multiplies the waits between the attempts of a delivery.
    """

    def __init__(
        self, clock: Clock, *, transport: Transport = post, retry_scale: float = 1.0
    ) -> None:
        super().__init__(Zendesk(clock, transport=transport, retry_scale=retry_scale), create_app)

    @property
    def webhooks(self) -> WebhookSender:
        """The deliveries."""
        return self.model.webhooks
