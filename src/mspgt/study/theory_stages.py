"""The stages of the theory, each from what they share to a stage result; a block that fails leaves its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mspgt.errors import InputError, ModelError, NumericsError
from mspgt.results import to_jsonable
from mspgt.study.config import StudyConfig, TheoryConfig
from mspgt.study.parts import Given
from mspgt.study.stages import Data, document_groups
from mspgt.study.store import Arrays, StageResult, digest
from mspgt.study.tasks import silent
from mspgt.text.corpus import Corpus
from mspgt.text.trees import LabelledSentence
from mspgt.vocabulary import Progress

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel
    from mspgt.lm.tokenize import Encoded
    from mspgt.signals.measure import Scales as ActivationScales
    from mspgt.theory.states import Components, States

SHUFFLES = 5  # of the bias check of Gaussian information
USABLE = ("saved", "counts", "prior", "documents")  # arrays of V-information that are stored
JACKKNIFE = 3  # groups of documents below which leaving one out says nothing about the error
# What a block may fail with and the others go on; the reason stands in the results.
REFUSALS = (InputError, NumericsError, ModelError)


def held_out(corpus: Corpus) -> Corpus:
    """Every other group of documents: those that `Signals.halves` leaves out of its first half.

    A corpus of one document has no such half and is used whole; no boundary can be tested on it.
    """
    groups = document_groups(corpus)
    chosen = tuple(d for d, group in zip(corpus.documents, groups, strict=True) if group % 2 == 1)
    if not chosen:
        return corpus
    return replace(corpus, documents=chosen, sha256=digest([corpus.sha256, "second half"]))


def held_out_sentences(data: Data) -> list[LabelledSentence]:
    """Test sentences of every other document of the treebank; none without a treebank."""
    if data.treebank is None:
        return []
    documents = list(dict.fromkeys(sentence.document for sentence in data.treebank.test))
    chosen = set(documents[1::2])
    return [sentence for sentence in data.treebank.test if sentence.document in chosen]


def section_of(config: StudyConfig) -> TheoryConfig:
    if config.theory is None:
        raise InputError("The study has no section `theory`; add one (`theory: {}` takes the defaults).")
    return config.theory


class Shared:
    """What stages computed in one go need not do twice: the text, activation scales and sampled states."""

    def __init__(
        self,
        given: Given,
        model: Callable[[], LanguageModel],
        measured: Callable[[], tuple[StageResult, StageResult | None]],
    ) -> None:
        """measured: loads geometry and probes of Experiment 1."""
        self.given, self.model, self.measured = given, model, measured
        self.report: Progress = silent
        self.theory, self.seed = section_of(given.config), given.config.seed
        self.corpus = held_out(given.data.corpus)

    @cached_property
    def encoded(self) -> list[Encoded]:
        from mspgt.lm.reading import read

        measure = self.given.config.measure
        documents = [document.sentences for document in self.corpus.documents]
        return read(
            self.model(), documents, context="sentence", start=measure.start, too_long=measure.too_long
        ).sentences

    @cached_property
    def scales(self) -> ActivationScales:
        from mspgt.signals.measure import measure_scales

        measure = self.given.config.measure
        return measure_scales(
            self.model(),
            self.encoded,
            sample=measure.scale_sentences,
            sink_ratio=measure.sink_ratio,
            batch_tokens=measure.batch_tokens,
        )

    @cached_property
    def states(self) -> States:
        from mspgt.theory.states import sample_states

        measure = self.given.config.measure
        return sample_states(
            self.model(),
            self.corpus,
            self.encoded,
            self.scales,
            tokens=self.theory.tokens,
            sink_ratio=measure.sink_ratio,
            batch_tokens=measure.batch_tokens,
            seed=self.seed,
            progress=self.report,
        )

    @cached_property
    def components(self) -> Components:
        from mspgt.theory.states import components

        k = min(self.theory.components, self.given.identity.width)
        return components(self.states, k, device=self.model().device)


def information(shared: Shared) -> StageResult:
    """V-information of the labels, Gaussian information and near-Markov flow, each null with its reason by itself."""
    arrays, kinds, missing = _usable(shared)
    meta: dict[str, Any] = {
        "kinds": kinds,
        "missing": missing,
        "tokens": len(shared.states),
        "sinks": shared.states.sinks,
        "documents": len(np.unique(shared.states.document)),
    }
    arrays["std"] = shared.scales.std
    try:
        found = shared.components
    except REFUSALS as error:
        missing["components"] = str(error)
        return StageResult(arrays, meta)
    arrays |= {name: getattr(found, name) for name in ("variances", "correlations", "explained")}
    blocks = {
        "gaussian": (_gaussian, "Gaussian information by layer"),
        "markov": (_markov, "near-Markov flow"),
    }
    for place, (name, (measure, told)) in enumerate(blocks.items()):
        shared.report(place, len(blocks), told)
        try:
            own, meta[name] = measure(shared, found)
        except REFUSALS as error:
            missing[name] = str(error)
            continue
        arrays |= own
    return StageResult(arrays, meta)


def _usable(shared: Shared) -> tuple[Arrays, dict[str, Any], dict[str, str]]:
    """V-information of every kind of label: arrays, kind → what was asked, kind → why it was not measured."""
    from mspgt.theory.usable import KINDS, lexical, syntactic, topical, usable_information

    theory, states = shared.theory, shared.states
    arrays: Arrays = {}
    kinds: dict[str, Any] = {}
    missing: dict[str, str] = {}
    questions = {
        "topical": lambda: (topical(shared.corpus, states), states.values),
        "syntactic": lambda: _trees(shared, syntactic),
        "lexical": lambda: (lexical(states), states.values),
    }
    for place, kind in enumerate(KINDS):
        shared.report(place, len(KINDS), f"V-information, {kind}")
        try:
            question, values = questions[kind]()
            found = usable_information(
                values,
                question,
                examples=theory.examples,
                hidden=theory.hidden,
                epochs=theory.epochs,
                seed=shared.seed,
                device=shared.model().device,
            )
        except REFUSALS as error:
            missing[kind] = str(error)
            continue
        arrays |= {f"{kind}.{name}": getattr(found, name) for name in USABLE}
        kinds[kind] = {"label": found.label, "classes": found.classes, "scarce": found.scarce}
    return arrays, kinds, missing


def _trees(shared: Shared, syntactic: Any) -> Any:
    from mspgt.signals.features import word_features

    treebank, sentences = shared.given.data.treebank, held_out_sentences(shared.given.data)
    if treebank is None:
        raise InputError("no treebank was given")
    if not sentences:
        raise InputError("the test split of the treebank has fewer than two documents")
    measure = shared.given.config.measure
    features = word_features(
        shared.model(), sentences, context="sentence", start=measure.start, batch_tokens=measure.batch_tokens
    )
    question = syntactic(treebank, sentences)
    kept = np.flatnonzero(features.kept[question.rows].all(1))
    chosen = {name: getattr(question, name)[kept] for name in ("rows", "labels", "document", "half")}
    return replace(question, **chosen), features.values


def _markov(shared: Shared, found: Components) -> tuple[Arrays, dict[str, Any]]:
    """A2 over layers 1..L−2."""
    from mspgt.theory.markov import near_markov

    permutations = shared.theory.permutations
    markov = near_markov(
        found.projected[1:], shared.states.document, permutations=permutations, seed=shared.seed
    )
    names = ("ratio", "surrogate", "excess", "se", "conditional", "total", "p_null")
    about = {
        "k": markov.k,
        "groups": markov.groups,
        "mean": markov.mean,
        "ci": list(markov.ci),
        "permutations": permutations,
    }
    return {f"markov.{name}": getattr(markov, name) for name in names}, about


def _gaussian(shared: Shared, found: Components) -> tuple[Arrays, dict[str, Any]]:
    """I(h_0; h_l) for l = 1..L: the estimate, then the estimate without each group of documents, (1 + groups, L).

    With fewer groups than a jackknife needs, the estimate alone, (1, L).
    """
    from mspgt.theory.information import (
        Covariance,
        canonical_pair,
        information_from,
        nearest_neighbour_information,
        require_validated,
        shuffled,
    )
    from mspgt.theory.markov import GROUPS, document_groups_of

    projected, seed = found.projected, shared.seed
    depth, rows, k = projected.shape
    require_validated(rows, (k, k))
    groups = document_groups_of(shared.states.document, GROUPS)
    count = int(groups.max()) + 1
    profile = np.empty((1 + (count if count >= JACKKNIFE else 0), depth - 1))
    for layer in range(1, depth):
        data = np.hstack([projected[0], projected[layer]])
        whole = Covariance.of(data)
        profile[0, layer - 1] = information_from(whole, k)
        for group in range(len(profile) - 1):
            profile[1 + group, layer - 1] = information_from(whole - Covariance.of(data[groups == group]), k)
    left = shuffled(projected[0], projected[-1], draws=SHUFFLES, seed=seed)
    some = np.random.default_rng(seed).permutation(rows)[:2000]
    # Repeated words are ties, which nearest neighbours cannot stand; the layer after the first block has none.
    a, b, r = canonical_pair(projected[1], projected[-1])
    about = {
        "k": k,
        "bias_left": float(left.mean()),
        "canonical_gaussian": float(-0.5 * np.log1p(-min(r * r, 1 - 1e-12))),
        "canonical_neighbours": nearest_neighbour_information(a[some], b[some]),
    }
    return {"gaussian": profile}, about


def bottleneck(shared: Shared) -> StageResult:
    from mspgt.theory.bottleneck import block_bottleneck

    theory, scales = shared.theory, shared.given.scales
    try:
        tops = [max(scales.global_), max(scales.intermediate), max(scales.local)]
        found = block_bottleneck(
            [shared.components.projected[layer] for layer in tops],
            shared.states.following,
            shared.states.document,
            betas=theory.betas,
            steps=theory.steps,
            draws=theory.draws,
            seed=shared.seed,
            progress=shared.report,
        )
    except REFUSALS as error:
        return StageResult(meta={"missing": str(error)})
    return StageResult(meta={**to_jsonable(asdict(found)), "layers": dict(zip("GIL", tops, strict=True))})


def widths(shared: Shared) -> StageResult:
    from mspgt.theory.concentration import DRAWS, concentration

    given = shared.given
    from mspgt.study.decide import unpack_signals  # loads torch, which a plan does not need

    signals = unpack_signals(given.identity, *shared.measured(), given.data)
    treebank = None if signals.probes is None else signals.probes.n_documents

    def profiles(weights: np.ndarray) -> np.ndarray:
        if treebank is None:
            return signals.paper(weights)
        # The treebank is resampled beside the corpus, as large as the subset of the corpus is of the whole.
        share = (weights > 0).any(0).mean()
        size = max(2, round(float(share) * treebank))
        rng = np.random.default_rng([shared.seed, len(weights), size])
        chosen = rng.permutation(treebank)[:size]
        labels = np.zeros((len(weights), treebank))
        labels[:, chosen] = rng.multinomial(size, np.full(size, 1 / size), len(weights))
        return signals.paper(weights, labels)

    most = shared.theory.width_draws
    draws = (*(b for b in DRAWS if b < most), most)
    try:
        found = concentration(profiles, signals.geometry.n_clusters, draws=draws, seed=shared.seed)
    except REFUSALS as error:
        return StageResult(meta={"missing": str(error)})
    return StageResult(meta=to_jsonable(found._asdict()))
