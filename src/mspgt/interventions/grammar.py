"""Grammaticality: errors per 100 words by LanguageTool, and by Harper as a metric of its own.

Two checkers, two metrics: neither ever stands in for the other, and without a checker its metric is not measured.
"""

from __future__ import annotations

import json
import logging
import math
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.errors import InputError, MissingExtraError, UnavailableError

log = logging.getLogger("mspgt")

LOCAL = "local"
TIMEOUT = 60.0  # seconds for one text
ATTEMPTS = 3
# What a server means by a status, and what helps.
_REFUSALS = {
    413: "finds a text too long: start it with a larger maxTextLength, or write fewer new_tokens",
    429: "answers that it was asked too often: start it with a larger requestLimit, or use a server of your own",
}
_NOT_STARTED = (
    "LanguageTool {} could not be started ({}). It needs Java 17 or newer; or give a running server's URL."
)

# Checkers mean the text, not bytes that no reader would see.
_CONTROLS = dict.fromkeys(code for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t")


class LanguageToolServer:
    """A LanguageTool server that answers the HTTP API (`POST /v2/check`).

    `version` is what the server says of itself, `url` where it answers. The first request is made at once.

    Args:
        url: of the server, with or without `/v2`.
        wanted: the version to insist on, or None.

    Raises:
        InputError: not an http or https URL.
        UnavailableError: nobody answers there, the answer is not LanguageTool's, or it is another version.
    """

    def __init__(self, url: str, language: str = "en-US", wanted: str | None = None) -> None:
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise InputError(f"Expected the URL of a LanguageTool server (http://host:port), found {url!r}.")
        self.url = url.rstrip("/").removesuffix("/check").removesuffix("/v2")
        self._check = f"{self.url}/v2/check"
        self._language = language
        self.version = str(self._ask("A test.")["software"]["version"])
        if wanted is not None and self.version != wanted:
            raise UnavailableError(
                f"Expected LanguageTool {wanted}, found {self.version} at {url}. Start the other version, or "
                "leave languagetool_version out."
            )

    def errors(self, text: str) -> int:
        """Matches that LanguageTool reports in a text.

        Raises:
            UnavailableError: the server stopped answering, after three attempts, or read only a part of the text:
                what it did not read is never counted as free of errors.
        """
        return len(self._ask(text)["matches"]) if text.strip() else 0

    def _ask(self, text: str) -> dict[str, Any]:
        form = {"language": self._language, "text": text.translate(_CONTROLS)}
        request = urllib.request.Request(self._check, urllib.parse.urlencode(form).encode())  # noqa: S310
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                    found = json.load(answer)
                if found.get("incompleteResults") or (found.get("warnings") or {}).get("incompleteResults"):
                    raise UnavailableError(
                        f"LanguageTool at {self._check} answered that its results are incomplete: it gave up in "
                        "the middle of the text. Start it with a longer maxCheckTimeMillis; texts and other "
                        "metrics are kept."
                    )
                if "matches" in found and "version" in found["software"]:
                    return dict(found)
                raise ValueError(f"an answer without matches or version: {str(found)[:80]}")
            except urllib.error.HTTPError as error:
                words = error.read(200).decode("utf-8", "replace")
                why = f"status {error.code}: {words}"
                if error.code in _REFUSALS and (error.code != 429 or attempt == ATTEMPTS):
                    raise UnavailableError(
                        f"LanguageTool at {self._check} {_REFUSALS[error.code]} ({why}). Texts and other metrics "
                        "are kept."
                    ) from error
                if error.code < 500 and error.code != 429:
                    break
            except (OSError, ValueError, KeyError, TypeError) as error:
                why = str(error)
            time.sleep(0.2 * attempt)
        raise UnavailableError(
            f"LanguageTool at {self._check} does not answer as its HTTP API says ({why}). Start the server again "
            "and run the same command: texts and other metrics are kept."
        )


@contextmanager
def languagetool(
    where: str, language: str = "en-US", wanted: str | None = None
) -> Iterator[LanguageToolServer]:
    """A LanguageTool server while the context lasts: one that runs at a URL, or (`local`) one started here.

    A local one is started once with the command of the wrapper (extra `grammar`), from an installation that is
    already there (in the wrapper's folder, or that of LTP_PATH), and stopped at the end. Nothing is downloaded.

    Raises:
        MissingExtraError: `local` without the extra.
        UnavailableError: no installation, no Java, another version, or a server that does not answer.
    """
    if where != LOCAL:
        yield LanguageToolServer(where, language, wanted)
        return
    try:
        from language_tool_python.download_lt import LocalLanguageTool, confirm_java_compatibility
        from language_tool_python.exceptions import LanguageToolError
    except ImportError as error:
        raise MissingExtraError(
            f"A local LanguageTool needs its wrapper ({error}). Install it with: pip install 'mspgt[grammar]', or "
            "give the URL of a running server."
        ) from error
    latest = LocalLanguageTool.get_latest_installed_version()
    installed = [str(one.version_name) for one in LocalLanguageTool.get_installed_versions()]
    if latest is None or (wanted is not None and wanted not in installed):
        raise UnavailableError(
            f"Expected LanguageTool {wanted or 'of any version'} on this machine, found "
            f'{", ".join(installed) or "none"}. Download it once (python -c "import language_tool_python as l; '
            "l.LanguageTool('en-US')\"), set LTP_PATH to a folder that holds LanguageTool-<version>, or give the URL "
            "of a running server."
        )
    name, port = wanted or str(latest.version_name), _free_port()
    try:
        confirm_java_compatibility(name)
        command = LocalLanguageTool.from_version_name(name).get_server_cmd(port)
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except (
        LanguageToolError,
        ImportError,
        SystemError,
        SystemExit,
        OSError,
        subprocess.SubprocessError,
    ) as error:
        raise UnavailableError(_NOT_STARTED.format(name, error)) from error
    try:
        _await(process, port, name)
        yield LanguageToolServer(f"http://127.0.0.1:{port}", language, wanted)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(process: subprocess.Popen[bytes], port: int, name: str) -> None:
    until = time.monotonic() + TIMEOUT
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    code = process.poll()
    why = f"no answer within {TIMEOUT:g} s" if code is None else f"it ended with code {code}"
    raise UnavailableError(_NOT_STARTED.format(name, why))


def harper() -> tuple[Callable[[str], float], str]:
    """Harper's count of errors in a text, with its default rules for American English, and its version.

    The count is NaN for a text on which Harper itself fails (release 2.13 does on "must", a line break, "of"): such a
    text is left out of the rate and counted as left out, never as free of errors.

    Raises:
        MissingExtraError: the extra `harper` is not installed.
    """
    try:
        from harper import Dialect, Language, Linter
    except ImportError as error:
        raise MissingExtraError(
            f"The metric harper needs its bindings ({error}). Install them with: pip install 'mspgt[harper]'."
        ) from error
    linter = Linter(Dialect.AMERICAN)

    def errors(text: str) -> float:
        nonlocal linter
        try:
            return float(len(linter.lint(text.translate(_CONTROLS), language=Language.PLAINTEXT)))
        except BaseException as error:
            # What its compiled code raises on a fault of its own is no Exception, and can only be told by its name.
            if type(error).__name__ != "PanicException":
                raise
            log.warning("harper fails on a text, which is left out: %r", text[:80])
            linter = Linter(Dialect.AMERICAN)  # whose state is whole
            return math.nan

    return errors, f"harper-py {version('harper-py')}"


def errors_of(texts: Sequence[str], errors: Callable[[str], float]) -> NDArray[np.float64]:
    """What a checker says of each text, (texts,); equal ones are checked once."""
    known = {text: errors(text) for text in dict.fromkeys(texts)}
    return np.array([known[text] for text in texts], dtype=np.float64)
