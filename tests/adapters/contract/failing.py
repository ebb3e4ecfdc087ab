"""How an adapter that speaks HTTP fails: in the tree of `bridge.errors`, and telling no secret."""

import re
import traceback
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from responses import RequestsMock

from bridge.errors import BridgeError, HelpdeskRefused, HelpdeskUnavailable, TicketNotFound
from tests.adapters.contract.cases import CALLS, OPERATIONS, SECRET, TOKEN, Operation
from tests.adapters.contract.hooks import Hooks

UNAVAILABLE: Mapping[str, dict[str, Any]] = {
    "429": {"status": 429, "json": {"error": "slow down"}},
    "500": {"status": 500, "json": {"error": "Error ID 1"}},
    "502": {"status": 502, "body": "<html>Bad gateway</html>"},
    "503": {"status": 503, "body": ""},
    "504": {"status": 504, "body": "<html>Timeout</html>"},
    "no connection": {"body": requests.ConnectionError(f"GET https://x/?token={TOKEN}")},
    "no answer": {"body": requests.ReadTimeout("read")},
    "cut off": {"body": requests.exceptions.ChunkedEncodingError("cut")},
}
REFUSED: Mapping[str, dict[str, Any]] = {
    "401": {"status": 401, "json": {"error": "no"}},
    "403": {"status": 403, "json": {"error": "no"}},
    "422": {"status": 422, "json": {"error": "no"}},
    "another 404": {"status": 404, "body": "<html>nginx</html>"},
    "redirect": {"status": 302, "headers": {"Location": "https://elsewhere.example/"}},
    "no content": {"status": 204},
    "a web page": {"status": 200, "body": "<html>Maintenance</html>"},
    "null": {"status": 200, "body": "null"},
    "a list": {"status": 200, "body": "[1]"},
    "a string": {"status": 200, "body": '"ok"'},
    "an empty object": {"status": 200, "body": "{}"},
    "not a number": {"status": 200, "body": '{"id": NaN}'},
    "too deep": {"status": 200, "body": "[" * 100_000},
}


class FailingContract(Hooks[RequestsMock]):
    """Sent once, never retried in place."""

    @pytest.mark.parametrize(
        "ticket_id", ["", "-1", "5/../../users/1", "5?all", "\u0665", "1" * 5_000]
    )
    @pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
    def test_what_can_be_no_ticket_id_is_not_asked_for(
        self, vendor: RequestsMock, operation: Operation, ticket_id: str
    ) -> None:
        with pytest.raises(TicketNotFound):
            operation(self.adapter(SECRET), ticket_id)
        assert len(vendor.calls) == 0

    @pytest.mark.parametrize("answer", UNAVAILABLE.values(), ids=UNAVAILABLE)
    @pytest.mark.parametrize("operation", CALLS.values(), ids=CALLS)
    def test_a_passing_failure_is_reported_and_never_retried_in_place(
        self, vendor: RequestsMock, operation: Operation, answer: dict[str, Any]
    ) -> None:
        self._fail(vendor, operation, answer, HelpdeskUnavailable)
        assert len(vendor.calls) == 1

    @pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED)
    @pytest.mark.parametrize("operation", CALLS.values(), ids=CALLS)
    def test_an_answer_that_cannot_be_used_is_final(
        self, vendor: RequestsMock, operation: Operation, answer: dict[str, Any]
    ) -> None:
        failed = self._fail(vendor, operation, answer, HelpdeskRefused)
        assert not isinstance(failed, TicketNotFound)

    def test_the_wait_that_the_vendor_asks_for_is_handed_on(self, vendor: RequestsMock) -> None:
        answer = {"status": 429, "body": "", "headers": {"Retry-After": "17"}}
        self._always(vendor, answer)
        with pytest.raises(HelpdeskUnavailable) as unavailable:
            self.adapter(SECRET).fetch(self.ticket_id)
        assert unavailable.value.retry_after == 17

    def test_an_adapter_does_not_show_its_secrets(self) -> None:
        adapter = self.adapter(SECRET)
        shown = repr(adapter) + str(adapter) + repr(vars(adapter))
        assert SECRET not in shown
        assert TOKEN not in shown

    def _always(self, vendor: RequestsMock, answer: dict[str, Any]) -> None:
        for method in ("GET", "PUT", "POST"):
            vendor.add(method, re.compile(".*"), **answer)

    def _fail(
        self,
        vendor: RequestsMock,
        operation: Operation,
        answer: dict[str, Any],
        expected: type[BridgeError],
    ) -> BridgeError:
        self._always(vendor, answer)
        with pytest.raises(expected) as failed:
            operation(self.adapter(SECRET), self.ticket_id)
        told = "".join(traceback.format_exception(failed.value)) + repr(failed.value)
        assert TOKEN not in told
        assert SECRET not in told
        return failed.value
