"""A model's card over HTTP, from a server on this machine that speaks the Hub's protocol for one model."""

import json
import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mspgt.lm.identity import read_card
from tests.lm.tiny import tiny_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("hub") / "tiny", "llama", layers=5)


@pytest.fixture(scope="module")
def hub(folder):
    """(address, what was asked for): me/tiny with its files, me/pickled without weights."""
    asked: list[tuple[str, str | None, int]] = []

    class Hub(BaseHTTPRequestHandler):
        def reply(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for key, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)
                asked.append((self.path, self.headers.get("Range"), len(body)))

        def do_GET(self) -> None:
            name = "/".join(self.path.removeprefix("/api/models").split("/")[1:3])
            files = ["config.json"] + (["model.safetensors"] if name == "me/tiny" else [])
            if name not in ("me/tiny", "me/pickled"):
                self.reply(b"{}", 404, {"X-Error-Code": "RepoNotFound"})
            elif self.path.startswith("/api/models"):
                self.reply(
                    json.dumps(
                        {"id": name, "sha": COMMIT, "siblings": [{"rfilename": f} for f in files]}
                    ).encode()
                )
            elif self.path.split("?")[0].endswith(tuple(files)):
                body = (folder / Path(self.path.split("?")[0]).name).read_bytes()
                about = {"ETag": f'"{len(body)}"', "X-Repo-Commit": COMMIT}
                if part := self.headers.get("Range"):
                    first, last = part.removeprefix("bytes=").split("-")
                    self.reply(body[int(first) : int(last) + 1], 206, about)
                else:
                    self.reply(body, 200, about)
            else:
                self.reply(b"", 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()


def cards(endpoint: str, cache: Path, *models: str) -> list[str]:
    """Read in a process of its own: the client reads its address once, when it is imported."""
    code = f"""
        from mspgt.lm.hub import read_hub_card
        from mspgt.errors import ModelError
        for model in {models!r}:
            try:
                print(read_hub_card(model))
            except ModelError as error:
                print("ModelError:", error)
    """
    env = {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), "PATH": "", "PYTHONPATH": ":".join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=env, capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_a_card_is_read_without_its_weights_and_what_is_missing_is_said(hub, folder, tmp_path):
    endpoint, asked = hub
    found, missing, pickled = cards(endpoint, tmp_path, "me/tiny", "me/missing", "me/pickled")
    assert found == str(read_card(folder)).replace(read_card(folder).digest, COMMIT)
    fetched = sum(size for path, _, size in asked if "safetensors" in path)
    assert 0 < fetched < (folder / "model.safetensors").stat().st_size
    assert not list(tmp_path.rglob("*.safetensors"))
    assert missing.startswith("ModelError: me/missing: its card cannot be read from the Hub")
    assert "found none at this revision" in pickled


def test_without_a_network_the_message_says_so_at_once(tmp_path):
    (found,) = cards("http://nowhere.invalid", tmp_path, "me/tiny")
    assert found.startswith("ModelError: me/tiny: there is no such folder here")
    assert "the Hub cannot be reached" in found
