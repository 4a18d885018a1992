"""The plans that a run folder holds, each with its results and the stages that it uses.

    plans/<hash>/
        plan.json, study.yaml     written before anything runs
        stages.json               folders of the stages that its results are made of; the scales that parts start from
        results.json              once it is finished

Stages are shared: whatever has the same key is computed once, whichever plan asks for it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mspgt.errors import InputError, StoreError
from mspgt.study.store import Address, write_json

PLANS = "plans"
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
        path = self.folder / "stages.json"
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


def use_stages(one: Kept, root: Path, addresses: Iterable[Address], **more: Any) -> None:
    """Write down which stages a plan is made of."""
    folders = sorted({address.folder.relative_to(root).as_posix() for address in addresses})
    write_json(one.folder / "stages.json", {"folders": folders, **more})


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

    Raises:
        InputError: the folder holds no plan. StoreError: what a plan uses cannot be read.
    """
    plans = kept_plans(root)
    if not plans:
        raise InputError(
            f"{root}: expected a run folder with a folder `{PLANS}`, found none. Run a study first."
        )
    used = {folder for one in plans for folder in one.stages()["folders"]}
    for place in sorted((root / "stages").glob("*/*/*")):
        name = place.relative_to(root).as_posix()
        noted = place.name.removeprefix("missing-").removesuffix(".json")
        if name in used or (place.parent / noted).relative_to(root).as_posix() in used:
            continue
        files = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
        yield place, sum(path.stat().st_size for path in files)


def drop(root: Path, name: str) -> None:
    """Give up a plan: its folder goes, its stages go with the next removal of what is unused.

    Raises:
        InputError: no kept plan, or more than one, begins with that name; or it is the one that the folder shows.
    """
    found = [one for one in kept_plans(root) if one.name.startswith(name)]
    if len(found) != 1 or not name:
        known = ", ".join(one.name for one in kept_plans(root))
        raise InputError(f"expected the start of one plan's hash, found {name!r}; the folder keeps: {known}.")
    shutil.rmtree(found[0].folder)
