"""A paragraph for a paper's methods section, and what to cite, from what this run really did."""

from __future__ import annotations

from collections.abc import Sequence

from mspgt.report.section import Section
from mspgt.report.words import MISSING, Json, counted, listing, number
from mspgt.results import DataProvenance, Results
from mspgt.stats.bootstrap import MAX_CLUSTERS

PAPER = """@article{zhang2025mspgt,
  title   = {Multi-Scale Probabilistic Generation Theory: A Unified Information-Theoretic Framework
             for Hierarchical Structure in Large Language Models},
  author  = {Zhang, Yukun and Dong, Qi},
  journal = {arXiv preprint arXiv:2505.18244},
  year    = {2025}
}"""
SOFTWARE = """@software{{mspgt,
  title   = {{mspgt: find the scales inside a language model}},
  author  = {{{{The mspgt developers}}}},
  version = {{{version}}},
  license = {{Apache-2.0}}
}}"""


def methods_text(results: Results, sections: Sequence[Section] = ()) -> str:
    """What was done, in sentences that can stand in a paper; `sections` add their own."""
    made, study = results.provenance, results.study
    settings = made.settings
    said = [_models(results), _data(made.data)]
    said.append(_signals(settings, made.data))
    said.append(_boundaries(settings, made.data))
    twins = made.seeds.get("twins")
    if twins:
        said.append(
            f"{counted(twins, 'network')} with the configuration of each model and random weights went through the "
            "same pipeline as a control."
        )
    said += dict.fromkeys(sentence for section in sections for sentence in section.methods)
    if made.limits:
        said.append(f"The run was cut short by limits: {listing(made.limits)}.")
    said.append(
        f"The plan (settings, data and weights) was fixed before anything ran, under the hash {study.hash[:16]}; "
        f"computed with mspgt {made.mspgt}, torch {made.torch} and transformers {made.transformers}, seed "
        f"{made.seeds.get('study', MISSING)}."
    )
    return " ".join(one for one in said if one)


def bibtex(results: Results) -> str:
    """The software and the paper whose theory it tests."""
    return f"{SOFTWARE.format(version=results.provenance.mspgt)}\n\n{PAPER}"


def _models(results: Results) -> str:
    dtype = results.provenance.dtype
    names = listing(
        f"{name} ({counted(model.layers, 'layer')}, {dtype.get(name, 'unknown precision')}, revision "
        f"{model.revision[:12]})"
        for name, model in results.models.items()
    )
    return f"We looked for scale boundaries in {names}."


def _data(data: DataProvenance) -> str:
    documents, sentences = counted(data.documents, "document"), counted(data.sentences, "sentence")
    text = f"The corpus {data.name} gave {documents} with {sentences}."
    treebank = data.treebank
    if treebank:
        counts = "/".join(number(count) for count in treebank.sentences.values())
        text += (
            f" Probing labels came from {treebank.name} ({counts} training, development and test sentences)."
        )
    return text


def _signals(settings: Json, data: DataProvenance) -> str:
    measure, probes = settings.get("measure") or {}, settings.get("probes") or {}
    tokens = f" over at most {number(measure['cka_tokens'])} tokens" if "cka_tokens" in measure else ""
    text = (
        f"S1 is −log of the unbiased linear CKA between the raw residual streams after neighbouring blocks{tokens} "
        "(word-final, without attention sinks); S3 the Jensen–Shannon divergence in bits between their mean "
        "attention rows, sinks left out."
    )
    if data.treebank and "seeds" in probes:
        text += (
            " S2 is the jump between neighbouring layers of the mean score of one-hidden-layer probes (micro F1, for "
            "given words, heads and spans their accuracy; "
            f"{counted(probes['seeds'], 'independent seed')}), less the median jump that chance among seeds and test "
            "documents would give."
        )
    return text


def _boundaries(settings: Json, data: DataProvenance) -> str:
    own = settings.get("boundaries") or {}
    draws = f", {number(own['draws'])} draws" if "draws" in own else ""
    level = f"{100 * own['level']:g}" if "level" in own else "5"
    weights = ", ".join(number(weight) for weight in own.get("weights") or ())
    return (
        "Boundaries were detected as spikes, bumps, steps and kinks of the fused signals against a smooth "
        f"background, with a family-wise error of {level} % over a family of profiles without boundaries and 95 % "
        f"confidence sets that include layer-to-layer roughness. Intervals are percentile intervals of a bootstrap "
        f"over documents{draws}, those of a corpus in {MAX_CLUSTERS} groups where it has more, and in calibrated "
        "mode as much wider as few documents ask (expanded percentiles, Hesterberg 2015); of calibrated S1 they "
        "are Student’s with the jackknife’s error, around the estimate less the bootstrap’s bias. "
        "For comparison the protocol of Zhang and Dong (2025, eqs. 3–6) was run "
        + ("to the letter" if data.treebank else "without S2, for which there were no labels")
        + (
            f" (weights {weights}, prominence {number(own['prominence'])}, "
            f"widths < {number(own['max_width'])} layers)"
            if weights and "prominence" in own and "max_width" in own
            else ""
        )
        + "."
    )
