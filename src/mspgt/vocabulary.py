"""The words of the project that many rooms share, each named once."""

from __future__ import annotations

from collections.abc import Callable

SIGNALS = ("S1", "S2", "S3")
KINDS = ("spike", "bump", "step", "kink")  # of boundary
MODES = ("paper", "calibrated")
SCALES = ("local", "intermediate", "global")  # from the embedding up
INITIALS = ("L", "I", "G")  # of the scales, as functional scales and their tasks are keyed
BOUNDARIES = ("LI", "IG")  # Local to Intermediate, Intermediate to Global

# A token is a sink where its norm exceeds so many medians of its layer, at any layer. The looser limit misses half
# sinks, which one frequent word can be for ten blocks on end; what hangs on the choice is measured under both.
SINK_RATIO = 3.0
LOOSE_SINK_RATIO = 10.0

Progress = Callable[[int, int, str], None]  # done, total, stage
