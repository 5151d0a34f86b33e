"""Scaling by the training rows alone, and the one decomposition that serves every value of a grid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NEGLIGIBLE = 1e-13  # of the largest eigenvalue: directions the training rows do not span, up to rounding


def standardise(train: Array, other: Array) -> tuple[Array, Array]:
    """Both matrices [n, d] with the mean and standard deviation of `train`; a constant column becomes zeros.

    A column that is constant in training carries nothing that could be learned, so its values in `other` are
    set to zero too, whatever they are.
    """
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    # The deviation of a constant column of float32 origin is rounding noise rather than exactly zero.
    varies = deviation > 1e-9 * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
    scaled: tuple[Array, Array] = (train - mean) * scale, (other - mean) * scale
    return scaled


def unit_rows(features: Array) -> Array:
    """Rows [n, d] scaled to length one; a row of zeros stays zero."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    scaled: Array = np.divide(features, lengths, out=np.zeros_like(features), where=lengths > 0)
    return scaled


@dataclass(frozen=True)
class Spectrum:
    """Training rows [n, d] in their principal axes, largest first.

    `train` [n, r] and `other` [m, r] are coordinates, `axes` [d, r] orthonormal columns, and `power` [r] the
    squared singular values of the training rows, all above zero (r may be 0).
    """

    train: Array
    other: Array
    axes: Array
    power: Array


def principal_axes(train: Array, other: Array) -> Spectrum:
    """Rotate both matrices into the span of the training rows.

    A linear model with an L2 penalty has its solution in that span, and the penalty does not change under
    rotation, so nothing is lost, while 80 scans of 768 features shrink to 80 columns. The eigenvectors of the
    smaller Gram matrix are several times faster than a singular value decomposition.
    """
    n, d = train.shape
    power, vectors = np.linalg.eigh(train @ train.T if n < d else train.T @ train)
    kept = np.flatnonzero(power > _NEGLIGIBLE * max(power[-1], 0.0))[::-1]
    power, vectors = power[kept], vectors[:, kept]
    axes = train.T @ vectors / np.sqrt(power) if n < d else vectors
    return Spectrum(train @ axes, other @ axes, axes, power)
