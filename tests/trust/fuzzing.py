"""Readers of what people bring, and damage to it as Hypothesis draws it; called by tests and by the soak.

Each reader gets a good file, or words of a command line, and must refuse what is damaged with an error of its own.
"""

from __future__ import annotations

import contextlib
import copy
import gzip
import io
import json
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import strategies as st

from mspgt.cli import main
from mspgt.errors import MspgtError
from mspgt.lm.identity import card_from, parameter_counts, refuse_impossible
from mspgt.report.page import pages
from mspgt.report.verdicts import verdict_section
from mspgt.report.views import model_view
from mspgt.report.writing import stems
from mspgt.results import Results
from mspgt.results import files as results_files
from mspgt.study.loading import load_config
from mspgt.study.store import MANIFEST, Address, StageResult, _seal
from mspgt.text.corpus import load_corpus
from mspgt.text.treebank import load_treebank
from tests.report.planted_results import planted
from tests.study.test_yaml12 import STUDY
from tests.text.test_treebank import entities, roles, sentence

Read = Callable[[Any, Path], object]
TEXTS = ("\x00", "é", "\u2028", "=1+1", "1" * 5000, "NaN", "", " ", "..", "\ud800", "-", "_", "1e400", "/")
ODD = st.sampled_from(
    [None, True, False, -1, 0, 0.5, 10**30, -(10**400), 1e308, [], {}, [[]], {"": None}, *TEXTS]
)


@dataclass(frozen=True)
class Target:
    """One kind of input: what is drawn, what reads it, and a good file, where files of bytes are read."""

    drawn: st.SearchStrategy[Any]
    read: Read
    good: bytes = b""

    def refuses(self, drawn: Any, folder: Path) -> bool:
        """Whether it is refused, with an error of ours; any other error is raised."""
        try:
            self.read(drawn, folder)
        except MspgtError as error:
            return bool(str(error))
        return False


@st.composite
def damaged(draw: Any, good: bytes, words: tuple[bytes, ...]) -> bytes:
    """A good file after one to four accidents; now and then nothing but bytes."""
    if draw(st.integers(0, 15)) == 0:
        return draw(st.binary(max_size=200))
    content = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(content))), draw(st.integers(0, 40))
        kind = draw(st.sampled_from(("cut", "double", "insert", "word", "flip", "end")))
        if kind == "cut":
            del content[at : at + length]
        elif kind == "double":
            content[at:at] = content[at : at + length]
        elif kind == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=6))
        elif kind == "word":
            content[at : at + length // 8] = draw(st.sampled_from(words))
        elif kind == "flip" and content:
            content[at % len(content)] ^= 1 << length % 8
        elif length < 8:
            del content[at:]
    return bytes(content)


@st.composite
def misshapen(draw: Any, good: Any) -> Any:
    """A JSON value with one to three of its inner values replaced, or taken away."""
    value = json.loads(json.dumps(good))
    for _ in range(draw(st.integers(1, 3))):
        inner, depth = value, draw(st.integers(0, 7))
        while isinstance(inner, dict | list) and inner:
            at = draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
            if depth == 0 or not isinstance(inner[at], dict | list) or not inner[at]:
                if draw(st.booleans()):
                    inner[at] = copy.deepcopy(draw(ODD))
                else:
                    del inner[at]
                break
            inner, depth = inner[at], depth - 1
    return value if draw(st.integers(0, 30)) else draw(ODD)


def _written(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


NAMES = {split: [f"{split}-{i}" for i in range(2)] for split in ("train", "dev", "test")}
EVERY = [name for names in NAMES.values() for name in names]
CONLLU = {
    split: "".join(sentence(name, ["see", name]) for name in names).encode() for split, names in NAMES.items()
}


def _treebank(name: str) -> Read:
    """Reads the treebank with one file damaged: of the splits, of entities, or of roles."""

    def read(content: bytes, folder: Path) -> object:
        whole = [_written(folder, f"t_{split}.conllu", text) for split, text in CONLLU.items()]
        made = _written(folder, name, content)
        if name.endswith("conllu"):
            return load_treebank([*whole[1:], made])
        return load_treebank(whole, **{"entities" if name.endswith("iob2") else "roles": [made]})

    return read


def _study(content: bytes, folder: Path) -> object:
    return load_config(_written(folder, "study.yaml", content))


def _results(value: Any, folder: Path) -> Results:
    content = value if isinstance(value, bytes) else _json(value)
    return results_files.read(_written(folder, "results.json", content))


def _report(value: Any, folder: Path) -> object:
    """Results that are read give a page."""
    results = _results(value, folder)
    names = stems(results.models)
    views = [model_view(results, name, names[name]) for name in results.models]
    section = verdict_section(results, {view.name: view.anchor for view in views})
    return pages(results, views, [section] if section else [])


def _header(content: bytes, folder: Path) -> object:
    _written(folder, "config.json", b"{}")
    _written(folder, "model.safetensors", content)
    return parameter_counts(folder)


def _config(content: bytes, folder: Path) -> object:
    """Whatever a config says, it is refused, or is that of a model."""
    refuse_impossible(_written(folder, "config.json", content).parent)
    try:
        value = json.loads(content)
    except ValueError as error:
        raise MspgtError(str(error)) from error
    return card_from("config.json", value, {"F32": 8}, "")


CONFIG = {
    "model_type": "llama",
    "num_hidden_layers": 4,
    "hidden_size": 8,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "vocab_size": 320,
    "max_position_embeddings": 64,
    "torch_dtype": "bfloat16",
    "tie_word_embeddings": False,
    "text_config": {"num_hidden_layers": 4, "hidden_size": 8},
}


def _corpus(name: str) -> Read:
    return lambda content, folder: load_corpus(_written(folder, name, content))


def packed(rows: list[dict[str, Any]]) -> bytes:
    """A Parquet file."""
    import pyarrow
    import pyarrow.parquet

    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), stream)
    return stream.getvalue()


