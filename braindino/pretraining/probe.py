"""Online quality: what the teacher knows of a small labelled cohort, every so many steps.

The cohort is of training subjects: the frozen test subjects of the tasks stay unseen. A neighbour's label is asked for
among other people only, so that knowing the person is of no help.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from braindino.encoders.network import TokenNetwork
from braindino.errors import StoreError
from braindino.slices.reader import open_scan
from braindino.slices.sampler import ScanRef
from braindino.slices.window import apply_window, window_bounds

NEIGHBOURS = 5
SLICES = 6
"""Slices of a scan, evenly spaced."""
FEWEST_PEOPLE = 3
"""Of a class, for it to be asked for."""
SITE = "site"
"""The label that says where a scan was made: knowing it well is no merit."""


@dataclass(frozen=True)
class Labelled:
    """A scan of the cohort and the classes it belongs to, by label."""

    scan: ScanRef
    labels: Mapping[str, str] = field(default_factory=dict)


class Probe:
    """Holds the cohort's slices and measures a network on them."""

    def __init__(self, cohort: Sequence[Labelled], window: str, patch: int, device: torch.device) -> None:
        read = [(one, slices) for one in cohort if (slices := _slices(one.scan, window, patch)) is not None]
        self._cohort = [one for one, _ in read]
        self._slices = [slices.half() for _, slices in read]
        self._device = device
        self._grams: Tensor | None = None

    @torch.no_grad()
    def measure(self, teacher: TokenNetwork, half_precision: bool) -> dict[str, float]:
        """Figures by name: `knn_<label>`, the balanced accuracy of the nearest neighbours among other people (chance is
        one over the classes); `gram_drift`, the mean squared change of the patches' similarities since last asked.
        """
        if not self._slices:
            return {}
        features, grams = [], []
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half_precision):
            for number, slices in enumerate(self._slices):
                cls, patches = teacher.forward_tokens(slices.to(self._device).float())
                features.append(cls.float().mean(0))
                if number < SLICES:
                    grams.append(_gram(patches[len(patches) // 2].float()))
        figures = self._neighbours(torch.stack(features).cpu())
        now = torch.stack(grams)  # all of one recipe, so of one size
        if self._grams is not None and self._grams.shape == now.shape:
            figures["gram_drift"] = float((now - self._grams).square().mean())
        self._grams = now
        return figures

    def _neighbours(self, features: Tensor) -> dict[str, float]:
        people = np.array([one.scan.subject_uid for one in self._cohort])
        names = sorted({name for one in self._cohort for name in one.labels})
        figures = {}
        for name in names:
            labels = np.array([one.labels.get(name, "") for one in self._cohort])
            accuracy = balanced_accuracy_of_neighbours(features, labels, people)
            if accuracy is not None:
                figures[f"knn_{name}"] = accuracy
        return figures


def balanced_accuracy_of_neighbours(features: Tensor, labels: np.ndarray, people: np.ndarray) -> float | None:
    """The mean over classes of the share of scans whose NEIGHBOURS nearest scans of other people vote for their class.

    `features` [n, D] are centred and compared by cosine; votes weigh by similarity. Scans with the empty label, and
    classes of fewer than FEWEST_PEOPLE people, are left out; None where fewer than two classes remain.
    """
    classes = [c for c in np.unique(labels) if c and len(np.unique(people[labels == c])) >= FEWEST_PEOPLE]
    if len(classes) < 2:
        return None
    chosen = np.flatnonzero(np.isin(labels, classes))
    features, labels, people = features[torch.from_numpy(chosen)], labels[chosen], people[chosen]
    unit = functional.normalize(features - features.mean(0), dim=-1)
    similarity = (unit @ unit.T).numpy()
    similarity[people[:, None] == people[None, :]] = -np.inf
    nearest = np.argsort(-similarity, axis=1)[:, :NEIGHBOURS]
    weights = np.exp(np.take_along_axis(similarity, nearest, axis=1) / 0.1)
    votes = np.stack([(weights * (labels[nearest] == c)).sum(1) for c in classes], axis=1)
    guessed = np.array(classes)[votes.argmax(1)]
    return float(np.mean([(guessed[labels == c] == c).mean() for c in classes]))


def _slices(scan: ScanRef, window: str, patch: int) -> Tensor | None:
    """Windowed slices [SLICES, 1, H, W] cut to whole patches; None where the scan cannot be read."""
    try:
        opened = open_scan(scan.path)
        indices = ((np.arange(SLICES) + 0.5) / SLICES * opened.n_slices).astype(int).tolist()
        low, high = window_bounds(opened.intensity, window)
        images = torch.from_numpy(np.asarray(apply_window(opened.image(indices), low, high), np.float32))
    except StoreError:
        return None
    rows, columns = (side - side % patch for side in images.shape[-2:])
    return images[:, None, :rows, :columns]


def _gram(patches: Tensor) -> Tensor:
    unit = functional.normalize(patches, dim=-1)
    return unit @ unit.T
