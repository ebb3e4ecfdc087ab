"""The vendors by name: the one place, beside its own modules, that a vendor is mentioned in."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bridge.adapters.vendor import Vendor
from bridge.adapters.zammad.settings import ZAMMAD
from bridge.adapters.zendesk.settings import ZENDESK

VENDORS: Mapping[str, Vendor[Any]] = MappingProxyType({"zammad": ZAMMAD, "zendesk": ZENDESK})
