"""The command line. One file a command; everything heavy is imported inside the command, so that help is instant."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of `mspgt`: runs the app and turns the project's own errors into one readable message."""
    from mspgt.cli.app import app
    from mspgt.errors import MspgtError

    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        app()
    except MspgtError as error:
        if debug:
            raise
        from mspgt.report.words import printable

        sys.stderr.write(printable(f"mspgt: {error}\n"))
        raise SystemExit(_status(error)) from None
    except KeyboardInterrupt:
        if debug:
            raise
        sys.stderr.write("mspgt: stopped. Nothing was left half-written; run the same command again.\n")
        raise SystemExit(130) from None
    except Exception as error:
        # Not a fault of the user's: said so, with its name, and a status of its own.
        if debug:
            raise
        from mspgt.report.words import printable

        told = f"mspgt: a fault of mspgt itself, not of your input: {type(error).__name__}: {error}\n"
        sys.stderr.write(
            printable(told)
            + "Run the same command with --debug to see where it was raised, and report that text.\n"
        )
        raise SystemExit(70) from None


def _status(error: Exception) -> int:
    """130 after Ctrl-C; 75 (try again later) where a scheduler ended the run; 2 for everything to be mended."""
    from mspgt.errors import StoppedError, TerminatedError

    if isinstance(error, TerminatedError):
        return 75
    return 130 if isinstance(error, StoppedError) else 2
