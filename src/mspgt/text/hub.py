"""Data sets of the Hugging Face hub, through the optional `datasets` package."""

from collections.abc import Mapping
from typing import Any

from mspgt.errors import InputError, MissingExtraError


def read_rows(source: str) -> list[Mapping[str, Any]]:
    """Rows of `owner/name[:configuration[:split]]`, split `validation` unless given; runs no code of theirs.

    Raises MissingExtraError without `datasets`, InputError where the data set cannot be loaded.
    """
    try:
        from datasets import load_dataset
        from datasets.exceptions import DatasetsError
    except ImportError as error:
        raise MissingExtraError(
            f"there is no file {source}, and reading it as a hub data set needs the package `datasets`, "
            "which is not installed; check the path, or pip install 'mspgt[hub]'"
        ) from error
    name, configuration, split = [*source.split(":"), "", ""][:3]
    try:
        return list(load_dataset(name, configuration or None, split=split or "validation"))
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"expected a hub data set {source} (`owner/name[:configuration[:split]]`, split `validation` "
            f"unless given), but it cannot be loaded: {error}; check the "
            "name and the network; one that needs a loading script cannot be used"
        ) from error