ROWS: list[dict[str, Any]] = [
    {"id": "a", "title": "One", "text": "The old man rowed his boat across the bay. Rain fell all night."},
    {"id": "b", "text": " = A heading = \n Nobody knew why the lights had gone out , and nobody @-@ asked ."},
    {"sentences": ["She walked to the village and bought bread.", "It rained."], "title": None},
]
LINES = "\n".join(map(json.dumps, ROWS)).encode()


def safetensors(table: Any) -> bytes:
    text = _json(table)
    return struct.pack("<Q", len(text)) + text + bytes(32)


TABLE = {
    "__metadata__": {"format": "pt"},
    "a.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
    "b.weight": {"dtype": "BF16", "shape": [8], "data_offsets": [16, 32]},
}


def _manifest(drawn: Any, folder: Path) -> object:
    """Whatever a manifest says, sealed or not: the folder verifies with the right numbers, or is called damaged."""
    value, sealed = drawn if isinstance(drawn, tuple) else (drawn, False)
    address = Address(folder, "org__model", "main", "stage", {"n": 1})
    if not address.folder.exists():
        address.save(StageResult({}, {"n": 1}), 0)
    if sealed and isinstance(value, dict):
        value["sha256"] = _seal(value)
    whole = (address.folder / MANIFEST).read_bytes()
    (address.folder / MANIFEST).write_bytes(value if isinstance(value, bytes) else _json(value))
    try:
        if address.status().done:
            assert address.load().meta == {"n": 1}
            return address.seconds()
        return address.load()  # raises
    finally:
        (address.folder / MANIFEST).write_bytes(whole)


def _good_manifest() -> Any:
    inputs, file = {"n": 1}, {"bytes": 11, "sha256": "0" * 64}
    files = {"meta.json": file}
    return {"stage": "stage", "key": Address(Path(), "", "", "stage", inputs).key, "inputs": inputs,
            "seconds": 0.0, "files": files, "sha256": "0" * 64}  # fmt: skip


COMMANDS = ("run", "plan", "boundaries", "theory", "intervene", "check", "compare", "explain", "report", "gc")
# No study that is shipped, and no command that trains or simulates: they would be right, and take minutes.
WORDS = (
    *("here.yaml", "nowhere", "results", "results.json", "--out", "out", "--set", "seed=1", "twins.seeds=x"),
    *(
        "--corpus",
        "text.txt",
        "--treebank",
        "--help",
        "--version",
        "--quiet",
        "-q",
        "-o",
        "--venue",
        "neurips",
    ),
    *("icml", "--workers", "-1", "9" * 30, "=", "--set=a", "--", "-", "--no-such", "\u202e", "a/b/c", "[x]"),
    *("--max-documents", "0", "--dry-run", "zoo:none", "wheel:none", "atlas", "zoo", "list", "page", "add"),
)


