"""Ridge regression for all penalties by one decomposition."""

from collections.abc import Sequence

import numpy as np

from braindino.heads.scaling import Array, principal_axes, standardise


def ridge_path(train: Array, targets: Array, other: Array, alphas: Sequence[float]) -> Array:
    """Predictions [alphas, m, k] for `other` [m, d] of ridge regressions of `targets` [n, k] on `train` [n,
    d].

    Columns are standardised by the training rows. Minimises ||y - Xw - b||^2 + alpha ||w||^2 with b free
    (Hoerl and Kennard 1970); in the principal axes every penalty is one division.
    """
    spectrum = principal_axes(*standardise(train, other))
    mean = targets.mean(axis=0)
    aligned = spectrum.train.T @ (targets - mean)
    shrunk = [aligned / (spectrum.power + alpha)[:, None] for alpha in alphas]
    return np.asarray(mean + spectrum.other @ np.array(shrunk), dtype=np.float64)
