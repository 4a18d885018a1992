"""Numbers that a caller gives: lists, arrays, and tensors of any type and device, with or without gradients."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError


def doubles(value: ArrayLike | torch.Tensor, name: str) -> NDArray[np.float64]:
    """The same numbers in double precision.

    Raises:
        InputError: they are no numbers, or no array of any shape.
    """
    if isinstance(value, torch.Tensor):
        # NumPy knows no bfloat16, and no tensor that still asks for gradients.
        value = value.detach().cpu().double().numpy()
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must hold numbers in rows of one length: {error}.") from error
