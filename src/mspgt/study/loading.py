"""From a study file, or a mapping, to a checked configuration: overrides, paths, and errors that name the line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mspgt.errors import InputError, did_you_mean
from mspgt.study.config import StudyConfig
from mspgt.study.explain import explain
from mspgt.study.yaml12 import read_yaml

SHIPPED = Path(__file__).parent / "shipped"


def load_config(
    path: Path | str, overrides: tuple[str, ...] = (), data_given: dict[str, dict[str, Any]] | None = None
) -> StudyConfig:
    """Read a study file; relative paths in it are relative to the file.

    Args:
        path: YAML file, or the name of a shipped study.
        overrides: `section.key=value`, the value in YAML.
        data_given: a `corpus` or `treebank` in place of the file's; its limits (`max_…`) stay.

    Raises:
        InputError: the file is missing or no YAML, or a key or value is not allowed (all of them are listed).
    """
    file = Path(path)
    shipped = {f.stem: f for f in sorted(SHIPPED.glob("*.yaml"))}
    if not file.is_file():
        if str(path) not in shipped:
            raise InputError(
                f"{file}: no such study file. Expected a YAML file with name, models and corpus, or the name of a "
                f"shipped study: {', '.join(shipped)}.{did_you_mean(str(path), shipped)}"
            )
        file = shipped[str(path)]
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read: {error}. Save it as UTF-8 text.") from error
    data = read_yaml(text, str(file))
    if not isinstance(data, dict):
        raise InputError(
            f"{file}: expected a mapping with name, models and corpus, found {type(data).__name__}. "
            "`mspgt run --help` shows a study file."
        )
    _anchor_paths(data, file.resolve().parent)
    for section, given in (data_given or {}).items():
        limits = {key: value for key, value in (data.get(section) or {}).items() if key.startswith("max_")}
        data[section] = limits | given
    return make_config(data, overrides, where=str(file), text=text)


def make_config(
    data: dict[str, Any], overrides: tuple[str, ...] = (), *, where: str = "study", text: str = ""
) -> StudyConfig:
    """Validate a mapping, after applying `section.key=value` overrides.

    Args:
        where: what to call it in a message: its path.
        text: what its file holds, so that a message can name the line.

    Raises:
        InputError: a key or value is not allowed; all of them are listed, each with its place.
    """
    given = tuple(one.partition("=")[0] for one in overrides)
    for one in overrides:
        key, found, value = one.partition("=")
        if not found:
            raise InputError(f"--set {one!r}: expected section.key=value, for example boundaries.draws=500.")
        *sections, last = key.split(".")
        target = data
        for section in sections:
            target = target.setdefault(section, {})
            if not isinstance(target, dict):
                raise InputError(
                    f"--set {one!r}: expected a section, found the value {section!r}; name one of its own keys."
                )
        target[last] = read_yaml(value, f"--set {key}")
    try:
        return StudyConfig.model_validate(data)
    except ValidationError as error:
        raise InputError(explain(error, StudyConfig, where, text, given)) from error


def _anchor_paths(data: dict[str, Any], folder: Path) -> None:
    def anchored(value: Any) -> Any:
        if not isinstance(value, str) or not _could_be_path(value):
            return value
        if (folder / value).exists():
            return str(folder / value)
        # A folder for every step of a run: what stands before the step must be there.
        if "{}" in value and not Path(value).is_absolute() and list(folder.glob(value.replace("{}", "*"))):
            return str(folder / value)
        return value

    models = data.get("models")
    if isinstance(models, list):
        data["models"] = [
            {**m, "id": anchored(m["id"])} if isinstance(m, dict) and "id" in m else anchored(m)
            for m in models
        ]
    corpus, treebank = data.get("corpus"), data.get("treebank")
    if isinstance(corpus, dict) and "source" in corpus:
        corpus["source"] = anchored(corpus["source"])
    if isinstance(treebank, dict):
        for key in ("conllu", "entities", "roles"):
            if isinstance(treebank.get(key), list):
                treebank[key] = [anchored(item) for item in treebank[key]]


def _could_be_path(text: str) -> bool:
    """Whether the file system can be asked for it at all."""
    parts = Path(text).parts
    return (
        bool(parts)
        and "\0" not in text
        and "**" not in text
        and max(map(len, parts)) < 200
        and len(text) < 2000
    )