def _command(words: list[str], folder: Path) -> object:
    """A status of 0 or 2 and a message; 70 is a fault of ours."""
    _written(folder, "here.yaml", STUDY.encode())
    told, out = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", ["mspgt", *words]),
        contextlib.redirect_stderr(told),
        contextlib.redirect_stdout(out),
    ):
        try:
            main()
            status: Any = 0
        except SystemExit as ended:
            status = ended.code or 0
    assert status in (0, 1, 2), (words, status, told.getvalue())
    assert status == 0 or told.getvalue() or out.getvalue(), words
    if status:
        raise MspgtError(told.getvalue() or out.getvalue())
    return status


def _targets() -> dict[str, Target]:
    study = (
        b"&a",
        b"*a",
        b"!!x",
        b"- ",
        b": ",
        b"{",
        b"[",
        b"|\n",
        b"1e400",
        b"0x1",
        b"? ",
        b"\t",
        b"null",
        b"'",
    )
    columns = (
        b"\t",
        b"\n",
        b"_",
        b"1-2",
        b"1.1",
        b"#",
        b"0",
        b"9" * 5000,
        b"-1",
        b"\n\n",
        b"B-X",
        b"I-",
        b"\r",
        b"\xff",
    )
    lines = (
        b"{",
        b"}",
        b"[",
        b"null",
        b"-1",
        b"1e9",
        b"\n",
        b'"',
        b"NaN",
        b"[" * 3000,
        b"\\ud800",
        b"9" * 5000,
    )
    results = {**planted(), "models": {"stories": planted()["models"]["stories"]}}
    good_results = _json(results)[:4000]
    of_entities = "".join(entities(name, ["see", name], "B-PER") for name in EVERY).encode()
    of_roles = "".join(roles(name, ["see", name]) for name in EVERY).encode()
    one_role = json.loads(roles("train-0", ["see", "train-0"]))
    return {
        "manifests": Target(
            st.tuples(misshapen(_good_manifest()), st.booleans()) | damaged(_json(_good_manifest()), lines),
            _manifest,
            _json(_good_manifest()),
        ),
        "tensor headers": Target(
            misshapen(TABLE).map(safetensors) | damaged(safetensors(TABLE), lines),
            _header,
            safetensors(TABLE),
        ),
        "CoNLL-U": Target(
            damaged(CONLLU["train"], columns), _treebank("t_train.conllu"), CONLLU["train"]
        ),
        "IOB2": Target(damaged(of_entities, columns), _treebank("e.iob2"), of_entities),
        "roles": Target(
            misshapen(one_role).map(_json) | damaged(of_roles, lines), _treebank("r.jsonl"), of_roles
        ),
        "JSONL": Target(
            misshapen(ROWS).map(lambda rows: b"\n".join(map(_json, rows if isinstance(rows, list) else [rows])))
            | damaged(LINES, lines),
            _corpus("text.jsonl"),
            LINES,
        ),
        "Parquet": Target(damaged(packed(ROWS[:2]), lines), _corpus("text.parquet"), packed(ROWS[:2])),
        "gzip": Target(
            damaged(gzip.compress(LINES, mtime=0), lines), _corpus("text.jsonl.gz"), gzip.compress(LINES)
        ),
        "model configs": Target(
            misshapen(CONFIG).map(_json) | damaged(_json(CONFIG), lines), _config, _json(CONFIG)
        ),
        "results": Target(misshapen(results) | damaged(good_results, lines), _results, good_results),
        "report": Target(misshapen(results), _report),
        "command line": Target(
            st.tuples(st.sampled_from(COMMANDS), st.lists(st.sampled_from(WORDS), max_size=5)).map(
                lambda drawn: [drawn[0], *drawn[1]]
            ),
            _command,
        ),
        "study files": Target(damaged(STUDY.encode(), study), _study, STUDY.encode()),
    }  # fmt: skip


TARGETS = _targets()
