"""Sensitivity of the loss to noise after each block: Fisher traces, the data Hessian, and measured slopes.

With J = −Σ_t log p(x_t | x_<t) of one text, h_l the residual stream after block l at every position but BOS, and
noise ε ~ N(0, σ² I) added to it (equation 29):

    tr F_l    E ‖∇_{h_l} Σ_t log p(y_t | x_<t)‖², y_t drawn from the model            (equation 30 as it should read)
    KL slope  E KL(clean ‖ noisy) = ½ σ² tr F_l + O(σ⁴)                                 always
    tr H_l    trace of ∇² J: E[J(h + ε) − J(h)] = ½ σ² tr H_l + O(σ⁴)                   equals tr F only if x ~ model
    empirical ‖∇_{h_l} Σ_t log p(x_t | x_<t)‖², as equation 30 is printed; its sign and size follow the data

Given x, the labels y_t are independent, so that cross terms between positions vanish and one backward pass of the
summed score is an unbiased draw of tr F at every layer at once. Noise is relative: σ_l = σ · std_l.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mspgt.errors import InputError, ModelError, NumericsError
from mspgt.lm.model import LanguageModel
from mspgt.lm.tokenize import Batch, Encoded, batches
from mspgt.theory.shifts import frozen, logits_of, shifted
from mspgt.vocabulary import Progress

Array = NDArray[np.float64]

HESSIAN_STEP = 0.02  # of an activation's standard deviation, shared out over the layers
SIXTEEN_BIT = (torch.float16, torch.bfloat16)
# The slopes' bias is O(σ²); beyond this the expansion says nothing, below this float32 rounding does.
SIGMA_RANGE = (1e-3, 0.5)

_LABELS, _HESSIAN, _NOISE, _ARM = range(4)  # streams of random numbers


@dataclass(frozen=True)
class Sensitivity:
    """What noise after each block does to N texts, in nats a text; layers 1..L.

    tokens: (N,) predicted tokens of each text. document: (N,). std: (L,) activation scale; sigmas: (S,) relative.
    fisher, empirical, hessian: (N, L) traces times std², so that ½ σ² × this is a loss. hessian None where it was
        not measured, for the reason in `missing`.
    kl, loss: (N, S, L) mean KL(clean ‖ noisy) and loss increase over antithetic pairs, noise after one block.
    arms: name → (N, 2): KL and loss increase with noise after all blocks of the arm; `arm_layers`, `arm_sigma`.
    """

    tokens: Array
    document: NDArray[np.int64]
    std: Array
    sigmas: Array
    fisher: Array
    empirical: Array
    hessian: Array | None
    kl: Array
    loss: Array
    arms: dict[str, Array] = field(default_factory=dict)
    arm_layers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    arm_sigma: float = 0.1
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def documents(self) -> int:
        return int(self.document.max()) + 1

    def per_token(self, values: Array, weights: Array | None = None) -> Array:
        """Mean a predicted token, (...), or (draws, ...) under document weights (draws, documents)."""
        w = np.ones((1, len(self.tokens))) if weights is None else np.atleast_2d(weights)[:, self.document]
        mean = np.tensordot(w, values, axes=1) / (w @ self.tokens).reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(mean[0] if weights is None else mean)

    def predicted(self, arm: str, weights: Array | None = None) -> Array:
        """½ Σ_l σ_l² tr F_l over the blocks of an arm, in nats a token (equation 30)."""
        traces = self.per_token(self.fisher, weights)
        chosen = [layer - 1 for layer in self.arm_layers[arm]]
        return 0.5 * self.arm_sigma**2 * traces[..., chosen].sum(-1)

    def zero_noise(self, values: Array, weights: Array | None = None) -> Array:
        """2 × slope per σ² as σ → 0 by a line in σ² (the O(σ⁴) term), times std²: (L,) or (draws, L)."""
        slope = 2 * self.per_token(values, weights) / self.sigmas[:, None] ** 2
        if len(self.sigmas) == 1:
            return np.asarray(slope[..., 0, :])
        x = self.sigmas**2
        # Noise of a slope is about the same at every σ (the draws are shared), so that plain least squares fits.
        line = np.linalg.pinv(np.stack([np.ones_like(x), x], axis=1))[0]
        return np.asarray(np.tensordot(slope, line, axes=(-2, 0)))


def measure_sensitivity(
    lm: LanguageModel,
    encoded: Sequence[Encoded],
    document: Sequence[int],
    std: Array,
    *,
    sigmas: Sequence[float] = (0.05, 0.1),
    arms: Mapping[str, Sequence[int]] | None = None,
    arm_sigma: float = 0.1,
    draws: int = 1,
    label_draws: int = 4,
    hessian_draws: int = 8,
    batch_tokens: int = 1024,
    seed: int = 0,
    numbers: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Run texts forward and backward and count what noise after each block costs.

    Args:
        encoded: texts of at least two tokens.
        document: (texts,) document of each.
        std: (L,) activation standard deviation after each block: the unit of noise.
        sigmas: relative noise of the measured slopes, each in [0.001, 0.5].
        arms: name → blocks perturbed together with `arm_sigma`.
        draws: noise pairs of each text and layer. label_draws: labels drawn for tr F, one backward pass each.
        hessian_draws: directions of Hutchinson's estimate; 0 leaves the Hessian out. All layers move at once,
            so that a direction is cheap and noisy.
        batch_tokens: changes speed and memory, not results: random numbers are keyed by text and layer.
        numbers: of each text, by which its random numbers are keyed; its place, unless the texts are some of many.

    Raises:
        ModelError: no gradient comes through the model (a quantised one, say).
        NumericsError: activations of a layer do not vary, or a value is not finite.
        InputError: a text without a predicted token, or noise outside the range.
    """
    noise = np.asarray(sigmas, dtype=np.float64)
    _require_usable(lm, encoded, std, noise, arm_sigma)
    lacking = _why_no_hessian(lm, hessian_draws)
    directions = 0 if lacking else hessian_draws
    found = _zeros(encoded, document, std, noise, arms or {}, arm_sigma, lacking)
    keys = range(len(encoded)) if numbers is None else numbers
    job = _Noise(lm, torch.as_tensor(std, dtype=torch.float32), seed, keys)
    done, total = 0, len(encoded) * (1 + directions + draws * (lm.layers + len(found.arms)))

    def step(texts: int) -> None:
        nonlocal done
        done += texts
        if progress is not None:
            progress(done, total, "sensitivity to noise, passes of texts")

    with frozen(lm.model):
        for batch in batches(encoded, max_tokens=batch_tokens):
            _add_traces(found, job, batch, label_draws, directions, step)
            _add_slopes(found, job, batch, draws, step)
    for name, values in (("Fisher traces", found.fisher), ("KL slopes", found.kl)):
        if not np.isfinite(values).all():
            raise NumericsError(f"{lm.name}: {name} are not finite ({lm.dtype}). Load with dtype='float32'.")
    return found


