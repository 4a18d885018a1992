"""`speed.md` and its picture, from `bench/results/`: every bar beside what was measured, and how costs grow.

`python docs/tools/speed.py` writes both after `make bench`; a test holds them against the results.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "speed.md"
PICTURE = ROOT / "docs" / "images" / "speed.svg"
MARK = "<!-- speed: written by docs/tools/speed.py -->\n"
# 1,000 models × 100 checkpoints, of a size; a GPU keeps so many operations a second in large products.
STATES, SENTENCES, WORDS = 100_000, 1_000_000, 25
PARAMETERS, LAYERS_OF_ONE, FLOPS = 1e9, 24, 4e14
Json = dict[str, Any]


class Bar(NamedTuple):
    """What was measured of one thing beside what it should be; `most`: less is better, else more is."""

    what: str
    file: str
    read: Callable[[Json], float]
    bar: float
    most: bool = True

    def measured(self) -> float:
        return float(self.read(figures(self.file)["figures"]))

    def excess(self) -> float:
        """1 at the bar, above 1 where it is missed."""
        return self.measured() / self.bar if self.most else self.bar / self.measured()


BARS = (
    Bar("measuring / pass without logits, SmolLM2", "measuring", lambda f: f["SmolLM2-135M"]["ratio"], 1.15),
    Bar("measuring / pass without logits, 12 layers of 128", "measuring", lambda f: f["llama-a"]["ratio"], 1.6),
    Bar("measuring / pass without logits, 24 layers of 96", "measuring", lambda f: f["llama-deep"]["ratio"], 1.6),
    Bar(
        "reduction / measuring, SmolLM2",
        "reduction", lambda f: f["reduction_to_measuring"], 0.1,
    ),
    Bar("1,000 bootstrap iterations, s", "bootstrap", lambda f: f["seconds_1000_draws"], 2.0),
    Bar(
        "probes: times faster than scikit-learn, as it comes",
        "probes", lambda f: f["scikit-learn, as it comes"]["times_faster"], 20, most=False,
    ),
    Bar(
        "probes: times faster than scikit-learn, stopped early",
        "probes", lambda f: f["scikit-learn, early stopping"]["times_faster"], 20, most=False,
    ),
    Bar("Self-BLEU: times faster than nltk", "self_bleu", lambda f: f["times_faster_than_nltk"], 300, most=False),
    Bar(
        "Self-BLEU: times faster than fast-bleu",
        "self_bleu", lambda f: f["times_faster_than_fast_bleu"], 3, most=False,
    ),
    Bar(
        "watching: times faster than nnsight",
        "peers", lambda f: f["watching"]["nnsight"]["ratio"], 1, most=False,
    ),
    Bar(
        "watching: times faster than TransformerLens",
        "peers", lambda f: f["watching"]["TransformerLens"]["ratio"], 1, most=False,
    ),
    Bar(
        "CKA of all pairs: times faster than torch_cka",
        "peers", lambda f: f["similarity"]["torch_cka"]["ratio"], 1, most=False,
    ),
    Bar(
        "CKA of all pairs: times faster than pytorch-cka (float32)",
        "peers", lambda f: f["similarity"]["pytorch-cka"]["ratio"], 1, most=False,
    ),
    Bar(
        "watching SmolLM2: times faster than nnsight",
        "peers", lambda f: f["watching_real"]["nnsight"]["ratio"], 1, most=False,
    ),
    Bar(
        "watching SmolLM2: times faster than TransformerLens",
        "peers", lambda f: f["watching_real"]["TransformerLens"]["ratio"], 1, most=False,
    ),
    Bar(
        "CKA of all pairs, SmolLM2: times faster than torch_cka",
        "peers", lambda f: f["similarity_real"]["torch_cka"]["ratio"], 1, most=False,
    ),
    Bar(
        "CKA of all pairs, SmolLM2: times faster than pytorch-cka (float32)",
        "peers", lambda f: f["similarity_real"]["pytorch-cka"]["ratio"], 1, most=False,
    ),
    Bar(
        "Self-BLEU: times faster than sacrebleu",
        "peers", lambda f: f["diversity"]["sacrebleu"]["ratio"], 1, most=False,
    ),
    Bar("generation of all arms / plain generate, a token", "generation", lambda f: f["llama-a"]["ratio"], 1.1),
)  # fmt: skip


def figures(name: str) -> Json:
    return dict(json.loads((RESULTS / f"{name}.json").read_text("utf-8")))


def written(markdown: str) -> str:
    """The page with its tables as the results are now."""
    return markdown.split(MARK)[0] + MARK + "\n" + "\n".join(tables()).rstrip() + "\n"


def tables() -> Iterator[str]:
    """The bars, then how costs grow."""
    yield "## Bars\n"
    yield "| what | bar | measured | held | processor |"
    yield "|---|---|---|---|---|"
    for one in BARS:
        sign = "≤" if one.most else "≥"
        held = "yes" if one.excess() <= 1 else "**no**"
        on = figures(one.file)["hardware"]["processor"]
        yield f"| {one.what} | {sign} {one.bar:,g} | {one.measured():,g} | {held} | {on} |"
    yield from _peers()
    yield from _shares()
    yield from _planned()
    yield from _store()
    yield from _internet()
    grown = figures("growth")["figures"]
    for axis in ("sentences", "layers", "width"):
        yield f"\n## Growth with {axis}\n"
        points, found = grown[axis]["points"], grown[axis]["exponents"]
        names = list(found)
        yield f"| {axis} | {' | '.join(name.replace('_', ', ').replace('mib', 'MiB') for name in names)} |"
        yield "|---|" + "---|" * len(names)
        for point in points:
            yield f"| {point[axis]:,} | {' | '.join(_cell(point.get(name)) for name in names)} |"
        yield f"| exponent | {' | '.join(_exponent(found.get(name)) for name in names)} |"
        tails = [(found.get(name) or {}).get("tail") for name in names]
        yield f"| of the last two points | {' | '.join(map(_cell, tails))} |"


def _peers() -> Iterator[str]:
    """Every peer's time over ours."""
    found = figures("peers")["figures"]
    yield "\n## Beside others\n"
    yield "| what | other | its time over ours | smallest, largest | largest difference in the result |"
    yield "|---|---|---|---|---|"
    parts = {
        "watching": "residual stream and mean attention, 12 layers of 128",
        "watching_real": "the same of SmolLM2-135M, 30 layers of 576",
        "similarity": "HSIC₁ CKA of all pairs of 7 layers of 128",
        "similarity_real": "the same of 16 layers of SmolLM2-135M",
        "diversity": "Self-BLEU of 1,000 texts",
    }
    for part, what in parts.items():
        for name, one in found[part].items():
            if not isinstance(one, dict) or "ratio" not in one:
                continue
            low, high = one["range"]
            apart = found[part].get(f"largest difference, {name}")
            if isinstance(apart, dict):
                apart = max(apart.values())
            told = "" if apart is None else f"{apart:.0e}".replace("-", "−")
            package = "transformer-lens" if name == "TransformerLens" else name.replace("_", "-")
            label = f"{name} {found['versions'].get(package, '')}".strip()
            yield f"| {what} | {label} | {_times(one['ratio'])} | {_times(low)}, {_times(high)} | {told} |"


