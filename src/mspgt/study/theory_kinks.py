"""P1.2 in a study: boundaries from one half of the documents, information by layer from the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.boundaries.detect import detect
from mspgt.boundaries.find import heard, own_floors
from mspgt.errors import InputError, NumericsError
from mspgt.stats.bootstrap import document_weights
from mspgt.study.decide import read_signals
from mspgt.study.identity import Subject
from mspgt.study.parts import Given
from mspgt.study.stages import addresses
from mspgt.study.store import StageResult
from mspgt.study.theory_intervals import draws_and_seed
from mspgt.study.theory_stages import JACKKNIFE, USABLE
from mspgt.theory.kink import kink_test, straightened
from mspgt.theory.usable import KINDS, Usable

TEXTS = (("topical", "lexical"), ("syntactic",))  # kinds of label that are read from one text

Array = NDArray[np.float64]
Block = dict[str, Any]


def kink_block(given: Given, result: StageResult) -> Block:
    """P1.2 at the boundaries that the other half of the documents chooses."""
    block: Block = {
        "units": "second difference of information a layer: bits; of `all`, mean share of the labels' entropies; "
        "Gaussian, of the straightened profile",
        "estimator": "second difference at the boundary against a local quadratic through the other layers",
        "source": given.scales.source,
    }
    places, why = boundaries_of_half(given)
    profiles, spreads, missing = profiles_of(result, *draws_and_seed(given))
    block["profiles"] = {name: values.tolist() for name, values in profiles.items()}
    block["primary"] = "all"
    for which in ("LI", "IG"):
        place = places.get(which)
        if place is None:
            block[which] = {"p": None, "layer": None, "reason": why or "no boundary was found"}
            continue
        tested = [found for found in places.values() if found is not None]
        block[which] = {"boundary": place} | {
            name: {"p": None, "reason": why} for name, why in missing.items()
        }
        for name, profile in profiles.items():
            try:
                found = kink_test(profile, place, tested, spreads[name])
            except (InputError, NumericsError) as error:
                block[which][name] = {"p": None, "reason": str(error)}
                continue
            told = asdict(found)
            del told["reason"]  # there is a test
            block[which][name] = told
        first = block[which]["all"]
        block[which] |= {"p": first["p"], "kinked": first.get("kinked")}
        if first["p"] is None:
            block[which]["reason"] = first["reason"]
    return block


def boundaries_of_half(given: Given) -> tuple[dict[str, int | None], str]:
    """LI and IG as the first half of the documents chooses them, and why there are none.

    Given boundaries were chosen by no document. Thirds of the depth stand for nothing that was found: not tested.
    """
    scales = given.scales
    # Functional scales come from the treebank, of which the kink reads nothing.
    if scales.source in ("given", "functional"):
        return {"LI": scales.LI, "IG": scales.IG}, ""
    if scales.source == "thirds":
        return (
            {},
            "no pair of boundaries was found: thirds of the depth stand for nothing that could be tested",
        )
    if scales.source == "phases":
        return {}, "phases are not searched again on half of the documents, so no document is left for a kink"
    where = addresses(given.root, given.config, Subject(given.identity), given.data)
    signals = read_signals(given.identity, where, given.data)
    if signals.geometry.n_clusters < 2:
        return {}, "the corpus is one document, so no document is left that did not choose the boundary"
    corpus = (np.arange(signals.geometry.n_clusters) % 2 == 0).astype(np.float64)
    treebank = (
        None
        if signals.probes is None
        else (np.arange(signals.probes.n_documents) % 2 == 0).astype(np.float64)
    )
    settings = given.config.boundaries
    if scales.source == "paper":
        paper = detect(
            signals.paper(corpus, treebank), "paper", weights=settings.weights, prominence=settings.prominence
        )
        if paper.LI is None or paper.IG is None:
            return {}, "the paper's protocol finds no two peaks on the half of the documents that may choose"
        return {"LI": paper.LI.layer, "IG": paper.IG.layer}, ""
    if (halves := signals.halves()) is None:
        return (
            {},
            f"{signals.geometry.n_clusters} documents are too few for S1 across documents of their half",
        )
    floors = _floors(given, heard(signals.calibrated()))
    # A signal that was silent on the whole corpus has no floor, and stays silent.
    profile = np.where((floors > 0)[:, None], heard(halves[0]), np.nan)
    if np.isnan(profile).all():
        return {}, "every signal is constant on the half of the documents that may choose"
    found = detect(profile, "calibrated", level=settings.level, floors=floors)
    places = {which: None if claim is None else int(claim.layer) for which, claim in found.chosen.items()}
    return places, "not found again on the half of the documents that may choose"


def _floors(given: Given, own: Array) -> Array:
    """Noise of each signal, as the whole corpus took it."""
    known = given.result.controls.floors
    if known:
        return np.array([np.nan if value is None else value for value in known.values()], dtype=np.float64)
    return own_floors(own)


def profiles_of(
    result: StageResult, draws: int, seed: int
) -> tuple[dict[str, Array], dict[str, Array], dict[str, str]]:
    """Profiles over layers 1..L to test for kinks, standard errors of their second differences, and what lacks.

    `all` is the mean share of the entropies of the labels: bits of unlike labels do not add, since the label with the
    most classes would drown the others.
    """
    missing = {kind: why for kind, why in result.meta["missing"].items() if kind in KINDS}
    found = {kind: one for kind in KINDS if (one := usable_of(result, kind)) is not None}
    profiles = {kind: one.bits()[1:] for kind, one in found.items()}
    shaken = shaken_profiles(found, draws, seed)
    if missing:
        missing["all"] = "a kind of label is missing, so there is no total of shares"
    elif flat := [kind for kind, one in found.items() if not one.entropy > 0]:
        missing["all"] = f"labels without entropy: {', '.join(flat)}"
    else:
        profiles = {"all": _shares(profiles, found), **profiles}
        if len(shaken) == len(KINDS):
            shaken["all"] = _shares(shaken, found)
    spreads = {
        # A draw without any document of a kind says nothing of that kind.
        name: np.nanstd(np.diff(shaken[name], 2, axis=1), axis=0)
        if name in shaken
        else np.zeros(len(values) - 2)
        for name, values in profiles.items()
        if len(values) > 2
    }
    try:
        profiles["gaussian"], errors = _gaussian(result)
    except (InputError, NumericsError) as error:
        missing["gaussian"] = str(error)
    else:
        if len(errors):
            spreads["gaussian"] = errors
    return profiles, spreads, missing


def _shares(bits: Mapping[str, Array], found: Mapping[str, Usable]) -> Array:
    """Mean over the kinds of label of their bits over their entropy."""
    return np.asarray(np.mean([bits[kind] / found[kind].entropy for kind in KINDS], axis=0))


def _gaussian(result: StageResult) -> tuple[Array, Array]:
    """Straightened Gaussian information, and standard errors of its second differences.

    Raises:
        InputError: it was not measured.
        NumericsError: it is not positive everywhere, with all documents or without some.
    """
    if "gaussian" not in result.arrays:
        missing = result.meta["missing"]
        raise InputError(missing.get("gaussian") or missing["components"])
    k = int(result.meta["gaussian"]["k"])
    profile = straightened(result.arrays["gaussian"][0], k)
    try:
        table = straightened(result.arrays["gaussian"], k)
    except NumericsError as error:
        raise NumericsError(f"Without some documents there is no error of the bends: {error}") from error
    errors = jackknife(np.diff(table, 2, axis=1))
    return profile, np.zeros(max(len(profile) - 2, 0)) if errors is None else errors


def shaken_profiles(found: Mapping[str, Usable], draws: int, seed: int) -> dict[str, Array]:
    """Kind → profiles over layers 1..L when its documents are resampled, (draws, L); not of a single document.

    Topics and words are those of the same documents, which are drawn once for both: what one document does to both
    then stays in the error of their sum. The treebank is another text, drawn by itself.
    """
    shaken: dict[str, Array] = {}
    for place, kinds in enumerate(TEXTS):
        members = {kind: found[kind] for kind in kinds if kind in found and len(found[kind].counts) > 1}
        if not members:
            continue
        documents = np.unique(np.concatenate([one.documents for one in members.values()]))
        weights = document_weights(len(documents), draws, seed + place)
        for kind, one in members.items():
            own = weights[:, np.searchsorted(documents, one.documents)]
            with np.errstate(invalid="ignore"):
                shaken[kind] = one.bits(own)[:, 1:]
    return shaken


def usable_of(result: StageResult, kind: str) -> Usable | None:
    """V-information of one kind of label as stored; None where it was not measured."""
    if kind not in result.meta["kinds"]:
        return None
    about = result.meta["kinds"][kind]
    saved, counts, prior, documents = (result.arrays[f"{kind}.{name}"] for name in USABLE)
    return Usable(kind, about["label"], about["classes"], saved, counts, prior, documents)


def jackknife(table: Array) -> Array | None:
    """Standard errors from (1 + groups, ...): the estimate, then the estimate without each group.

    None where there were too few groups to leave one out.
    """
    left = table[1:]
    g = len(left)
    if g < JACKKNIFE:
        return None
    return np.asarray(np.sqrt((g - 1) / g * ((left - left.mean(0)) ** 2).sum(0)))