def _zeros(
    encoded: Sequence[Encoded],
    document: Sequence[int],
    std: Array,
    sigmas: Array,
    arms: Mapping[str, Sequence[int]],
    arm_sigma: float,
    lacking: str,
) -> Sensitivity:
    """What batches are summed into; `lacking`: why there will be no Hessian."""
    n, depth = len(encoded), len(std)
    return Sensitivity(
        tokens=np.array([len(text.ids) - 1 for text in encoded], dtype=np.float64),
        document=np.asarray(document, dtype=np.int64),
        std=np.asarray(std, dtype=np.float64),
        sigmas=sigmas,
        fisher=np.zeros((n, depth)),
        empirical=np.zeros((n, depth)),
        hessian=None if lacking else np.zeros((n, depth)),
        kl=np.zeros((n, len(sigmas), depth)),
        loss=np.zeros((n, len(sigmas), depth)),
        arms={name: np.zeros((n, 2)) for name in arms},
        arm_layers={name: tuple(layers) for name, layers in arms.items()},
        arm_sigma=arm_sigma,
        missing={"hessian": lacking} if lacking else {},
    )


def _require_usable(
    lm: LanguageModel, encoded: Sequence[Encoded], std: Array, sigmas: Array, arm_sigma: float
) -> None:
    low, high = SIGMA_RANGE
    if not sigmas.size or not ((sigmas >= low) & (sigmas <= high)).all() or not low <= arm_sigma <= high:
        raise InputError(
            f"Expected relative noise within [{low}, {high}] activation standard deviations, found {sigmas.tolist()} "
            f"and {arm_sigma} for arms: below it rounding is measured, beyond it no slope."
        )
    if not encoded or min(len(text.ids) for text in encoded) < 2:
        raise InputError("Expected texts of at least two tokens each; drop shorter ones first.")
    if len(std) != lm.layers or not (np.isfinite(std).all() and (std > 0).all()):
        raise NumericsError(f"Expected {lm.layers} positive activation scales, found {np.asarray(std)}.")
    _require_gradient(lm, encoded[0])


def _why_no_hessian(lm: LanguageModel, draws: int) -> str:
    """Empty where it can be measured."""
    if not draws:
        return "not asked for"
    if lm.dtype not in SIXTEEN_BIT:
        return ""
    return f"differences of gradients are lost in the rounding of {lm.dtype}; load with dtype='float32'"


