"""A place for secrets that come of a set-up, as the commands have one; it may be full."""

from pathlib import Path


class Kept(dict[str, str]):
    """What was kept, by the keys in the settings. What the environment holds has no place here."""

    def __init__(self, *held_by_the_environment: str) -> None:
        super().__init__()
        self._held = held_by_the_environment

    def place(self, key: str) -> Path | None:
        return None if key in self._held else Path("/secrets") / key

    def keep(self, key: str, value: str) -> None:
        assert key not in self._held
        self[key] = value
