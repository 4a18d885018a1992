"""Planted faults that no test sees, and why each changes no number and no promise."""

BUFFER = "only how much is done at a time, or set aside for it"
FARTHER = "only how far from the estimate the same end is looked for"
SHARED = "a factor that all three HSICs of a ratio share"
ANOTHER = "only which other token stands in place of padding"
UNSEEN = "what nobody looks at of a batch that is one text: its place, or which of its tokens are special"
DOUBLE = "a power of two more or less, which CKA does not see"
TINY = "only which of two equal ways of computing the same number is taken"

EXPLAINED: dict[str, dict[str, str]] = {
    "mspgt.study.store": {
        "save: 3 → 4": "decimals of the wall time that a manifest keeps; nobody computes with them",
        "write_json: False → True": "only how letters beyond ASCII are spelled in a file, which are read back alike",
    },
    "mspgt.study.lock": {
        "run_lock: 0 → 1": "one byte of the older holder stays, and is written over at once",
    },
    "mspgt.lm.keyed": {
        "_signed: value + 2 ** 63 → value - 2 ** 63": "the two differ by 2⁶⁴, and the next step is modulo 2⁶⁴",
        "_signed: (value + 2 ** 63) % 2 ** 64 - 2 ** 63 → (value + 2 ** 63) % 2 ** 64 + 2 ** 63": (
            "the two differ by 2⁶⁴, and 64-bit integers add modulo 2⁶⁴"
        ),
    },
    "mspgt.lm.padding": {
        "padding_is_harmless: exchanged <= TOLERANCE[lm.dtype] → exchanged < TOLERANCE[lm.dtype]": (
            "a measured difference is not the tolerance to the last bit"
        ),
        "_moved_by_exchange: batch.input_ids + 1 → batch.input_ids - 1": ANOTHER,
        "_moved_by_exchange: 1 → 2": ANOTHER,
        "_moved_by_company: row + 1 → row - 1 (3)": UNSEEN,
        "_moved_by_company: 1 → 2 (3)": UNSEEN,
        "_moved_by_company: 0 → 1": UNSEEN,
        "_states: False → True": "only whether attention is watched, which changes no state (test_attention.py)",
    },
    "mspgt.stats.bootstrap": {
        "document_clusters: 0 → 1": "all clusters begin with the same size, so that none is preferred by it",
    },
    "mspgt.stats.jackknife": {
        "jackknife_interval: 1 → 2 (5)": "up to a kurtosis of 2 the degrees of freedom are capped at c − 1 anyway",
        "jackknife_interval: 1 → 2 (7)": "a kurtosis is below c, so that there are always more than two of them",
    },
    "mspgt.stats.permutation": {
        "paired_permutation: 63 → 64": "2⁶³ arrangements are more than any number of draws",
        "paired_permutation: 1000 → 1001 (2)": BUFFER,
    },
    "mspgt.signals.similarity": {
        "_unit: -1 → 1": "the states of a layer have two axes, tokens and dimensions: the last is number 1",
        "_over_documents: e <= start + _BLOCK → e < start + _BLOCK": BUFFER,
        "_over_documents: 0 → 1 (8)": "an empty table of those who ask for no lags, and throw it away",
    },
    "mspgt.signals.cka": {
        "_of_all: True → False": "there are as many names as representations",
        "_of_all: True → False (2)": "there are as many names as representations",
        "_of_all: n - 3 → n + 3": SHARED,
        "_groups: (held + width) * max(n, held + width) > _ROOM → (held + width) * max(n, held + width) "
        ">= _ROOM": BUFFER,
        "_groups: held + width → held - width (2)": BUFFER,
        "_of_all: width + len(given) ** 2 → width - len(given) ** 2": TINY,
        "_from_grams: _ROOM // len(given) → _ROOM * len(given)": BUFFER,
        "_from_grams: 1 → 2": BUFFER,
        "_from_grams: True → False": "there is a Gram matrix for every representation",
        "_from_features: True → False": "every representation has its columns",
        "of: abs(exponent) > _WITHIN → abs(exponent) >= _WITHIN": DOUBLE,
        "of: 0 → 1 (4)": DOUBLE,
    },
    "mspgt.signals.attention": {
        "row_drift: mass > 0 → mass >= 0": "a row without mass is left out below, whatever it was divided by",
        "row_drift: 1 → 2 (4)": "a row without mass, which this divides, is nothing but zeros and is left out",
    },
    "mspgt.signals.document_tables": {
        "_hsic: (pairs - 2 * chains / n + product / n ** 2) / n ** 2 → (pairs - 2 * chains / n + product / n ** 2) * "
        "n ** 2": "a factor that all three sums of a ratio share",
        "layer_tables: see is not None and moment is not None → see is not None or moment is not None": (
            "there is a moment exactly where somebody asks to see it"
        ),
    },
    "mspgt.signals.jumps": {
        "_document_noise: True → False": "whether lists of one length, made side by side, are asked for it",
    },
    "mspgt.theory.information": {
        "nearest_neighbour_information: v - v.mean(0) → v + v.mean(0)": "distances know no shift of all points",
    },
    "mspgt.interventions.effects": {
        "_log_ratio: after / before → after * before": "only the sign is asked, and a product has that of a ratio",
    },
    "mspgt.interventions.exchange": {
        "exchanged_self_bleu: 2 → 3 (2)": BUFFER,
        "_swaps: groups < 63 → groups <= 63": "2⁶³ exchanges are more than any number of draws",
        "_copies: 1 → 2 (4)": "a column more than there are n-grams, which is empty",
    },
    "mspgt.interventions.diversity": {
        "ngrams_of_orders: order > 1 → order >= 1": "words are numbered anew, each still apart from the others",
        "nearest_other: 0 → 1": "the text below the shortest, which is not looked at two lines later",
        "nearest_other: -1 → 1 (2)": "the text above the longest, which is not looked at two lines later",
    },
    "mspgt.predictions.association": {
        "_interval: 1.001 * reach * sqrt(1.5 / (n - 3)) → 1.001 * reach / sqrt(1.5 / (n - 3))": FARTHER,
        "_interval: 1.001 → 2.001": FARTHER,
        "_interval: 1.5 → 2.5": FARTHER,
    },
    "mspgt.boundaries.peaks": {
        "_lowest_before_higher: place + step → place - step": "both directions are walked, and so change places",
    },
}