def _add_traces(
    found: Sensitivity,
    job: _Noise,
    batch: Batch,
    label_draws: int,
    directions: int,
    step: Callable[[int], None],
) -> None:
    """Fisher, empirical and Hessian traces of a batch."""
    rows = np.array(batch.indices)
    found.fisher[rows], found.empirical[rows] = _gradient_traces(job, batch, label_draws)
    step(len(rows))
    for draw in range(directions):
        assert found.hessian is not None
        found.hessian[rows] += _hessian_traces(job, batch, draw) / directions
        step(len(rows))


@torch.no_grad()
def _add_slopes(
    found: Sensitivity, job: _Noise, batch: Batch, draws: int, step: Callable[[int], None]
) -> None:
    """KL and loss of a batch under noise after each block, and after all blocks of each arm."""
    rows = np.array(batch.indices)
    clean = torch.log_softmax(logits_of(job.lm, batch), -1)
    for draw in range(draws):
        for layer in range(1, job.lm.layers + 1):
            for at, sigma in enumerate(found.sigmas):
                pair = job.pair(batch, clean, (layer,), float(sigma), (_NOISE, draw))
                found.kl[rows, at, layer - 1] += pair[:, 0] / draws
                found.loss[rows, at, layer - 1] += pair[:, 1] / draws
            step(len(rows))
        for name, layers in found.arm_layers.items():
            found.arms[name][rows] += job.pair(batch, clean, layers, found.arm_sigma, (_ARM, draw)) / draws
            step(len(rows))


def score(logits: Tensor, labels: Tensor, valid: Tensor) -> Tensor:
    """Σ_t log p(label_t) of each row, (B,): logits (B, T, V), labels (B, T), valid (B, T) bool."""
    picked = torch.log_softmax(logits, -1).gather(-1, labels[..., None])[..., 0]
    return (picked * valid).sum(-1)


def draw_labels(logits: Tensor, uniform: Tensor) -> Tensor:
    """Labels drawn from softmax(logits) by inverting the distribution at `uniform` (B, T) in [0, 1)."""
    cumulative = torch.softmax(logits.detach(), -1).cumsum(-1)
    target = uniform.to(cumulative) * cumulative[..., -1]
    return torch.searchsorted(cumulative, target[..., None]).squeeze(-1).clamp(max=logits.shape[-1] - 1)


def squared_gradients(value: Tensor, shifts: Sequence[Tensor], where: Tensor, retain: bool) -> Tensor:
    """‖∂ value / ∂ shift‖² of each row over the positions `where` (B, T), for every shift: (B, shifts)."""
    gradients = torch.autograd.grad(value.sum(), shifts, retain_graph=retain)
    each = [(g.float().square().sum(-1) * where.to(g.device)).sum(-1).cpu() for g in gradients]
    return torch.stack(each, dim=1)


class _Noise:
    """Perturbations of one model: unit noise keyed by text, layer and stream, scaled by the layer."""

    def __init__(self, lm: LanguageModel, std: Tensor, seed: int, numbers: Sequence[int]) -> None:
        self.lm, self.std, self.seed, self.numbers = lm, std, seed, numbers

    def unit(self, batch: Batch, layer: int, stream: tuple[int, int], signs: bool = False) -> Tensor:
        """(B, T, d) of N(0, 1), or of random signs; zero at BOS and at padding."""
        shape = (*batch.input_ids.shape, self.lm.width)
        drawn = torch.zeros(shape)
        for row, text in enumerate(batch.indices):
            filled = int(batch.attention_mask[row].sum())
            generator = _generator(self.seed, self.numbers[text], layer, *stream)
            values = torch.randn((filled, self.lm.width), generator=generator)
            drawn[row, :filled] = values.sign() if signs else values
        return (drawn * places(batch)[..., None]).to(self.lm.device)

    def pair(
        self, batch: Batch, clean: Tensor, layers: Sequence[int], sigma: float, stream: tuple[int, int]
    ) -> Array:
        """KL(clean ‖ noisy) and loss increase in nats, mean over noise and its negative: (B, 2)."""
        valid, labels = targets(batch, self.lm.device)
        shifts = {l: float(sigma * self.std[l - 1]) * self.unit(batch, l, stream) for l in layers}
        total = torch.zeros((len(batch.indices), 2), dtype=torch.float64)
        for sign in (1.0, -1.0):
            with shifted(self.lm.blocks, {l: sign * shift for l, shift in shifts.items()}):
                noisy = torch.log_softmax(logits_of(self.lm, batch), -1)
            divergence = (clean.exp() * (clean - noisy)).sum(-1) * valid
            rise = (clean - noisy).gather(-1, labels[..., None])[..., 0] * valid
            total += torch.stack([divergence.double().sum(-1), rise.double().sum(-1)], dim=1).cpu()
        return (total / 2).numpy()


