"""What every adapter must do, whatever its vendor: inherit `AdapterContract`, fill in its hooks.

A vendor's test module provides payloads and a small stand-in for its API; the judgements are here.
HTTP is mocked below the client, so that any implementation can be judged. An adapter that speaks no
HTTP inherits `AnyAdapterContract`, as the helpdesk in memory does on which the service is tested.
"""

from responses import RequestsMock

from tests.adapters.contract.cases import FIELDS, MESSAGE, NOW, RECEIPT, SECRET, TOKEN
from tests.adapters.contract.failing import FailingContract
from tests.adapters.contract.hooks import V
from tests.adapters.contract.reading import ReadingContract
from tests.adapters.contract.webhooks import WebhookContract
from tests.adapters.contract.writing import WritingContract

__all__ = [
    "FIELDS",
    "MESSAGE",
    "NOW",
    "RECEIPT",
    "SECRET",
    "TOKEN",
    "AdapterContract",
    "AnyAdapterContract",
]


class AnyAdapterContract(WebhookContract[V], ReadingContract[V], WritingContract[V]):
    """The suite of an adapter, whatever it speaks."""


class AdapterContract(AnyAdapterContract[RequestsMock], FailingContract):
    """The suite of an adapter that speaks HTTP."""
