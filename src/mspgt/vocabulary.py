"""The words of the project that many rooms share, each named once."""

from __future__ import annotations

from collections.abc import Callable

SIGNALS = ("S1", "S2", "S3")
KINDS = ("spike", "bump", "step", "kink")  # of boundary
MODES = ("paper", "calibrated")
SCALES = ("local", "intermediate", "global")  # from the embedding up
BOUNDARIES = ("LI", "IG")  # Local to Intermediate, Intermediate to Global

Progress = Callable[[int, int, str], None]  # done, total, stage