def _generator(*key: int) -> torch.Generator:
    state = np.random.SeedSequence(key).generate_state(2, np.uint32)
    return torch.Generator().manual_seed((int(state[0]) << 31) ^ int(state[1]))


def places(batch: Batch) -> Tensor:
    """Positions that take noise: real tokens other than BOS, (B, T) bool."""
    return batch.attention_mask.bool() & ~batch.special


def targets(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor]:
    """(valid, next token), both (B, T): positions that predict a real token."""
    labels = torch.roll(batch.input_ids, -1, dims=1)
    valid = torch.roll(batch.attention_mask, -1, dims=1).bool() & batch.attention_mask.bool()
    valid[:, -1] = False
    return valid.to(device), labels.to(device)


def _leaves(job: _Noise, batch: Batch, shifts: Mapping[int, Tensor] | None = None) -> dict[int, Tensor]:
    shape = (*batch.input_ids.shape, job.lm.width)
    start = shifts or {l: torch.zeros(shape, device=job.lm.device) for l in range(1, job.lm.layers + 1)}
    return {layer: shift.detach().requires_grad_() for layer, shift in start.items()}


def _gradient_traces(job: _Noise, batch: Batch, draws: int) -> tuple[Array, Array]:
    """Fisher and empirical traces times std², each (B, L), from one forward and draws + 1 backward passes."""
    lm, where = job.lm, places(batch)
    leaves = _leaves(job, batch)
    valid, labels = targets(batch, lm.device)
    with torch.enable_grad(), shifted(lm.blocks, leaves):
        logits = logits_of(lm, batch)
    fisher = torch.zeros((len(batch.indices), lm.layers))
    for draw in range(draws):
        uniform = torch.zeros(batch.input_ids.shape)
        for row, text in enumerate(batch.indices):
            filled = int(batch.attention_mask[row].sum())
            key = _generator(job.seed, job.numbers[text], 0, _LABELS, draw)
            uniform[row, :filled] = torch.rand(filled, generator=key)
        own = score(logits, draw_labels(logits, uniform.to(lm.device)), valid)
        fisher += squared_gradients(own, list(leaves.values()), where, retain=True) / draws
    empirical = squared_gradients(score(logits, labels, valid), list(leaves.values()), where, retain=False)
    unit = job.std.square()
    return (fisher * unit).double().numpy(), (empirical * unit).double().numpy()


def _hessian_traces(job: _Noise, batch: Batch, draw: int) -> Array:
    """Hutchinson's vᵀHv at every layer from a difference of gradients along ±v, times std²: (B, L).

    All layers move at once; directions of different layers are independent, so cross terms average out.
    """
    lm, where = job.lm, places(batch)
    valid, labels = targets(batch, lm.device)
    step = HESSIAN_STEP / lm.layers**0.5
    directions = {l: job.unit(batch, l, (_HESSIAN, draw), signs=True) for l in range(1, lm.layers + 1)}
    difference: list[Tensor] = []
    for sign in (1.0, -1.0):
        moved = {l: sign * step * float(job.std[l - 1]) * v for l, v in directions.items()}
        leaves = _leaves(job, batch, moved)
        with torch.enable_grad(), shifted(lm.blocks, leaves):
            value = -score(logits_of(lm, batch), labels, valid).sum()
        gradients = torch.autograd.grad(value, list(leaves.values()))
        difference = [
            g if sign > 0 else d - g for d, g in zip(difference or gradients, gradients, strict=True)
        ]
    each = [
        ((d.float() * v).sum(-1) * where.to(d.device)).sum(-1).cpu()
        for d, v in zip(difference, directions.values(), strict=True)
    ]
    return (torch.stack(each, dim=1) * job.std / (2 * step)).double().numpy()


def _require_gradient(lm: LanguageModel, text: Encoded) -> None:
    """ModelError unless a gradient reaches the first block from the logits."""
    batch = next(batches([text], max_tokens=len(text.ids)))
    shape = (*batch.input_ids.shape, lm.width)
    leaf = torch.zeros(shape, device=lm.device, requires_grad=True)
    why = "the logits do not depend on it"
    found = None
    with frozen(lm.model):
        try:
            with torch.enable_grad(), shifted(lm.blocks, {1: leaf}):
                value = logits_of(lm, batch).square().sum()
            (found,) = torch.autograd.grad(value, [leaf], allow_unused=True)
        except torch.OutOfMemoryError:  # says nothing of gradients
            raise
        except RuntimeError as error:
            why = str(error).splitlines()[0]
    if found is None or not bool(found.ne(0).any()):
        raise ModelError(
            f"No gradient comes through {lm.name} from its logits to block 1 ({why}): quantised weights often "
            "allow none. Load the unquantised model for Fisher traces; everything else of the theory still runs."
        )
