"""Statistics to named arrays and back, so that the store need not know what they are."""

from __future__ import annotations

import numpy as np
import torch

from mspgt.signals.cka import LayerTables
from mspgt.signals.geometry import Geometry
from mspgt.signals.measure import DRIFT_SETS, Scales, Shard
from mspgt.signals.probes import ProbeResults
from mspgt.signals.tokens import TOKEN_SETS
from mspgt.study.store import Arrays, StageResult

_TABLES = ("sizes", "total", "self_pair", "self_chain", "next_pair", "next_chain")
_SCALES = ("median_norm", "std", "std_all", "std_dimension")


def pack_scales(scales: Scales) -> StageResult:
    meta = {"tokens": scales.tokens, "sinks": scales.sinks}
    return StageResult({name: getattr(scales, name) for name in _SCALES}, meta)


def unpack_scales(result: StageResult) -> Scales:
    median_norm, std, std_all, by_dimension = (result.arrays[name] for name in _SCALES)
    return Scales(median_norm, std, std_all, by_dimension, result.meta["tokens"], result.meta["sinks"])


def pack_pairing(pairing: np.ndarray) -> StageResult:
    return StageResult({"pairing": pairing}, {})


def unpack_pairing(result: StageResult) -> np.ndarray:
    return result.arrays["pairing"]


def pack_shard(shard: Shard) -> StageResult:
    arrays: Arrays = {"sentence_document": shard.sentence_document}
    dtype = next(iter(shard.hidden.values())).dtype
    for name in TOKEN_SETS:
        hidden = shard.hidden[name].contiguous()
        # NumPy has no bfloat16: its bits travel as int16.
        arrays[f"hidden.{name}"] = (hidden.view(torch.int16) if dtype == torch.bfloat16 else hidden).numpy()
        arrays[f"token_document.{name}"] = shard.token_document[name]
    arrays |= {f"drift.{name}": values for name, values in shard.drift.items()}
    meta = {"sinks": shard.sinks, "real": shard.real, "bfloat16": dtype == torch.bfloat16}
    return StageResult(arrays, meta)


def unpack_shard(result: StageResult) -> Shard:
    def hidden(name: str) -> torch.Tensor:
        tensor = torch.from_numpy(result.arrays[f"hidden.{name}"])
        return tensor.view(torch.bfloat16) if result.meta["bfloat16"] else tensor

    def each(key: str, names: tuple[str, ...] = TOKEN_SETS) -> dict[str, np.ndarray]:
        return {name: result.arrays[f"{key}.{name}"] for name in names}

    return Shard(
        drift=each("drift", DRIFT_SETS),
        sentence_document=result.arrays["sentence_document"],
        hidden={name: hidden(name) for name in TOKEN_SETS},
        token_document=each("token_document"),
        sinks=result.meta["sinks"],
        real=result.meta["real"],
    )


def pack_geometry(geometry: Geometry, meta: dict[str, object]) -> StageResult:
    arrays = {"with_sinks": geometry.with_sinks}
    for name in TOKEN_SETS:
        tables = geometry.tables[name]
        arrays |= {f"tables.{name}.{field}": getattr(tables, field) for field in _TABLES}
    for name in DRIFT_SETS:
        arrays[f"drift.{name}"] = geometry.drift[name]
        arrays[f"sentences.{name}"] = geometry.sentences[name]
    zero = {name: geometry.tables[name].zero_diagonal for name in TOKEN_SETS}
    return StageResult(arrays, {**meta, "zero_diagonal": zero})


def unpack_geometry(result: StageResult) -> Geometry:
    arrays = result.arrays
    tables = {
        name: LayerTables(
            **{field: arrays[f"tables.{name}.{field}"] for field in _TABLES},
            zero_diagonal=result.meta["zero_diagonal"][name],
        )
        for name in TOKEN_SETS
    }
    return Geometry(
        tables=tables,
        with_sinks=arrays["with_sinks"],
        drift={name: arrays[f"drift.{name}"] for name in DRIFT_SETS},
        sentences={name: arrays[f"sentences.{name}"] for name in DRIFT_SETS},
    )


def pack_probes(probes: ProbeResults) -> StageResult:
    return StageResult(probes.to_arrays(), probes.meta())


def unpack_probes(result: StageResult) -> ProbeResults:
    return ProbeResults.from_arrays(result.arrays, result.meta)
