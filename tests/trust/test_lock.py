"""The locked install: every release with a hash, none from an address, and all that pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def locked(text: str) -> dict[str, str]:
    """Name → version of a lock file.

    Raises:
        AssertionError: a line names an address or an option, or a release has no hash.
    """
    found = {}
    entries = re.sub(r"\s*\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.M)).splitlines()
    for entry in entries:
        assert "://" not in entry, entry
        match = re.match(r"([a-z0-9][a-z0-9.-]*)==(\S+)(?: ;.*?)?((?: --hash=sha256:[0-9a-f]{64})+)$", entry)
        assert match, entry
        found[match[1]] = match[2]
    return found


def lacking(found: dict[str, str]) -> list[str]:
    """What pyproject.toml asks for, and the lock does not hold in a version that it allows."""
    asked = [Requirement(one) for one in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]]
    return [
        str(one)
        for one in asked
        if not one.specifier.contains(found.get(canonicalize_name(one.name), "0"), prereleases=True)
        or canonicalize_name(one.name) not in found
    ]


def test_every_release_has_a_hash_and_meets_what_is_asked() -> None:
    found = locked(LOCK.read_text("utf-8"))
    assert len(found) > 50
    assert lacking(found) == []


def test_a_lock_that_is_behind_or_without_a_hash_is_seen() -> None:
    text = LOCK.read_text("utf-8")
    assert lacking({**locked(text), "transformers": "5.0.0"}) == [
        next(one for one in PROJECT["dependencies"] if one.startswith("transformers"))
    ]
    with pytest.raises(AssertionError):
        locked(text.replace(re.search(r"numpy==.*\n\s+--hash.*", text)[0], "numpy==2.4.6"))
    with pytest.raises(AssertionError):
        locked("--find-links wheels\n" + text)
