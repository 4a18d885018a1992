"""A server on the loopback that answers `POST /v2/check` as LanguageTool's HTTP API documents."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs


class Server(ThreadingHTTPServer):
    """Finds the word "teh" wrong, and remembers what it was asked; after `fails_after` answers it says `status`.

    A `status` of 200 is an answer that holds the keys of `instead` besides.
    """

    def __init__(
        self,
        fails_after: int | None = None,
        version: str = "6.5",
        port: int = 0,
        status: int = 503,
        instead: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", port), _Answer)
        self.asked: list[dict[str, str]] = []
        self.fails_after, self.software_version = fails_after, version
        self.status, self.instead = status, instead or {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode(), strict_parsing=True)
        asked = {key: values[0] for key, values in form.items()}
        self.server.asked.append(asked)
        if self.path != "/v2/check" or {"text", "language"} - set(asked):
            self._say(400, "Error: missing parameter")
        elif self.server.fails_after is not None and len(self.server.asked) > self.server.fails_after:
            late = _checked(asked, self.server.software_version) | self.server.instead
            self._say(self.server.status, json.dumps(late) if self.server.status == 200 else "No")
        else:
            self._say(200, json.dumps(_checked(asked, self.server.software_version)))

    def _say(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        pass


def _checked(asked: dict[str, str], version: str) -> dict[str, Any]:
    places = [at for at in range(len(asked["text"])) if asked["text"].startswith("teh", at)]
    return {
        "software": {"name": "LanguageTool", "version": version, "apiVersion": 1, "premium": False},
        "language": {"name": "English (US)", "code": asked["language"]},
        "matches": [
            {
                "message": "Possible spelling mistake found.",
                "offset": at,
                "length": 3,
                "replacements": [{"value": "the"}],
                "rule": {"id": "MORFOLOGIK_RULE_EN_US", "category": {"id": "TYPOS"}},
            }
            for at in places
        ],
    }


@contextmanager
def serving(**settings: Any) -> Iterator[Server]:
    """A server in a thread, stopped at the end."""
    server = Server(**settings)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def install(folder: Path, java: str = "") -> Path:
    """What the wrapper takes for a LanguageTool and a Java: a folder with both; `java` starts the server above.

    The lines `java` are run in place of the server.

    Returns the file to which `java` adds the id of its process whenever it starts a server.
    """
    (folder / "LanguageTool-6.5").mkdir()
    (folder / "LanguageTool-6.5" / "languagetool-server.jar").touch()
    starts, script = folder / "starts", folder / "java"
    script.write_text(
        f"""#!/bin/sh
if [ "$1" = -version ]; then echo 'openjdk version "21.0.1"'; exit; fi
echo $$ >> "{starts}"
{java}
while [ "$1" != -p ]; do shift; done
exec "{sys.executable}" "{__file__}" "$2"
""",
        "utf-8",
    )
    script.chmod(0o755)
    return starts


if __name__ == "__main__":
    Server(port=int(sys.argv[1])).serve_forever()