def _planned() -> Iterator[str]:
    """What plans said beside what runs took."""
    found = figures("planned")["figures"]
    yield "\n## Plans against runs\n"
    yield "| model | parameters | sentences | said, s | taken, s | ratio | said, GiB | taken, GiB | ratio |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for one in found["runs"]:
        yield (
            f"| {one['model']} | {one['parameters']:,} | {one['sentences']:,} | {one['said_seconds']:g} | "
            f"{one['taken_seconds']:g} | {one['time_ratio']:g} | {one['said_gib']:g} | {one['taken_gib']:g} | "
            f"{one['memory_ratio']:g} |"
        )
    for what, name in (("time_ratio", "time"), ("memory_ratio", "memory")):
        one = found["growth_with_parameters"][what]
        if one["slope"] is None:
            continue
        low, middle, high = one["at_70_billion"]
        a, b = one["interval"]
        yield (
            f"\nThe ratio of {name} grows with parameters to the {one['slope']:g} [{a:g}, {b:g}], which leads "
            f"to {middle:g} [{low:g}, {high:g}] at 70 billion.".replace("-", "−")
        )
    large = found["of_70_billion"]
    yield (
        f"\nFor {large['parameters']:,} parameters ({large['layers']} layers of {large['width']:,}) in bfloat16 and "
        f"{large['sentences']:,} sentences the plan says {large['gib']:g} GiB, {large['gib_of_weights']:g} of them "
        f"of weights, and {large['hours_of_one_H200']:g} hours of one H200 (or more cards)."
    )


def _shares() -> Iterator[str]:
    """Seconds of each stage with the code of an earlier commit and with this one, the largest first."""
    found = figures("shares")["figures"]
    before, after = found["before"], found["after"]
    yield "\n## Where the time goes\n"
    yield (
        f"Experiment 1 of {found['model']} on {found['sentences']} sentences and {found['labelled']} labelled ones, "
        "without a twin; processor seconds of one thread, with the code of commit "
        f"{found['commit_before']} and of now.\n"
    )
    yield "| stage | before, s | share | now, s | share | now / before |"
    yield "|---|---|---|---|---|---|"
    was, now = sum(before.values()), sum(after.values())
    for stage in [*sorted(after, key=lambda one: -after[one]), "all"]:
        a, b = (was, now) if stage == "all" else (before.get(stage), after[stage])
        if a is None:
            yield f"| {stage} | not there | | {b:.1f} | {b / now:.0%} | |"
        else:
            yield f"| {stage} | {a:.1f} | {a / was:.0%} | {b:.1f} | {b / now:.0%} | {b / a:.2f} |"


