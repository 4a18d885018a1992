"""The metrics that need another program (sentence encoder, LanguageTool, Harper), each over shards of texts."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mspgt.errors import MissingExtraError, UnavailableError
from mspgt.interventions.metrics import METRICS
from mspgt.study.config import InterventionsConfig
from mspgt.study.store import Address, StageResult, write_json
from mspgt.text.limits import evenly_spread
from mspgt.vocabulary import Progress

if TYPE_CHECKING:
    from mspgt.interventions.texts import Texts

log = logging.getLogger("mspgt")

TEXTS = "texts.parquet"
# What needs another program, as its metric declares it.
CHECKERS = {metric.key: metric.needs for metric in METRICS if metric.needs is not None}
# A checker's version, and what it says: one number a text, NaN where there is none.
Checker = tuple[str, Callable[[list[str]], NDArray[np.float64]]]


def checker_inputs(settings: InterventionsConfig) -> dict[str, dict[str, Any]]:
    """What can change a checker's numbers, for the checkers that are on. A server's address cannot."""
    inputs: dict[str, dict[str, Any]] = {}
    if settings.encoder is not None:
        inputs["coherence"] = settings.model_dump(include={"encoder", "coherence_samples"})
    if settings.languagetool is not None:
        inputs["grammar"] = settings.model_dump(include={"language", "languagetool_version"})
    if settings.harper:
        inputs["harper"] = {}
    return inputs


def check_shards(
    name: str,
    settings: InterventionsConfig,
    shards: Sequence[range],
    sources: Sequence[Address],
    places: Sequence[Address],
    report: Progress,
) -> None:
    """One checker over the shards of texts that it has not seen; shards by another version are done again.

    Args:
        shards, sources, places: samples of each shard, where its texts lie, and where the numbers go.

    Raises:
        UnavailableError, MissingExtraError, InputError: the checker is not there; finished shards are kept.
    """
    done = [place for place in places if place.status().done]
    if len(done) == len(places) and len({place.load().meta["version"] for place in done}) == 1:
        return
    from mspgt.interventions.texts import Texts

    limit = settings.coherence_samples if name == "coherence" else None
    wanted = set(evenly_spread(range(settings.samples), limit))
    what = f"{name}, samples"
    with MAKERS[name](settings) as (version, check):
        for samples, source, place in zip(shards, sources, places, strict=True):
            report(samples.start, settings.samples, what)
            if place.status().done and place.load().meta["version"] == version:
                continue
            started = time.perf_counter()
            texts = Texts.from_parquet(source.load().files[TEXTS])
            chosen = [at for at, sample in enumerate(samples) if sample in wanted]
            arrays = checked(texts, chosen, check)
            place.discard()  # what another version said: a result that is whole would stay
            place.save(StageResult(arrays, {"version": version}), time.perf_counter() - started)
        report(settings.samples, settings.samples, what)


def checked(
    texts: Texts, chosen: Sequence[int], check: Callable[[list[str]], NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    """What a checker says of the chosen texts of each arm: arm → (samples,), NaN for the others."""
    written = [texts.of(arm)["text"] for arm in texts.arms]
    numbers = np.full((len(written), len(written[0])), np.nan)
    # All arms at once, so that what they share is looked at once.
    found = check([texts_of_arm[at] for texts_of_arm in written for at in chosen])
    numbers[:, list(chosen)] = found.reshape(len(written), len(chosen))
    return dict(zip(texts.arms, numbers, strict=True))


@contextmanager
def shared_languagetool(settings: InterventionsConfig) -> Iterator[InterventionsConfig]:
    """One LanguageTool for all models of a run, instead of one a model; the settings that lead to it.

    Where none can be started the settings stay as they are, so that every model notes why it went without.
    """
    from mspgt.interventions.grammar import LOCAL, languagetool

    with ExitStack() as stack:
        if settings.languagetool == LOCAL:
            wanted = languagetool(LOCAL, settings.language, settings.languagetool_version)
            try:
                server = stack.enter_context(wanted)
            except (UnavailableError, MissingExtraError) as error:
                log.warning("grammar will not be measured: %s", error)
            else:
                settings = settings.model_copy(update={"languagetool": server.url})
        yield settings


@contextmanager
def _coherence(settings: InterventionsConfig) -> Iterator[Checker]:
    from mspgt.interventions.coherence import coherence, encoder_version, sentence_encoder

    assert settings.encoder is not None
    encode = sentence_encoder(settings.encoder)
    yield encoder_version(settings.encoder), lambda texts: coherence(texts, encode)


@contextmanager
def _grammar(settings: InterventionsConfig) -> Iterator[Checker]:
    from mspgt.interventions.grammar import errors_of, languagetool

    assert settings.languagetool is not None
    with languagetool(settings.languagetool, settings.language, settings.languagetool_version) as server:
        yield server.version, lambda texts: errors_of(texts, server.errors)


@contextmanager
def _harper(_: InterventionsConfig) -> Iterator[Checker]:
    from mspgt.interventions.grammar import errors_of, harper

    errors, version = harper()
    yield version, lambda texts: errors_of(texts, errors)


MAKERS: dict[str, Callable[[InterventionsConfig], AbstractContextManager[Checker]]] = {
    "coherence": _coherence,
    "grammar": _grammar,
    "harper": _harper,
}


def note(places: Sequence[Address], why: str | None) -> None:
    """Keep why a checker could not finish, or (None) forget it."""
    path = _note(places)
    if why is None:
        path.unlink(missing_ok=True)
    else:
        write_json(path, {"reason": why})


def noted(places: Sequence[Address]) -> str:
    """Why a checker did not finish."""
    path = _note(places)
    if not path.exists():
        return "its stage was not computed"
    return str(json.loads(path.read_text("utf-8"))["reason"])


def _note(places: Sequence[Address]) -> Path:
    return places[0].folder.with_name(f"missing-{places[0].folder.name}.json")
