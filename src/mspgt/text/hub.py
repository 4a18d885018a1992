"""Data sets of the Hugging Face hub, through the optional `datasets` package."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mspgt.errors import InputError, MissingExtraError

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(:[\w.-]*){0,2}")
_FILE_ENDINGS = frozenset(
    [
        *(".txt", ".text", ".raw", ".tokens", ".jsonl", ".ndjson", ".json", ".md", ".gz", ".zip"),
        *(".conllu", ".conll", ".iob2", ".iob", ".bio", ".tsv"),
    ]
)
# Where the hub keeps its own conversion of a data set whose loading script nobody runs any more.
_CONVERTED = "refs/convert/parquet"


def is_hub_id(source: str | Path) -> bool:
    """Whether a source that does not exist may be asked of the hub: a misspelt path must never be."""
    return (
        isinstance(source, str)
        and _HUB_ID.fullmatch(source) is not None
        and Path(source).suffix.lower() not in _FILE_ENDINGS
        and not Path(source).parent.exists()
    )


def read_rows(source: str) -> list[Mapping[str, Any]]:
    """Rows of `owner/name[:configuration[:split]]`, split `validation` unless given; runs no code of theirs.

    Raises MissingExtraError without `datasets`, InputError where the data set cannot be loaded.
    """
    name, configuration, split = [*source.split(":"), "", ""][:3]
    return list(_load(source, name, configuration, split or "validation"))


def read_split(source: str, split: str) -> list[Mapping[str, Any]]:
    """Rows of one split of `owner/name[:configuration]`, class labels by their names. Raises as `read_rows`."""
    name, configuration = [*source.split(":"), ""][:2]
    data = _load(source, name, configuration, split)
    names = {
        column: labels
        for column, feature in data.features.items()
        if (labels := getattr(getattr(feature, "feature", None), "names", None)) is not None
    }
    return [
        {
            column: [names[column][i] for i in value] if column in names and value is not None else value
            for column, value in row.items()
        }
        for row in data
    ]


def _load(source: str, name: str, configuration: str, split: str) -> Any:
    try:
        from datasets import load_dataset
        from datasets.exceptions import DatasetsError
    except ImportError as error:
        raise MissingExtraError(
            f"there is no file {source}, and reading it as a hub data set needs the package `datasets`, "
            "which is not installed; check the path, or pip install 'mspgt[hub]'"
        ) from error
    try:
        try:
            return load_dataset(name, configuration or None, split=split)
        except RuntimeError as error:
            if "script" not in str(error).lower():
                raise
            return load_dataset(name, configuration or None, split=split, revision=_CONVERTED)
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"expected a hub data set {source} (`owner/name[:configuration[:split]]`) with a split {split}, but it "
            f"cannot be loaded: {error}; check the name and the network; one that needs a loading script cannot "
            "be used"
        ) from error
