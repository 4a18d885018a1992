"""The command line. One file a command; everything heavy is imported inside the command, so that help is instant."""

from __future__ import annotations

import sys
from io import StringIO
from typing import Any


def main() -> None:
    """Entry point of `mspgt`: runs the app and turns every error into one readable message and a status."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        from mspgt.cli.app import app

        status = app(standalone_mode=False) or 0
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            raise
        from mspgt.errors import printable

        status, told = _outcome(error)
        sys.stderr.write(printable(told))
    raise SystemExit(status)


def _outcome(error: Any) -> tuple[int, str]:
    """Status and words of an error.

    130 after Ctrl-C; 75 (try again later) where a scheduler ended the run; 70 for a fault of our own; 2 for all that
    is to be mended.
    """
    from mspgt.errors import MspgtError, StoppedError, TerminatedError

    if isinstance(error, KeyboardInterrupt):
        error = StoppedError()
    if isinstance(error, MspgtError):
        statuses: dict[type, int] = {TerminatedError: 75, StoppedError: 130}
        return statuses.get(type(error), 2), f"mspgt: {error}\n"
    if hasattr(error, "show"):
        # Of the command line itself; its library would write what was typed as it was typed.
        error.show(file=(told := StringIO()))
        return error.exit_code, told.getvalue()
    return 70, (
        f"mspgt: a fault of mspgt itself, not of your input: {type(error).__name__}: {error}\n"
        "Run the same command with --debug to see where it was raised, and report that text.\n"
    )
