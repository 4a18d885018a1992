"""Planted subjects beside the models of a study: each a stage in the store, drawn and judged by the code that ships.

    stages/planted/controls/<subject>-<key>    what was planted, what was found, hit or miss

They read nothing of the study but its section `boundaries`: they are tried by the rules that judge its models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mspgt.planted.recipe import CONTROLS, Control
from mspgt.results import PlantedControl, from_json, to_jsonable
from mspgt.study.config import StudyConfig
from mspgt.study.keys import code_of
from mspgt.study.store import Address, StageResult

FOLDER, REVISION = "planted", "controls"


def control_addresses(root: Path, config: StudyConfig) -> Iterator[tuple[Control, Address]]:
    """Every planted subject of a study, and where its result lies; none where the study has none."""
    if config.controls is None:
        return
    code = code_of(trial_result)
    for control in CONTROLS:
        inputs = {**asdict(control), "seed": control.seed, "code": code}
        if control.kind == "shocks":
            inputs["boundaries"] = config.boundaries.model_dump()
        stage = control.name.replace(",", "").replace(" ", "-")
        yield control, Address(root, FOLDER, REVISION, stage, inputs)


def trial_result(control: Control, boundaries: Mapping[str, Any]) -> StageResult:
    """One subject drawn, measured and judged: what it leaves in the store."""
    from mspgt.planted.trial import tried

    return StageResult(meta={"control": to_jsonable(tried(control, boundaries))})


def read_controls(root: Path, config: StudyConfig) -> dict[str, PlantedControl]:
    """Subject → what was found in it, from the store."""
    return {
        control.name: from_json(PlantedControl, address.load().meta["control"])
        for control, address in control_addresses(root, config)
    }
