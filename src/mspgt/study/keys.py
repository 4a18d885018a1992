"""The address of a stage: what its function is given, and all the code that the function can reach.

Nobody lists source by hand. Whoever adds a stage names its function here and what it reads; the rest is found.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mspgt.study.closure import closure_of, release
from mspgt.study.identity import Identity
from mspgt.study.store import Address


def stage_address(
    root: Path, identity: Identity, stage: str, inputs: dict[str, Any], *functions: Callable[..., Any] | str
) -> Address:
    """Where the result of a stage lies.

    Args:
        inputs: every setting and every key of an earlier stage that can change the result.
        functions: what computes it, as functions or as "module:name"; their code enters the key by itself.
    """
    return Address(root, identity.folder, identity.revision, stage, {**inputs, "code": code_of(*functions)})


def code_of(*functions: Callable[..., Any] | str) -> dict[str, Any]:
    """What of a key is code: the hash of all source that functions can reach, and releases of libraries."""
    names = [
        function if isinstance(function, str) else f"{function.__module__}:{function.__qualname__}"
        for function in functions
    ]
    found = closure_of(*names)
    return {
        "functions": names,
        "sha256": found.sha256,
        "libraries": {name: release(name) for name in found.libraries},
    }
