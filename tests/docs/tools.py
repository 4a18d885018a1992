"""The tools that write pages from figures, which lie beside the pages and not in a package."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"


def tool(name: str) -> ModuleType:
    """A module of `docs/tools`."""
    sys.path.insert(0, str(DOCS / "tools"))
    try:
        return import_module(name)
    finally:
        sys.path.pop(0)
