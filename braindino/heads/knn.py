"""k nearest neighbours by cosine similarity, for all k by one similarity matrix."""

from collections.abc import Sequence

import numpy as np

from braindino.heads.scaling import Array, unit_rows


def knn_path(train: Array, targets: Array, other: Array, counts: Sequence[float]) -> Array:
    """Means [counts, m, k] of the targets [n, k] of the nearest training rows of each row of `other` [m, d].

    Features are scaled to unit length and nothing else, as in the paper (arXiv 2604.27277, kNN protocol).
    With one-hot targets the mean is the share of votes. Equally similar rows count in the order of the
    training rows. No count may exceed the number of training rows.
    """
    similarity = unit_rows(other) @ unit_rows(train).T
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, : int(max(counts))]
    running = np.cumsum(targets[nearest], axis=1)
    return np.array([running[:, int(count) - 1] / count for count in counts])
