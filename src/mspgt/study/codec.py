"""Statistics to named arrays and back, so that the store need not know what they are."""

from __future__ import annotations

import numpy as np
import torch

from mspgt.signals.document_tables import LayerTables
from mspgt.signals.geometry import Geometry, Spread
from mspgt.signals.measure import DRIFT_SETS, Scales, Shard
from mspgt.signals.precision import Precision
from mspgt.signals.probes import ProbeResults
from mspgt.signals.similarity import UpdateSimilarity
from mspgt.signals.tokens import TOKEN_SETS
from mspgt.study.store import Arrays, StageResult

_OF_TOKENS = ("norm_ratio", "rank", "first")
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
    arrays |= {key: getattr(shard, key) for key in _OF_TOKENS}
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
        **{key: result.arrays[key] for key in _OF_TOKENS},
    )


def pack_geometry(geometry: Geometry, meta: dict[str, object]) -> StageResult:
    arrays: Arrays = {}
    for name in TOKEN_SETS:
        tables = geometry.tables[name]
        arrays |= {f"tables.{name}.{field}": getattr(tables, field) for field in _TABLES}
    for name in DRIFT_SETS:
        arrays[f"drift.{name}"] = geometry.drift[name]
        arrays[f"sentences.{name}"] = geometry.sentences[name]
    for group in ("metrics", "variants"):
        arrays |= {f"{group}.{name}": value for name, value in getattr(geometry, group).items()}
    for name, spread in geometry.spread.items():
        arrays[f"participation.{name}"], arrays[f"largest.{name}"] = spread.participation, spread.largest
    similarity = geometry.similarity
    if similarity is not None:
        arrays |= {f"similarity.{name}": value for name, value in similarity.matrices.items()}
        arrays |= {f"of.{key}": getattr(similarity, key) for key in ("states", "pairs", "sizes")}
    about = {
        "across": {name: geometry.tables[name].across for name in TOKEN_SETS},
        "drawn_by_set": geometry.drawn,
        "similarity_tokens": None if similarity is None else similarity.tokens,
    }
    return StageResult(arrays, {**meta, **about})


def unpack_geometry(result: StageResult) -> Geometry:
    arrays, meta = result.arrays, result.meta

    def group(start: str) -> dict[str, np.ndarray]:
        return {name.removeprefix(start): value for name, value in arrays.items() if name.startswith(start)}

    tables = {
        name: LayerTables(
            **{field: arrays[f"tables.{name}.{field}"] for field in _TABLES}, across=meta["across"][name]
        )
        for name in TOKEN_SETS
    }
    participation, largest = group("participation."), group("largest.")
    similarity = None
    if meta["similarity_tokens"] is not None:
        similarity = UpdateSimilarity(group("similarity."), tokens=meta["similarity_tokens"], **group("of."))
    return Geometry(
        tables=tables,
        drift={name: arrays[f"drift.{name}"] for name in DRIFT_SETS},
        sentences={name: arrays[f"sentences.{name}"] for name in DRIFT_SETS},
        metrics=group("metrics."),
        variants=group("variants."),
        spread={name: Spread(participation[name], largest[name]) for name in participation},
        similarity=similarity,
        drawn=meta["drawn_by_set"],
    )


def pack_precision(precision: Precision) -> StageResult:
    arrays: Arrays = {"states": precision.states}
    for name, signals in (("own", precision.own), ("float32", precision.float32)):
        arrays |= {f"{name}.{signal}": values for signal, values in signals.items()}
    meta = {key: getattr(precision, key) for key in ("documents", "sentences", "tokens")}
    return StageResult(arrays, meta)


def unpack_precision(result: StageResult) -> Precision:
    def each(name: str) -> dict[str, np.ndarray]:
        start = f"{name}."
        return {key.removeprefix(start): v for key, v in result.arrays.items() if key.startswith(start)}

    return Precision(states=result.arrays["states"], own=each("own"), float32=each("float32"), **result.meta)


def pack_probes(probes: ProbeResults) -> StageResult:
    return StageResult(probes.to_arrays(), probes.meta())


def unpack_probes(result: StageResult) -> ProbeResults:
    return ProbeResults.from_arrays(result.arrays, result.meta)
