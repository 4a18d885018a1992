"""The plans that a run folder holds, each with its results and the stages that it uses.

    plans/<hash>/
        plan.json, study.yaml     written before anything runs
        stages.json               folders of the stages that its results are made of, or that it is about to compute
        results.json              once it is finished

Stages are shared: whatever has the same key is computed once, whichever plan asks for it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mspgt.errors import InputError, StoreError
from mspgt.study.store import Address, write_json

PLANS, STAGES = "plans", "stages"
USED = "stages.json"
COPIED = ("plan.json", "study.yaml", "results.json")


@dataclass(frozen=True)
class Kept:
    """One plan of a run folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    def stages(self) -> dict[str, Any]:
        """What `stages.json` holds; nothing of it where the plan was just claimed.

        Raises:
            StoreError: it cannot be read, so that nobody can say what the plan uses.
        """
        path = self.folder / USED
        try:
            found = json.loads(path.read_text("utf-8"))
            folders = [str(one) for one in found["folders"]]
            return {**found, "folders": folders}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{path}: expected the stages of a kept plan, found: {error!r}. Run that plan again, or remove "
                f"{self.folder} to give it up."
            ) from error


def kept_plans(root: Path) -> list[Kept]:
    """The plans of a run folder, the oldest first."""
    folders = [path for path in (root / PLANS).glob("*") if (path / "plan.json").is_file()]
    return [Kept(path) for path in sorted(folders, key=lambda path: (path.stat().st_mtime, path.name))]


def kept(root: Path, plan_hash: str) -> Kept:
    """The place of a plan in a run folder."""
    return Kept(root / PLANS / plan_hash[:16])


def claim_stages(one: Kept, root: Path, addresses: Iterable[Address]) -> None:
    """Write down what a plan is about to compute beside what it uses already: nobody collects it meanwhile."""
    before = one.stages()["folders"] if (one.folder / USED).is_file() else []
    folders = {address.folder.relative_to(root).as_posix() for address in addresses}
    write_json(one.folder / USED, {"folders": sorted(folders.union(before))})


def use_stages(one: Kept, root: Path, addresses: Iterable[Address]) -> None:
    """Write down which stages a plan is made of, and no others."""
    folders = sorted({address.folder.relative_to(root).as_posix() for address in addresses})
    write_json(one.folder / USED, {"folders": folders})


def put_aside(root: Path) -> None:
    """Keep plan, study file and results that stand in a folder from before plans had folders of their own."""
    try:
        there = str(json.loads((root / "plan.json").read_text("utf-8"))["hash"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{root / 'plan.json'}: not a plan ({error!r}). Choose another --out.") from error
    place = kept(root, there).folder
    if place.exists():
        return
    place.mkdir(parents=True)
    for name in COPIED:
        if (root / name).is_file():
            shutil.copy2(root / name, place / name)


def unused(root: Path) -> Iterator[tuple[Path, int]]:
    """Stage folders, and what broken writes left, that no kept plan uses; each with its bytes.

    No link is followed: what lies behind one is not of this folder.

    Raises:
        InputError: the folder holds no plan, or its stages lie behind a link. StoreError: what a plan uses cannot be
            read.
    """
    plans = kept_plans(root)
    if not plans:
        raise InputError(
            f"{root}: expected a run folder with a folder `{PLANS}`, found none. Run a study first."
        )
    stages = root / STAGES
    if stages.is_symlink():
        raise InputError(
            f"{stages}: expected a folder, found a link to {stages.readlink()}. Nothing outside a run folder is "
            "removed: give the folder its stages back, or remove by hand."
        )
    used = {folder for one in plans for folder in one.stages()["folders"]}
    for model in _folders(stages):
        for state in _folders(model):
            at = state.relative_to(root).as_posix()
            for name in sorted(entry.name for entry in os.scandir(state)):
                noted = name.removeprefix("missing-").removesuffix(".json")
                if f"{at}/{name}" not in used and f"{at}/{noted}" not in used:
                    yield state / name, _bytes(state / name)


def _folders(place: Path) -> list[Path]:
    """The folders in a folder, links to folders not among them."""
    if not place.is_dir():
        return []
    with os.scandir(place) as entries:
        return sorted(place / entry.name for entry in entries if entry.is_dir(follow_symlinks=False))


def _bytes(place: Path) -> int:
    """What removing a file, a link or a folder gives back."""
    if place.is_symlink() or not place.is_dir():
        return place.lstat().st_size
    return sum((Path(folder) / name).lstat().st_size for folder, _, names in os.walk(place) for name in names)


def remove(place: Path) -> None:
    """Remove what `unused` found, under no name that a run would look for if this is cut short.

    Raises:
        StoreError: it cannot be removed (permissions).
    """
    aside = place.with_name(f".{place.name.lstrip('.')}.{os.getpid()}.old")
    try:
        place.rename(aside)
        if aside.is_symlink() or not aside.is_dir():
            aside.unlink()
        else:
            shutil.rmtree(aside)
        for folder in (place.parent, place.parent.parent):
            if not any(folder.iterdir()):
                folder.rmdir()
    except OSError as error:
        raise StoreError(f"{place}: could not be removed ({error}). Look at its permissions.") from error


def drop(root: Path, name: str) -> None:
    """Give up a plan: its folder goes, its stages go with the next removal of what is unused.

    Raises:
        InputError: no kept plan, or more than one, begins with that name; or it is the one that the folder shows.
    """
    found = [one for one in kept_plans(root) if one.name.startswith(name)]
    if len(found) != 1 or not name:
        known = ", ".join(one.name for one in kept_plans(root))
        raise InputError(f"expected the start of one plan's hash, found {name!r}; the folder keeps: {known}.")
    if found[0].folder.is_symlink():
        raise InputError(
            f"{found[0].folder}: expected a folder, found a link. Nothing outside a run folder is removed."
        )
    shutil.rmtree(found[0].folder)
