"""Logs are one JSON object per line, and no secret passes the redactor."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import BaseModel, SecretStr

from bridge.logs import MASK, configure_logs, redact

CANARY = "canary-7f3a"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Credentials(BaseModel):
    token: SecretStr


def call(local: str) -> None:
    raise ConnectionError(f"https://x/?token={local}")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level, captured = root.handlers[:], root.level, io.StringIO()
    configure_logs(captured)
    yield captured
    root.handlers[:] = handlers
    root.setLevel(level)
    for package in ("bridge", "webhooks"):
        logging.getLogger(package).setLevel(logging.NOTSET)
    logging.captureWarnings(capture=False)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def redacted(**event: object) -> dict[str, Any]:
    return dict(redact(None, "info", event))


class TestTheRedactor:
    @pytest.mark.parametrize(
        "key",
        [
            "token",
            "webhook_secret_previous",
            "Authorization",
            "X-Hub-Signature",
            "password",
            "set-cookie",
            "api_key",
        ],
    )
    def test_masks_what_its_key_gives_away(self, key: str) -> None:
        assert redacted(**{key: CANARY}) == {key: MASK}
        assert redacted(request={"headers": [{key: CANARY}]}) == {
            "request": {"headers": [{key: MASK}]}
        }

    @pytest.mark.parametrize(
        "value",
        [
            SecretStr(CANARY),
            [SecretStr(CANARY)],
            Credentials(token=SecretStr(CANARY)),
            CANARY.encode(),
            f"GET https://desk.example/api?token={CANARY}&x=1 failed",
            f"https://bot:{CANARY}@desk.example/",
            f"Authorization: Token {CANARY}",
            f"Authorization: Token token={CANARY}",
            f"{{'Authorization': 'Bearer {CANARY}', 'a': 'b'}}",
            f'{{"webhook_secret": "{CANARY}"}}',
            f"Config(token='{CANARY}')",
            ValueError(f"no route to https://x/?api_key={CANARY}"),
            {f"https://bot:{CANARY}@desk.example/"},
        ],
        ids=repr,
    )
    def test_masks_what_its_type_or_form_gives_away(self, value: object) -> None:
        shown = str(redacted(value=value))
        assert CANARY not in shown

    @pytest.mark.parametrize(
        "value",
        [
            7,
            1.5,
            True,
            None,
            "the signature fits no configured webhook secret",
            "helpdesks.support.token: is not set",
            "https://desk.example/tickets/7",
            "mail to bot@desk.example",
        ],
    )
    def test_leaves_everything_else_alone(self, value: object) -> None:
        assert redacted(value=value) == {"value": value}

    def test_keeps_what_surrounds_a_secret(self) -> None:
        text = f"GET https://desk.example/api?token={CANARY}&page=2 failed"
        assert redacted(event=text) == {
            "event": f"GET https://desk.example/api?token={MASK}&page=2 failed"
        }


class TestConfiguredLogs:
    def test_are_one_json_object_a_line(self, stream: io.StringIO) -> None:
        structlog.get_logger("bridge.test").info("delivery stored", helpdesk="support", size=7)
        [line] = lines(stream)
        assert line.pop("timestamp").endswith("Z")
        assert line == {
            "event": "delivery stored",
            "helpdesk": "support",
            "size": 7,
            "level": "info",
            "logger": "bridge.test",
        }

    def test_carry_the_context(self, stream: io.StringIO) -> None:
        structlog.contextvars.bind_contextvars(delivery="d-1")
        structlog.get_logger("bridge.test").warning("refused")
        assert lines(stream)[0]["delivery"] == "d-1"

    def test_take_in_the_standard_library_and_its_warnings(self, stream: io.StringIO) -> None:
        logging.getLogger("urllib3").warning("Retrying %s", f"/?token={CANARY}")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old", UserWarning, stacklevel=1)
        assert [line["logger"] for line in lines(stream)] == ["urllib3", "py.warnings"]
        assert lines(stream)[0]["event"] == f"Retrying /?token={MASK}"

    def test_hold_back_what_is_below_the_level(self, stream: io.StringIO) -> None:
        structlog.get_logger("bridge.test").debug("detail")
        logging.getLogger("apscheduler.executors").info("Running job")
        assert stream.getvalue() == ""

    def test_are_not_doubled_when_configured_again(self, stream: io.StringIO) -> None:
        configure_logs(stream)
        structlog.get_logger("bridge.test").info("once")
        assert len(lines(stream)) == 1

    @pytest.mark.parametrize("terminal", [False, True])
    def test_show_no_secret_in_a_traceback(self, stream: io.StringIO, terminal: bool) -> None:
        out = Terminal() if terminal else stream
        configure_logs(out)
        try:
            call(CANARY)
        except ConnectionError:
            structlog.get_logger("bridge.test").exception("call failed")
            logging.getLogger("plain").exception("call failed")
        shown = out.getvalue()
        assert shown.count("ConnectionError: https://x/?token=***") == 2
        assert CANARY not in shown
        assert shown.startswith("{") is not terminal
