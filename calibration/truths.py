"""Every planted truth of the theory: truth, estimate, interval and bar. `python -m calibration truths`.

Writes calibration/results/theory_truths.json and the table of docs/theory.md between its two marks. About two
minutes on one core; every number from a seed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from calibration.oracles.chains import GaussianChain
from calibration.oracles.exact_hvib import Linear, cubature, fit_exactly
from calibration.oracles.gaussian_bottleneck import GaussianBottleneck
from calibration.oracles.linear_gaussian import LinearGaussian
from calibration.oracles.softmax_head import SoftmaxHead
from calibration.page import write_between
from scipy import stats

from mspgt.results import to_jsonable
from mspgt.stats.coverage import clopper_pearson
from mspgt.stats.nulls import NULL_CELLS, null_profiles
from mspgt.theory.beta import scale_weights
from mspgt.theory.fisher import draw_labels, score, squared_gradients
from mspgt.theory.hvib import HVIB, sampled
from mspgt.theory.information import conditional_information, gaussian_information
from mspgt.theory.kink import kink_test, straightened
from mspgt.theory.markov import near_markov

OUT = Path(__file__).parent / "results" / "theory_truths.json"
LATENTS = OUT.with_name("languages.json")  # of `python -m calibration languages`
PAGE = Path(__file__).parents[1] / "docs" / "theory.md"
MARKS = "<!-- truths: made by `python -m calibration truths` -->", "<!-- end of truths -->"
PLANTED = (0.97,) * 7 + (0.90,) * 8 + (0.97,) * 8
WIDTHS = (2, 3, 4)
NULL_CURVES, WORST_CURVES, WORST_CELLS = 200, 2_000, 12  # of every cell; of each of the cells that look worst


@dataclass(frozen=True)
class Truth:
    """One row; `low` and `high` are the 95 % interval of the estimate, `met` whether the bar is."""

    number: int
    what: str
    truth: float
    estimate: float
    low: float
    high: float
    bar: str
    met: bool


def main(arguments: Sequence[str] = ()) -> None:
    del arguments
    torch.set_num_threads(1)
    rows = []
    for row in _truths():
        rows.append(row)
        print(
            f"{row.number} {row.what}: {row.estimate:.5g} [{row.low:.5g}, {row.high:.5g}] {row.met}",
            flush=True,
        )
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(to_jsonable(rows), indent=1, ensure_ascii=False) + "\n")
    write_between(PAGE, MARKS, markdown(rows))


def markdown(rows: Sequence[Truth]) -> str:
    lines = [
        "| # | planted | truth | estimate | 95 % interval | bar | met |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        numbers = [f"{value:.4g}" for value in (row.truth, row.estimate, row.low, row.high)]
        met = "yes" if row.met else "no"
        lines.append(
            f"| {row.number} | {row.what} | {numbers[0]} | {numbers[1]} | {numbers[2]} to {numbers[3]} | {row.bar} "
            f"| {met} |"
        )
    return "\n".join(lines) + "\n"


def _mean(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean over repetitions with a t interval."""
    array = np.asarray(values)
    margin = stats.t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / len(array) ** 0.5
    return float(array.mean()), float(array.mean() - margin), float(array.mean() + margin)


def _truths() -> Iterator[Truth]:
    yield from _information()
    yield from _kinks()
    yield from _kink_null_family()
    yield from _markov()
    yield from _elbo()
    yield from _betas()
    yield from _fisher()
    yield from _equation23()


def _information() -> Iterator[Truth]:
    for k, step in ((8, 0.9), (32, 0.9), (32, 0.5), (128, 0.9)):
        chain = GaussianChain((step,), k)
        found = _mean([gaussian_information(*chain.sample(10_000, seed)) for seed in range(10)])
        truth = chain.information(1, 2)
        bar = "≤ 2 % for k ≤ 32" if k <= 32 else "(k ≤ 128 allowed)"
        what = f"Gaussian information, k = {k}, correlation {step}, n = 10,000, nats"
        yield Truth(9, what, truth, *found, bar, abs(found[0] / truth - 1) <= 0.02)
    for k in (8, 32):
        chain = GaussianChain((0.9, 0.8), k)
        runs = (chain.sample(10_000, seed) for seed in range(10))
        found = _mean([conditional_information(x, z, y) for x, y, z in runs])
        what = f"conditional information of a Markov chain, k = {k}, nats"
        yield Truth(9, what, 0.0, *found, "≤ 0.01 nat", abs(found[0]) <= 0.01)


def _profile(steps: Sequence[float], seed: int) -> np.ndarray:
    x = GaussianChain(tuple(steps), 16).sample(2_000, seed)
    nats = [gaussian_information(x[0], layer) for layer in x[1:]]
    return np.concatenate([[0.0], straightened(nats, 16)])


