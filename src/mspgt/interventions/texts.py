"""Writing the texts: every arm of a sample in one batch, and the table that they are kept in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from mspgt.interventions.arms import Arm
from mspgt.interventions.doses import Yardsticks, noise_sizes
from mspgt.interventions.prompts import Prompt
from mspgt.lm.generate import Generated, first_broken_layer, generate, log_likelihood
from mspgt.lm.model import LanguageModel

Scope = Literal["all", "generated"]

_SCHEMA = pa.schema(
    [
        ("sample", pa.int64()),
        ("document", pa.int64()),
        ("arm", pa.string()),
        ("prompt", pa.string()),
        ("prompt_tokens", pa.int64()),  # without special tokens in front
        ("text", pa.string()),
        ("ids", pa.list_(pa.int32())),  # of the text's tokens, which reading the text again may cut elsewhere
        ("tokens", pa.int64()),  # before the end-of-sequence token
        ("ended", pa.bool_()),  # whether there was one
        ("nats", pa.float64()),  # log-probability of the text under the unperturbed model
        ("broken_step", pa.int64()),  # the step whose logits were not finite, −1 for none
        ("broken_layer", pa.int64()),  # the block where that began, −1 for none or outside the blocks
    ]
)


@dataclass(frozen=True)
class Texts:
    """Texts of several arms over the same samples, one row a sample and arm."""

    table: pa.Table

    def to_parquet(self) -> bytes:
        buffer = BytesIO()
        pq.write_table(self.table, buffer, compression="zstd")
        return buffer.getvalue()

    @classmethod
    def from_parquet(cls, content: bytes) -> Texts:
        return cls(pq.read_table(BytesIO(content)))

    @classmethod
    def join(cls, parts: Sequence[Texts]) -> Texts:
        return cls(pa.concat_tables([part.table for part in parts]))

    @property
    def arms(self) -> list[str]:
        """Arms in the order in which they were planned."""
        return list(dict.fromkeys(self.table["arm"].to_pylist()))

    def of(self, arm: str) -> dict[str, list[Any]]:
        """The columns of one arm, in order of samples."""
        rows = self.table.filter(pc.equal(self.table["arm"], arm)).sort_by("sample")
        return dict(rows.to_pydict())

    def failure(self, arm: str) -> dict[str, Any] | None:
        """Where an arm's numbers stopped being finite, if they did: layer, samples, and words."""
        columns = self.of(arm)
        broken = [at for at, step in enumerate(columns["broken_step"]) if step >= 0]
        if not broken:
            return None
        layers = [columns["broken_layer"][at] for at in broken if columns["broken_layer"][at] > 0]
        layer = min(layers, default=None)
        where = f"after block {layer}" if layer else "outside the blocks"
        return {
            "layer": layer,
            "samples": len(broken),
            "reason": f"NaN or infinity began {where} in {len(broken)} of {len(columns['text'])} samples",
        }


def write_texts(
    lm: LanguageModel,
    prompts: Sequence[Prompt],
    arms: Sequence[Arm],
    yardsticks: Yardsticks,
    *,
    seed: int,
    new_tokens: int = 128,
    temperature: float = 1.0,
    top_p: float = 0.95,
    scope: Scope = "all",
    batch_rows: int = 112,
    progress: Callable[[int], None] | None = None,
) -> Texts:
    """Continue every prompt under every arm.

    Arms with the same noise and stream are written once. Prompts of one length share batches of about
    `batch_rows` rows; that, their order and their company change nothing.

    Args:
        scope: `all` perturbs every position but the first and special tokens in front; `generated` spares the
            prompt.
        progress: called with the number of samples finished.
    """
    kinds = list({arm.kind: arm for arm in arms}.values())
    sigma, own = noise_sizes(kinds, yardsticks)
    at_once = max(1, batch_rows // len(kinds))
    found: list[dict[str, Any]] = []

    def shape(prompt: Prompt) -> tuple[int, int]:
        return len(prompt.ids), prompt.spared

    for (length, spared), group in groupby(sorted(prompts, key=shape), key=shape):
        members = list(group)
        first = spared if scope == "all" else length
        for start in range(0, len(members), at_once):
            batch = members[start : start + at_once]
            ids = torch.tensor([prompt.ids for prompt in batch])
            written = generate(
                lm,
                ids,
                [prompt.sample for prompt in batch],
                sigma,
                seed=seed,
                streams=[kind.stream for kind in kinds],
                new_tokens=new_tokens,
                temperature=temperature,
                top_p=top_p,
                first=first,
                own=own,
            )
            layers = _broken_layers(lm, batch, ids, written, sigma, own, seed, first)
            found += _rows(lm, batch, ids, written, arms, kinds, layers)
            if progress is not None:
                progress(len(found) // len(arms))
    order = {arm.name: at for at, arm in enumerate(arms)}
    found.sort(key=lambda row: (row["sample"], order[row["arm"]]))
    return Texts(pa.Table.from_pylist(found, schema=_SCHEMA))


def _broken_layers(
    lm: LanguageModel,
    batch: Sequence[Prompt],
    ids: Tensor,
    written: Generated,
    sigma: Tensor,
    own: Tensor,
    seed: int,
    first: int,
) -> NDArray[np.int64]:
    """The block after which each text's numbers were first not finite, −1 for none, (samples, kinds)."""
    layers = np.full(written.broken.shape, -1, dtype=np.int64)
    for at, kind in (written.broken >= 0).nonzero().tolist():
        read = written.tokens[at, kind, : int(written.broken[at, kind])]
        layer = first_broken_layer(
            lm, ids[at], read, batch[at].sample, sigma[kind], seed=seed, first=first, own=bool(own[kind])
        )
        layers[at, kind] = -1 if layer is None else layer
    return layers


def _rows(
    lm: LanguageModel,
    batch: Sequence[Prompt],
    ids: Tensor,
    written: Generated,
    arms: Sequence[Arm],
    kinds: Sequence[Arm],
    layers: NDArray[np.int64],
) -> list[dict[str, Any]]:
    nats = log_likelihood(lm, ids, written).tolist()
    ended = written.ended.tolist()
    place = {kind.kind: at for at, kind in enumerate(kinds)}
    rows = []
    for at, prompt in enumerate(batch):
        before = lm.tokenizer.decode(list(prompt.ids[prompt.special :]))
        tokens_of = [
            written.tokens[at, kind, : int(written.lengths[at, kind])].tolist() for kind in range(len(kinds))
        ]
        texts = [lm.tokenizer.decode(tokens, skip_special_tokens=True) for tokens in tokens_of]
        for arm in arms:
            kind = place[arm.kind]
            rows.append(
                {
                    "sample": prompt.sample,
                    "document": prompt.document,
                    "arm": arm.name,
                    "prompt": before,
                    "prompt_tokens": len(prompt.ids) - prompt.special,
                    "text": texts[kind],
                    "ids": tokens_of[kind],
                    "tokens": int(written.lengths[at, kind]),
                    "ended": ended[at][kind],
                    "nats": nats[at][kind],
                    "broken_step": int(written.broken[at, kind]),
                    "broken_layer": int(layers[at, kind]),
                }
            )
    return rows


def documents_of(texts: Texts) -> NDArray[np.int64]:
    """The document of each sample, (samples,)."""
    return np.array(texts.of(texts.arms[0])["document"], dtype=np.int64)
