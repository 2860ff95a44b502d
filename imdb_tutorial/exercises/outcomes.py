"""What answers gave: whether two outcomes are the same, and how one is shown."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

TOLERANCE = 1e-4


def alike(one: Any, other: Any) -> bool:
    """Say whether two outcomes are the same, numbers within a small tolerance."""
    one, other = _plain(one), _plain(other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return set(one) == set(other) and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        if one.shape != other.shape or (one.dtype.kind in "OSU") != (other.dtype.kind in "OSU"):
            return False
        if one.dtype.kind in "OSU":
            return one.tolist() == other.tolist()
        return np.allclose(
            one.astype(float), other.astype(float), TOLERANCE, TOLERANCE, equal_nan=True
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, bool | np.bool_) or isinstance(other, bool | np.bool_):
        return type(one) is type(other) and one == other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return (
            math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
            or one == other
            or (math.isnan(one) and math.isnan(other))
        )
    return type(one) is type(other) and bool(one == other)


def shown(outcome: Any) -> str:
    """Return an outcome as a short text."""
    outcome = _plain(outcome)
    if isinstance(outcome, np.ndarray):
        outcome = outcome.tolist()
    try:
        text = re.sub(r" at 0x[0-9a-fA-F]+", "", repr(_rounded(outcome)))
    except Exception:  # an object of the learner's own may not even have a repr
        text = object.__repr__(outcome).partition(" at ")[0] + ">"
    return text if len(text) <= 120 else text[:119] + "…"


def _plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        value = value.detach().float() if value.is_floating_point() else value.detach()
        return value.cpu().numpy() if value.ndim else value.item()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return list(value)
    return value


def _rounded(value: Any) -> Any:
    value = _plain(value)
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_rounded(item) for item in value]
    return value
