"""What was typed, and what the environment says: bytes that must be UTF-8."""

import os
from collections.abc import Mapping, Sequence

from bridge.settings.secrets import is_text

OURS = "POINTS_BRIDGE_"


def not_text(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """What is wrong with arguments, or with variables that we read; None: all of them are text.

    What is none can be neither printed nor stored nor sent. A variable may hold a secret, so its
    value is not repeated.
    """
    for text in arguments:
        if not is_text(text):
            return f"the argument {_legible(text)} is not text in UTF-8; type it anew in UTF-8"
    for name, value in environ.items():
        if OURS in name and not is_text(name + value):
            return f"the variable {_legible(name)} is not text in UTF-8; set it anew in UTF-8"
    return None


def _legible(text: str) -> str:
    return os.fsencode(text).decode("utf-8", "backslashreplace")
