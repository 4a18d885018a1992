"""The command line. One file a command; everything heavy is imported inside the command, so that help is instant."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of `mspgt`: runs the app and turns the project's own errors into one readable message."""
    from mspgt.cli.app import app
    from mspgt.errors import MspgtError, StoppedError

    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        app()
    except MspgtError as error:
        if debug:
            raise
        sys.stderr.write(f"mspgt: {error}\n")
        raise SystemExit(130 if isinstance(error, StoppedError) else 2) from None