def _kinks() -> Iterator[Truth]:
    smooth = 0.97 - 0.07 * np.sin(np.pi * np.arange(23) / 22) ** 2
    worlds = {
        "power at the 0.97/0.90/0.97 chain": (PLANTED, 0.9, "≥ 90 %", 1.0),
        "size on a constant chain": ((0.97,) * 23, 0.05, "≤ 5 %", 0.05),
        "size on a smoothly changing chain": (tuple(smooth), 0.05, "≤ 5 %", 0.05),
    }
    for name, (steps, limit, bar, truth) in worlds.items():
        tests = [
            kink_test(profile, boundary, (8, 16)).kinked
            for profile in (_profile(steps, seed) for seed in range(150))
            for boundary in (8, 16)
        ]
        rate, interval = float(np.mean(tests)), clopper_pearson(int(sum(tests)), len(tests))
        met = rate >= limit if bar.startswith("≥") else rate <= limit
        yield Truth(10, f"kink test: {name} (24 layers, 300 tests)", truth, rate, *interval, bar, met)


def _kink_null_family() -> Iterator[Truth]:
    """Boundaries at thirds, and crowded ones, between which a smooth curve is hardest to tell."""
    for pair in ((8, 16), (6, 10)):
        at = f"boundaries {pair[0]} and {pair[1]} of 24 layers"

        def count(cell: int, boundary: int, curves: int, pair: tuple[int, int] = pair) -> int:
            seed = np.random.SeedSequence([cell, boundary, curves, 24])
            runs = null_profiles(NULL_CELLS[cell], 24, curves, seed, signals=1)[:, 0]
            return sum(kink_test(run, boundary, pair).kinked for run in runs)

        places = [(cell, boundary) for cell in range(len(NULL_CELLS)) for boundary in pair]
        found = [count(*place, NULL_CURVES) for place in places]
        tests = NULL_CURVES * len(places)
        rate = sum(found) / tests
        what = f"kink test: size over the null family ({at}, {tests:,} tests)"
        yield Truth(10, what, 0.05, rate, *clopper_pearson(sum(found), tests), "≤ 5 %", rate <= 0.05)
        # The cells that look worst, on curves that did not choose them.
        worst = [places[place] for place in np.argsort(found)[-WORST_CELLS:]]
        again = [count(*place, WORST_CURVES) for place in worst]
        most, name = max(again), NULL_CELLS[worst[int(np.argmax(again))][0]].name
        what = f"kink test: size in the worst cell ({at}; {name}, {WORST_CURVES:,} tests)"
        rate = most / WORST_CURVES
        yield Truth(10, what, 0.05, rate, *clopper_pearson(most, WORST_CURVES), "≤ 5 %", rate <= 0.05)