def _store() -> Iterator[str]:
    """Processor seconds of looking at a store, by number of results."""
    found = figures("store")["figures"]
    yield "\n## A store of many results"
    for kind in ("one state", "ten of each state"):
        told = found[kind]
        sizes = [size for size in told["status of what is there"] if size != "exponent"]
        yield f"\n{'All of one state of one model' if kind == 'one state' else 'Ten of each state'}:\n"
        yield f"| processor seconds of | {' | '.join(f'{int(size):,} results' for size in sizes)} | exponent |"
        yield "|---|" + "---|" * (len(sizes) + 1)
        for name, one in told.items():
            if isinstance(one, dict) and "exponent" in one:
                cells = [f"{one[size]:.3g}" for size in sizes]
                yield f"| {name} | {' | '.join(cells)} | {one['exponent']:g} |"


def _internet() -> Iterator[str]:
    """1,000 models × 100 checkpoints × a million sentences, from what was measured here."""
    points = figures("growth")["figures"]["sentences"]["points"]
    large = points[-1]
    tokens = 2 * SENTENCES * WORDS  # of both readings
    reading = large["reading_seconds"] / large["tokens"] * tokens
    text = large["reading_mib"] / large["tokens"] * tokens / 1024
    passes = 2.0 * PARAMETERS * tokens
    clusters = 64
    kept = 2 * (2 * LAYERS_OF_ONE + 1) * (4 * clusters**3 + 8 * clusters**2)
    drift = 3 * 4 * (LAYERS_OF_ONE - 1) * SENTENCES
    store = figures("store")["figures"]["one state"]
    look, missing = (store[f"status of what is {which}"]["100000"] for which in ("there", "missing"))
    yield "\n## Internet scale\n"
    yield (
        f"By arithmetic from the tables above: 1,000 models of {PARAMETERS / 1e9:g} billion parameters and "
        f"{LAYERS_OF_ONE} layers × 100 checkpoints × {SENTENCES:,} sentences of {WORDS} tokens.\n"
    )
    yield "| | of one state | of 100,000 |"
    yield "|---|---|---|"
    yield (
        f"| passes, two readings | {passes:.0e} operations: {passes / FLOPS / 60:.1f} minutes of a GPU that keeps "
        f"{FLOPS:.0e} a second | {passes * STATES / FLOPS / 3600:,.0f} hours |"
    )
    yield f"| tokenising, processor | {reading / 60:.1f} minutes | {reading * STATES / 3600:,.0f} hours |"
    yield f"| memory of the tokenised text | {text:.1f} GiB in every process | |"
    yield f"| rows of drift while measuring | {drift / 1e6:,.0f} MB | |"
    yield (
        f"| weights in bfloat16, fetched and hashed at 1 GB a second | {2 * PARAMETERS / 1e9:g} s | "
        f"{2 * PARAMETERS * STATES / 1e12:,.0f} TB, {2 * PARAMETERS * STATES / 1e9 / 3600:,.0f} hours |"
    )
    yield f"| kept, with {clusters} clusters of documents | {kept / 1e6:.0f} MB | {kept * STATES / 1e12:.1f} TB |"
    yield f"| verifying them at 1 GB a second | {kept / 1e9:.1f} s | {kept * STATES / 1e9 / 3600:.1f} hours |"
    yield f"| looking for what is there, for what is missing | | {look:.0f} s, {missing:.0f} s of 100,000 results |"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _cell(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,g}".replace("-", "−")


def _exponent(found: Json | None) -> str:
    if found is None or found["exponent"] is None:
        return "not measured"
    low, high = found["interval"]
    return f"{found['exponent']:g} [{low:g}, {high:g}]".replace("-", "−")


def picture() -> str:
    """Each figure over its bar on a logarithmic axis: to the right of the line is missed."""
    left, width, step = 310, 300, 24
    low, high = math.log10(0.005), math.log10(60)
    height = 40 + step * len(BARS)

    def at(value: float) -> float:
        return left + width * (min(max(math.log10(value), low), high) - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 60} {height}" '
        'font-family="sans-serif" font-size="12" role="img">',
        "<title>Measured over bar: left of the line is held</title>",
        f'<rect width="{left + width + 60}" height="{height}" fill="#fff"/>',
    ]
    for tick in (0.01, 0.1, 1, 10):
        x, colour = at(tick), "#222" if tick == 1 else "#ddd"
        parts.append(f'<path d="M{x:.1f} 10V{height - 24}" stroke="{colour}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{tick:g}</text>')
    for row, one in enumerate(BARS):
        y, x = 24 + step * row, at(one.excess())
        colour = "#1b7f5c" if one.excess() <= 1 else "#c1440e"
        parts.append(f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(one.what)}</text>')
        parts.append(f'<path d="M{at(1):.1f} {y}H{x:.1f}" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{x + (9 if x > at(1) else -9):.1f}" y="{y + 4}" '
                     f'text-anchor="{"start" if x > at(1) else "end"}">{one.excess():.2g}</text>')  # fmt: skip
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), encoding="utf-8")
    PICTURE.write_text(picture(), encoding="utf-8")
