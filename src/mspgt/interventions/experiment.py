"""Experiment 2 on one model, from prompts to effects: what `mspgt.intervene` does, and the pieces of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mspgt.boundaries.scales import Scales, thirds
from mspgt.errors import InputError
from mspgt.interventions.arms import BASELINE, PRIMARY, Arm, Definition, plan_arms, plan_response
from mspgt.interventions.audit import dose_audit, equal_divergence, scale_costs
from mspgt.interventions.coherence import Encode, coherence
from mspgt.interventions.costs import make_passages
from mspgt.interventions.doses import Yardsticks, added_variance
from mspgt.interventions.effects import MARGIN, Effect, all_effects, contrasts
from mspgt.interventions.exchange import exchanged_self_bleu
from mspgt.interventions.metrics import MATTR_WINDOW, Scores, mean_scores, text_scores
from mspgt.interventions.prompts import Prompt, make_prompts
from mspgt.interventions.response import costs_by_noise, response_curve
from mspgt.interventions.texts import Scope, Texts, documents_of, write_texts
from mspgt.lm.model import LanguageModel
from mspgt.lm.start import AUTO, start_token
from mspgt.lm.tokenize import encode
from mspgt.results import to_jsonable
from mspgt.signals.measure import measure_scales
from mspgt.text.corpus import Corpus
from mspgt.vocabulary import SCALES, SINK_RATIO

PASSAGE = 64  # tokens of a passage of the dose audit
SHOWN = 3  # samples whose texts stand in the results
SIGMAS = (0.01, 0.03, 0.1, 0.3, 1.0)


def intervene(
    lm: LanguageModel,
    corpus: Corpus,
    boundaries: tuple[int, int] | None = None,
    *,
    samples: int = 100,
    sigma: float = 0.1,
    prompt_tokens: int = 32,
    new_tokens: int = 128,
    scope: Scope = "all",
    random_sets: int = 3,
    response_samples: int = 0,
    encoder: Encode | None = None,
    seed: int = 0,
    std: ArrayLike | None = None,
    dose: Definition = PRIMARY,
    audit_passages: int = 0,
    start: str = AUTO,
) -> dict[str, Any]:
    """Add noise to one scale at a time and measure what becomes of the text (Experiment 2).

    Args:
        corpus: documents that prompts come from and, unless `std` is given, activation scales.
        boundaries: (LI, IG), the last layers of the local and the intermediate scale, counted from 1; thirds
            of the depth when absent, which stand for nothing that was found.
        encoder: sentences → vectors, for coherence; see `mspgt.interventions.coherence.sentence_encoder`.
        std: (layers + 1,) standard deviation of activations, the embedding first, under every definition of dose.
        dose: what `sigma` counts in: `dimension`, `nonsink`, `all` (the paper's words) or `own`.
        audit_passages: passages that the dose audit and the search for equal KL read; 0 leaves both out.
        start: the token in front of every text, which takes no noise, as in `lm.start.start_token`.

    Returns:
        `interventions` (arm → metric → effect), `interventions_about`, `doses` and `doses_about`, as in
        results.json.

    Raises:
        InputError: boundaries out of order, too few layers for three scales, settings that cannot be used, scales of
            activations for another number of layers.

    Example:
        >>> from mspgt.lm.load import load
        >>> from mspgt.synthetic.corpora import sample_corpus
        >>> from mspgt.synthetic.triscale import TriScale
        >>> from mspgt.zoo.bundled import path
        >>> lm, corpus = load(path("triscale-llama-1")), sample_corpus(TriScale(), 12, seed=0)
        >>> found = intervene(lm, corpus, (8, 16), samples=4, new_tokens=8, random_sets=0)
        >>> [arm for arm in found["interventions"] if "_" not in arm]
        ['aa', 'local', 'intermediate', 'global']
    """
    scales = _scales(lm, boundaries)
    if std is not None and np.shape(std) != (lm.layers + 1,):
        raise InputError(
            f"std must have shape (layers + 1,), a number for the embedding and each of {lm.layers} blocks; found "
            f"{np.shape(std)}."
        )
    yardsticks = _yardsticks(lm, corpus, start) if std is None else Yardsticks.flat(std)
    passages = make_passages(lm, corpus, audit_passages, PASSAGE, start=start) if audit_passages else []
    audited = _audit(lm, passages, scales, yardsticks, sigma=sigma, definition=dose, seed=seed)
    equal = audited["doses_about"] and audited["doses_about"]["equal_kl"]["sizes"]
    arms = plan_arms(scales, sigma=sigma, definition=dose, equal_kl=equal, random_sets=random_sets, seed=seed)
    prompts = make_prompts(lm, corpus, samples, prompt_tokens, start=start)
    written = write_texts(lm, prompts, arms, yardsticks, seed=seed, new_tokens=new_tokens, scope=scope)
    scores = arm_scores(written)
    if encoder is not None:
        for arm, metrics in scores.items():
            metrics["coherence"] = mean_scores(coherence(written.of(arm)["text"], encoder))
    response = None
    if response_samples:
        planned, some = plan_response(scales, SIGMAS, dose), prompts[:response_samples]
        noisy = write_texts(lm, some, planned, yardsticks, seed=seed, new_tokens=new_tokens, scope=scope)
        response = respond(lm, some, noisy, planned, yardsticks, scope=scope, seed=seed)
    told = {"sigma": sigma, "dose": dose, "scope": scope, "prompt_tokens": prompt_tokens}
    told["new_tokens"] = new_tokens
    found = summary(written, scores, arms, scales, yardsticks, settings=told, response=response, seed=seed)
    return found | to_jsonable(audited)


def _yardsticks(lm: LanguageModel, corpus: Corpus, start: str) -> Yardsticks:
    texts = [sentence for document in corpus.documents for sentence in document.sentences]
    found = start_token(lm, start)
    encoded = encode(lm, texts, too_long="cut", front=None if found is None else found.id)
    return Yardsticks.of(measure_scales(lm, encoded, sample=256, sink_ratio=SINK_RATIO, batch_tokens=4096))


def _audit(
    lm: LanguageModel,
    passages: Sequence[Prompt],
    scales: Scales,
    yardsticks: Yardsticks,
    *,
    sigma: float,
    definition: Definition,
    seed: int,
) -> dict[str, Any]:
    """`doses` and `doses_about` of results.json: by layer and scale, and sizes of equal KL; null of no passage."""
    if not passages:
        return {"doses": None, "doses_about": None}
    by_layer = dose_audit(lm, passages, yardsticks, sigma=sigma, seed=seed)
    by_scale = scale_costs(lm, passages, scales, yardsticks, sigma=sigma, seed=seed)
    equal = equal_divergence(lm, passages, scales, yardsticks, definition=definition, sigma=sigma, seed=seed)
    return audit_summary(by_layer, by_scale, equal, yardsticks, read=passages_read(passages), sigma=sigma)


def audit_summary(
    by_layer: Mapping[str, Mapping[str, Any]],
    by_scale: Mapping[str, Mapping[str, Any]],
    equal: Mapping[str, Any],
    yardsticks: Yardsticks,
    *,
    read: Mapping[str, Any],
    sigma: float,
) -> dict[str, Any]:
    """`doses` and `doses_about` of results.json from their parts; `read` is that of `passages_read`."""
    doses = {name: {**found, "scales": by_scale[name]} for name, found in by_layer.items()}
    about = {"sigma": sigma, "sink_layer": yardsticks.sink_layer, "equal_kl": dict(equal), **read}
    return {"doses": doses, "doses_about": about}


def passages_read(passages: Sequence[Prompt]) -> dict[str, int]:
    """How many passages an audit read, of how many documents, and the predictions that counted."""
    return {
        "passages": len(passages),
        "documents": len({one.document for one in passages}),
        "tokens": sum(len(one.ids) - one.spared for one in passages),
    }


def _scales(lm: LanguageModel, boundaries: tuple[int, int] | None) -> Scales:
    if boundaries is not None:
        return Scales(*boundaries, lm.layers, "given")
    if lm.layers < len(SCALES):
        raise InputError(f"Expected at least three layers for three scales, found {lm.layers} in {lm.name}.")
    return thirds(lm.layers)


def arm_scores(texts: Texts, *, mattr_window: int = MATTR_WINDOW) -> dict[str, dict[str, Scores]]:
    """Arm → metric → scores, for the metrics that need no other program; arms that broke are left out."""
    found: dict[str, dict[str, Scores]] = {}
    for arm in texts.arms:
        if texts.failure(arm) is None:
            columns = texts.of(arm)
            found[arm] = text_scores(
                columns["text"], columns["nats"], columns["tokens"], mattr_window=mattr_window
            )
    if BASELINE in found:
        documents, before = documents_of(texts), texts.of(BASELINE)["text"]
        for arm in found.keys() - {BASELINE}:
            swapped = exchanged_self_bleu(before, texts.of(arm)["text"], documents)
            found[arm]["self_bleu"] = replace(found[arm]["self_bleu"], exchanged=swapped)
    return found


def respond(
    lm: LanguageModel,
    prompts: Sequence[Prompt],
    texts: Texts,
    arms: Sequence[Arm],
    yardsticks: Yardsticks,
    *,
    sigmas: Sequence[float] = SIGMAS,
    scope: Scope = "all",
    seed: int = 0,
    draws: int = 500,
) -> dict[str, dict[str, Any]]:
    """The noise–response curve of every scale, from texts of the arms of `plan_response`; see `response_curve`."""
    scores = arm_scores(texts)
    effects = all_effects(scores, documents_of(texts), draws=draws, seed=seed) if BASELINE in scores else {}
    nats, losses = costs_by_noise(lm, prompts, texts, arms, yardsticks, seed=seed, scope=scope)
    owners = [prompt.document for prompt in prompts]
    return response_curve(sigmas, nats, losses, owners, effects, SCALES)


def summary(
    texts: Texts,
    scores: Mapping[str, Mapping[str, Scores]],
    arms: Sequence[Arm],
    scales: Scales,
    yardsticks: Yardsticks,
    *,
    settings: Mapping[str, Any],
    missing: Mapping[str, str] | None = None,
    response: Mapping[str, Any] | None = None,
    draws: int = 2000,
    margin: float = MARGIN,
    seed: int = 0,
) -> dict[str, Any]:
    """`interventions` and `interventions_about` of results.json.

    Args:
        settings: what the reader must know of how texts were made; copied.
        missing: metric → why it was not measured.
    """
    documents = documents_of(texts)
    failed = {arm.name: texts.failure(arm.name) for arm in arms}
    if failed[BASELINE] is not None:
        effects: dict[str, dict[str, Effect]] = {}
    else:
        effects = all_effects(scores, documents, draws=draws, seed=seed, margin=margin)
    metrics = dict.fromkeys(metric for found in effects.values() for metric in found)
    table: dict[str, dict[str, Any]] = {}
    for arm in arms:
        if arm.name == BASELINE:
            continue
        broken = failed[arm.name] or failed[BASELINE]
        row = effects.get(arm.name, {})
        if broken is not None:
            row = {metric: Effect(reason=broken["reason"]) for metric in metrics}
        row = row | {metric: Effect(reason=why) for metric, why in (missing or {}).items()}
        table[arm.name] = {metric: to_jsonable(one.told()) for metric, one in row.items()}
    about = {
        "scales": {"LI": scales.LI, "IG": scales.IG, "source": scales.source},
        **settings,
        "samples": len(documents),
        "documents": len(np.unique(documents)),
        "short_prompts": _short(texts, settings),
        "ended": {arm.name: float(np.mean(texts.of(arm.name)["ended"])) for arm in arms},
        "arms": {
            arm.name: {
                "layers": arm.layers,
                "sigma": max(arm.sigma),
                "dose": arm.definition,
                "variance": added_variance(arm, yardsticks),
                "failed": failed[arm.name],
            }
            for arm in arms
        },
        "contrasts": contrasts(effects),
        "response": response,
        "texts": _shown(texts, arms),
        "missing": dict(missing or {}),
    }
    return {"interventions": table, "interventions_about": to_jsonable(about)}


def _short(texts: Texts, settings: Mapping[str, Any]) -> int:
    """Prompts that are shorter than asked for, because their document is."""
    wanted = settings.get("prompt_tokens", 0)
    return sum(length < wanted for length in texts.of(BASELINE)["prompt_tokens"])


def _shown(texts: Texts, arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """A few samples side by side, spread over the documents."""
    columns = {arm.name: texts.of(arm.name) for arm in arms}
    count = len(columns[BASELINE]["sample"])
    places = [(2 * i + 1) * count // (2 * SHOWN) for i in range(SHOWN)] if count >= SHOWN else range(count)
    return [
        {
            "sample": columns[BASELINE]["sample"][at],
            "prompt": columns[BASELINE]["prompt"][at],
            "arms": {name: found["text"][at] for name, found in columns.items()},
        }
        for at in places
    ]
