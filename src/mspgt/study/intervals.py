"""Intervals of profiles over documents, as rows of the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mspgt.results.record import Rows
from mspgt.signals.geometry import calibrated_s1
from mspgt.signals.profiles import Draws, Signals
from mspgt.stats.bootstrap import LEAST_DOCUMENTS, expanded_interval, percentile_interval, too_few
from mspgt.stats.jackknife import jackknife_interval
from mspgt.vocabulary import MODES, SIGNALS

Array = NDArray[np.float64]
OUTER, INNER = 0.95, (80, 50)  # per cent; the inner ones are drawn inside the band
Ends = Callable[[float], Array]  # level → lower and upper end, (2, places)
Bands = dict[str, Rows]  # inner level in per cent → rows


def of_draws(values: Array, documents: int) -> tuple[Rows | None, Bands | None]:
    """Intervals of draws (draws, places) over so many documents: 95 %, and the inner ones; None: there are none."""
    return _told(partial(expanded_interval, values, documents))


def of_signals(
    signals: Signals, draws: Draws | None
) -> tuple[dict[str, dict[str, Rows | None]], dict[str, dict[str, Bands | None]]]:
    """Signal → mode → intervals over transitions from block 1 on: 95 %, and the inner ones; empty without draws.

    Of the paper's signals they are plain percentiles, as its protocol has them.
    """
    outer: dict[str, dict[str, Rows | None]] = {}
    inner: dict[str, dict[str, Bands | None]] = {}
    for i, name in enumerate(SIGNALS if draws is not None else ()):
        outer[name], inner[name] = {}, {}
        for mode in MODES:
            values = getattr(draws, mode)[:, i, 1 - signals.first :]
            if mode == "paper":
                ends: Ends = partial(percentile_interval, values)
            elif name == "S1":
                ends = _s1_ends(signals, values)
            else:
                ends = partial(expanded_interval, values, _documents(signals, name))
            outer[name][mode], inner[name][mode] = _told(ends)
    return outer, inner


def too_few_for(signals: Signals) -> Iterator[tuple[str, str]]:
    """(signal, why) of each that has no interval in calibrated mode, since too few documents are resampled."""
    for name in SIGNALS[1:]:
        documents = _documents(signals, name)
        if name not in signals.missing and 1 < documents < LEAST_DOCUMENTS:
            yield name, too_few(documents)


def _documents(signals: Signals, name: str) -> int:
    """What is resampled for a signal: documents of the treebank's test split, or clusters of the corpus."""
    if name != "S2":
        return signals.geometry.n_clusters
    return 0 if signals.probes is None else signals.probes.n_documents


def _s1_ends(signals: Signals, values: Array) -> Ends:
    """Intervals of calibrated S1, a ratio of U-statistics, which is biased where documents are few.

    Args:
        values: (draws, transitions) of the bootstrap, whose mean tells the bias.
    """
    clusters = signals.geometry.n_clusters
    weights = np.vstack([np.ones(clusters), 1 - np.eye(clusters)])
    whole, *without = calibrated_s1(signals.geometry.cka("calibrated", weights)[:, 1:])[0]
    corrected = partial(jackknife_interval, whole, np.array(without), values.mean(0) - whole)
    return lambda level: np.asarray(np.maximum(corrected(level), 0))


def _told(ends: Ends) -> tuple[Rows | None, Bands | None]:
    bands = {str(percent): _rows(ends(percent / 100)) for percent in INNER}
    return _rows(ends(OUTER)), {percent: rows for percent, rows in bands.items() if rows is not None} or None


def _rows(ends: Array) -> Rows | None:
    if np.isnan(ends).all():
        return None
    return [(float(low), float(high)) if np.isfinite([low, high]).all() else None for low, high in ends.T]
