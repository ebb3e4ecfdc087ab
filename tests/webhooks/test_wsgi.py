"""What a WSGI server loads, as far as no server is needed to see it."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from flask import Flask

from bridge.errors import SettingsError
from bridge.settings import Settings
from bridge.settings.secrets import Exposed
from webhooks import wsgi


@pytest.mark.parametrize("start", [wsgi.receiver, wsgi.everything])
def test_a_start_looks_who_can_read_the_secrets(
    start: Callable[[], Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[list[Exposed]] = []

    def warn(files: Iterable[Exposed]) -> None:
        looked.append(list(files))

    def enough(_settings: Settings) -> None:
        raise SettingsError("far enough")

    path = tmp_path / "points-bridge.toml"
    path.write_text(
        '[defaults]\nzone = "UTC"\n[helpdesks.support]\nvendor = "zammad"\n'
        'url = "http://127.0.0.1:9"\n',
        "utf-8",
    )
    monkeypatch.setenv("POINTS_BRIDGE_SETTINGS", str(path))
    monkeypatch.setenv("POINTS_BRIDGE_SUPPORT_TOKEN", "canary")
    monkeypatch.setenv("POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET", "canary-0123456789")
    monkeypatch.setattr(wsgi, "configure_logs", lambda: None)
    monkeypatch.setattr(wsgi, "warn_of_exposed", warn)
    monkeypatch.setattr(wsgi, "opened", enough)
    with pytest.raises(SettingsError, match="far enough"):
        start()
    assert looked == [[]]
