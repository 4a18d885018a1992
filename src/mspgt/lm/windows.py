"""How long a window is. Imports no torch."""

from __future__ import annotations

from mspgt.errors import InputError

WINDOW = 512  # tokens of a window, or the model's context where that is shorter


def fitting_window(name: str, context: int, wish: int | None = None) -> int:
    """Tokens of a window within a context of so many; InputError where it is shorter than what was asked for."""
    if wish is not None and wish > context:
        raise InputError(
            f"A window of {wish} tokens is longer than the context of {name}, {context}. "
            f"Take --set measure.window={context} or less, or --set measure.context=sentence."
        )
    return min(WINDOW, context) if wish is None else wish