def _markov() -> Iterator[Truth]:
    for name, skips in (("a Markov chain", ()), ("a chain with a skip", (0.2,))):
        chain = GaussianChain((0.7, 0.5), 8, skips)
        truth = chain.conditional_information(1, 3, 2) / chain.information(1, 3)
        layers = chain.sample(8_000, 0)
        found = near_markov(layers, np.arange(8_000) // 200, permutations=99)
        bar = "interval covers"
        met = found.ci[0] <= truth <= found.ci[1]
        yield Truth(9, f"near-Markov ratio of {name}", truth, found.mean, *found.ci, bar, met)


def _double(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).double()


class _Planted:
    """The H-VIB of a linear-Gaussian world, with its own priors and decoder."""

    def __init__(self, examples: int) -> None:
        self.truth = LinearGaussian.draw(WIDTHS, 6, context=2, seed=0)
        self.c, _, self.x = self.truth.sample(examples, 1)
        g, i, l = WIDTHS
        self.priors = [Linear(2, g).double(), Linear(g, i).double(), Linear(i, l).double()]
        weights = (self.truth.context, *self.truth.steps)
        for prior, w, noise in zip(self.priors, weights, self.truth.noise, strict=False):
            prior.set(_double(w), torch.zeros(len(noise)), _double(noise))

    def log_likelihood(self, *latents: torch.Tensor) -> torch.Tensor:
        density = torch.distributions.MultivariateNormal(
            torch.zeros(6).double(), _double(self.truth.noise[3])
        )
        return density.log_prob(_double(self.x) - torch.cat(latents, -1) @ _double(self.truth.decoder).T)

    def at(self, betas: Sequence[float]) -> tuple[HVIB, list[torch.Tensor]]:
        """Posteriors at the closed-form optimum of equation 18."""
        factors = self.truth.optimum(self.x, self.c, betas)
        posteriors = [Linear(w + sum(WIDTHS[:s]), w).double() for s, w in enumerate(WIDTHS)]
        for posterior, factor in zip(posteriors, factors, strict=True):
            own = np.hstack([factor.weights, np.eye(len(factor.covariance))])
            posterior.set(_double(own), torch.zeros(len(own)), _double(factor.covariance))
        return HVIB(self.priors, posteriors), [_double(factor.offset) for factor in factors]

    def measure(self, betas: Sequence[float], noise: Sequence[torch.Tensor]) -> Callable[..., tuple]:
        model, evidence = self.at(betas)

        def run(factors: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
            with torch.no_grad():
                found = model.terms(_double(self.c), evidence, self.log_likelihood, noise, factors)
            return found.reconstruction.numpy(), found.kl.numpy()

        return run


def _elbo() -> Iterator[Truth]:
    world = _Planted(400)
    posteriors = [Linear(8 + sum(WIDTHS[:s]), w).double() for s, w in enumerate(WIDTHS)]
    model = HVIB(world.priors, posteriors)
    evidence = [_double(np.hstack([world.c, world.x]))] * 3
    noise = cubature(WIDTHS)

    def elbo() -> torch.Tensor:
        return model.terms(_double(world.c), evidence, world.log_likelihood, noise).objective()

    exact = world.truth.log_likelihood(world.x, world.c)
    before = elbo().detach().numpy()
    fit_exactly(lambda: -elbo().mean(), list(model.posteriors.parameters()))
    gap = exact - elbo().detach().numpy()
    met = 0 <= gap.mean() <= 1e-4 and (gap >= -1e-9).all() and (before <= exact + 1e-9).all()
    what = (
        "log-likelihood less the ELBO after training, linear-Gaussian, nats an example (range over examples)"
    )
    yield Truth(11, what, 0.0, float(gap.mean()), float(gap.min()), float(gap.max()), "0 to 1e-4", bool(met))


def _betas() -> Iterator[Truth]:
    world, betas = _Planted(300), (0.5, 1.0, 2.0)
    analytic = scale_weights(world.measure(betas, cubature(WIDTHS)))
    for scale, (found, truth) in enumerate(zip(analytic, betas, strict=True)):
        what = f"β̂ of {'GIL'[scale]}, linear-Gaussian H-VIB, exact expectations"
        yield Truth(12, what, truth, found, found, found, "≤ 1 %", abs(found / truth - 1) <= 0.01)
    draws = []
    for seed in range(8):
        noise = [n.double() for n in sampled(200, 300, WIDTHS, torch.Generator().manual_seed(seed))]
        draws.append(scale_weights(world.measure(betas, noise)))
    for scale, truth in enumerate(betas):
        found = _mean([draw[scale] for draw in draws])
        worst = max(abs(draw[scale] / truth - 1) for draw in draws)
        what = f"β̂ of {'GIL'[scale]}, linear-Gaussian H-VIB, 200 sampled points"
        yield Truth(12, what, truth, *found, "≤ 5 %, every draw", worst <= 0.05)
    bottleneck, slope = GaussianBottleneck((0.95, 0.8, 0.6)), 0.2
    noise = bottleneck.optimum(slope)

    def measure(factors: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
        about_x, about_y = bottleneck.information(noise * factors[0])
        return np.array([about_y]), np.array([[about_x]])

    found = float(scale_weights(measure, scales=1)[0])
    what = "β̂ of the Gaussian information bottleneck, dI(T;Y)/dI(T;X)"
    yield Truth(12, what, slope, found, found, found, "≤ 1 %", abs(found / slope - 1) <= 0.01)


def _fisher() -> Iterator[Truth]:
    rng = np.random.default_rng(0)
    head = SoftmaxHead(rng.standard_normal((50, 16)), rng.standard_normal(50))
    h = rng.standard_normal((200, 16))
    exact = float(head.fisher_trace(h).mean())
    state = torch.from_numpy(np.repeat(h, 200, axis=0))[:, None].requires_grad_()
    logits = state @ torch.from_numpy(head.weights).T + torch.from_numpy(head.bias)
    everywhere = torch.ones(logits.shape[:2], dtype=torch.bool)
    labels = draw_labels(logits, torch.rand(logits.shape[:2], generator=torch.Generator().manual_seed(0)))
    traces = squared_gradients(score(logits, labels, everywhere), [state], everywhere, retain=False)
    found = _mean(traces[:, 0].double().numpy().reshape(200, 200).mean(0).tolist())
    yield Truth(
        13,
        "tr F of a softmax head from drawn labels",
        exact,
        *found,
        "≤ 2 %",
        abs(found[0] / exact - 1) < 0.02,
    )
    clean = head.log_probabilities(h)
    for sigma in (0.05, 0.01):
        ratios = []
        for seed in range(20):
            noise = np.random.default_rng([1, seed]).standard_normal((40, 200, 16)) * sigma
            kl = np.mean(
                [
                    (np.exp(clean) * (clean - head.log_probabilities(h + s * e))).sum(-1)
                    for e in noise
                    for s in (1, -1)
                ]
            )
            ratios.append(2 * kl / sigma**2 / exact)
        found = _mean(ratios)
        what = f"2 · KL slope over tr F of a softmax head, σ = {sigma}"
        yield Truth(13, what, 1.0, *found, "≤ 2 %", abs(found[0] - 1) <= 0.02)


def _equation23() -> Iterator[Truth]:
    table = json.loads(LATENTS.read_text())
    weights = np.array([row["beta_hat_at_one"] for row in table["languages"]])
    for scale in range(3):
        found = _mean(weights[:, scale].tolist())
        what = f"β̂ of {'GIL'[scale]} at β = 1 over 12 planted languages (stationarity: 1)"
        yield Truth(12, what, 1.0, *found, "≤ 5 %", abs(found[0] - 1) <= 0.05)
