"""Activation stacks without a model: what a transformer would show if its geometry were known exactly.

Profiles over depth are chosen first, with boundaries or without; a stack is then drawn whose adjacent CKA,
label accuracies and attention drift are those profiles in closed form, in the shapes of a real observation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import ortho_group

from mspgt.errors import InputError


@dataclass(frozen=True)
class Profiles:
    """Truth of a stack: `cka` and `js` (bits) over its L-1 transitions, `accuracy` over its L layers.

    The paper's signals follow: S1 from `cka`, S2 = |accuracy step| / accuracy, S3 = `js`.
    """

    cka: np.ndarray
    js: np.ndarray
    accuracy: np.ndarray


@dataclass(frozen=True)
class Stack:
    """A drawn stack.

    `hidden` (layers, sentences, positions, width); `labels` (sentences, positions), 0 or 1; `attention`
    (layers, sentences, queries, keys), causal, rows summing to one.
    """

    hidden: np.ndarray
    labels: np.ndarray
    attention: np.ndarray


def plant(
    layers: int,
    boundaries: Sequence[int] = (),
    *,
    height: float = 5.0,
    roughness: float = 0.15,
    drift: float = 0.0,
    level: tuple[float, float, float] = (0.06, 0.02, 0.04),
    seed: int,
) -> Profiles:
    """Flat profiles with log-normal roughness, raised at each boundary by `height` SDs of its logarithm.

    `roughness` is that SD; `level` is the background of (-log CKA, |accuracy step| / accuracy, JS in bits), whose
    logarithm falls evenly by `drift` from the first transition to the last. A boundary at l is the transition from
    layer l to l+1. Raises InputError for boundaries outside 1..layers-1.
    """
    if any(not 1 <= b < layers for b in boundaries):
        raise InputError(f"boundaries of {layers} layers must lie in 1..{layers - 1}, got {list(boundaries)}")
    rng = np.random.default_rng(seed)
    log_shift = roughness * rng.standard_normal((3, layers - 1))
    log_shift[:, [b - 1 for b in boundaries]] += roughness * height
    log_shift -= drift * np.linspace(-0.5, 0.5, layers - 1)
    s1, s2, s3 = np.array(level)[:, None] * np.exp(log_shift)
    accuracy = [0.75]
    for step in s2:
        # Turning back at 0.65 and 0.85 keeps the reader away from chance and from certainty.
        up = accuracy[-1] * (1 + step) <= 0.85 and (accuracy[-1] * (1 - step) < 0.65 or rng.random() < 0.5)
        accuracy.append(accuracy[-1] * (1 + step if up else 1 - step))
    return Profiles(np.exp(-s1), s3, np.array(accuracy))


def sample_stack(profiles: Profiles, *, sentences: int, positions: int, width: int, seed: int) -> Stack:
    """Draw a stack with the given profiles.

    Geometry: h_{l+1} = cos θ_l Q_l h_l + sin θ_l ε, Q_l a random rotation, covariance the identity
    throughout, so the population's linear CKA(l, l+1) is cos² θ_l. One hidden direction carries the label, at
    the distance from zero that makes `accuracy` that of the best reader. Attention moves weight between even
    and odd keys.
    Raises InputError for profiles out of range, or an accuracy step too great for its transition's CKA.
    """
    _validate(profiles)
    rng = np.random.default_rng(seed)
    layers, shape = len(profiles.accuracy), (sentences, positions)
    labels = rng.integers(2, size=shape)
    cosine = np.sqrt(profiles.cka)
    # The label's direction is mean ± cos α plus noise of size sin α: accuracy is Φ(cot α), variance one.
    angle = np.arctan2(1.0, ndtri(profiles.accuracy))
    core = rng.standard_normal((*shape, width - 1))
    noise = rng.standard_normal(shape)
    hidden = np.empty((layers, *shape, width))
    for layer in range(layers):
        if layer:
            c, (a, b) = cosine[layer - 1], angle[layer - 1 : layer + 1]
            # Keeps the direction's own correlation at cos θ, like that of every other direction.
            kept = np.clip((c - np.cos(a) * np.cos(b)) / (np.sin(a) * np.sin(b)), -1.0, 1.0)
            core = c * core + np.sqrt(1 - c * c) * rng.standard_normal(core.shape)
            noise = kept * noise + np.sqrt(1 - kept * kept) * rng.standard_normal(shape)
        carrier = np.cos(angle[layer]) * (2 * labels - 1) + np.sin(angle[layer]) * noise
        rotation = ortho_group.rvs(width, random_state=rng)
        hidden[layer] = np.concatenate([core, carrier[..., None]], axis=-1) @ rotation
    return Stack(hidden, labels, _attention(profiles.js, shape, rng))


def _validate(profiles: Profiles) -> None:
    cka, js, accuracy = profiles.cka, profiles.js, profiles.accuracy
    if not len(cka) == len(js) == len(accuracy) - 1:
        raise InputError(
            "a stack of L layers needs L-1 values of cka and js and L of accuracy, got "
            f"{len(cka)}, {len(js)} and {len(accuracy)}"
        )
    for name, values, low, high in (
        ("cka", cka, 0.0, 1.0),
        ("js", js, 0.0, 0.31),
        ("accuracy", accuracy, 0.5, 1.0),
    ):
        if not ((values >= low) & (values <= high)).all():
            raise InputError(
                f"{name} must lie in [{low}, {high}], got {values.min():.3g} to {values.max():.3g}"
            )
    turn = np.abs(np.diff(np.arctan2(1.0, ndtri(accuracy))))
    room = np.arccos(np.sqrt(cka))
    if (turn > room + 1e-12).any():
        worst = int(np.argmax(turn - room)) + 1
        raise InputError(
            f"at transition {worst} the accuracy changes more than a CKA of {cka[worst - 1]:.4f} allows; "
            "lower that CKA or the accuracy step"
        )


def _attention(js: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    share = [0.9]
    for target in js:
        x = share[-1]
        end = 0.0 if x > 0.5 else 1.0
        share.append(brentq(lambda y, x=x, target=target: binary_js(x, y) - target, x, end) if target else x)
    sentences, positions = shape
    weights = np.tril(rng.gamma(1.0, size=(sentences, positions, positions)) + 1e-3)
    even = np.arange(positions) % 2 == 0
    halves = [
        weights * side / np.maximum((weights * side).sum(-1, keepdims=True), 1e-300) for side in (even, ~even)
    ]
    rows = np.stack([y * halves[0] + (1 - y) * halves[1] for y in share])
    rows[:, :, 0] = np.eye(positions)[0]  # the first query sees itself alone
    return rows


def binary_js(x: float, y: float) -> float:
    """Jensen-Shannon divergence in bits between (x, 1-x) and (y, 1-y)."""

    def bits(p: float) -> float:
        return float(-sum(q * np.log2(q) for q in (p, 1 - p) if q > 0))

    return bits((x + y) / 2) - (bits(x) + bits(y)) / 2
