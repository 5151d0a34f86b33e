"""From tokens of slices to one vector per scan."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from braindino.encoders.load import Encoder
from braindino.errors import ConfigError
from braindino.slices.reader import ScanSlices
from braindino.slices.window import apply_window, window_bounds

POOLINGS = ("cls_mean", "brain_mean")


def patch_brain_fraction(brain: Tensor, patch: int) -> Tensor:
    """The share of brain pixels in every patch: float32 [B, ceil(H/patch), ceil(W/patch)] of uint8 [B, H, W].

    What lies beyond the slice counts as background, as in `Encoder.encode`.
    """
    height, width = brain.shape[-2:]
    pad = (0, -width % patch, 0, -height % patch)
    padded = functional.pad((brain > 0).to(torch.float32), pad)
    return functional.avg_pool2d(padded.unsqueeze(1), patch).squeeze(1)


class Pool:
    """Sums tokens over the slices of one scan, batch by batch, in float64; `means` gives the pooled
    vectors.
    """

    def __init__(self, width: int) -> None:
        self._cls = np.zeros(width)
        self._patches = np.zeros(width)
        self._slices = 0
        self._brain = 0.0

    def add(self, cls: Tensor, patches: Tensor, fraction: Tensor) -> None:
        """Add a batch: cls [B, D], patches [B, h, w, D] and their brain fraction [B, h, w]."""
        weights = fraction.to(patches.device, patches.dtype)
        weighted = torch.einsum("bhwd,bhw->bd", patches, weights)
        self._cls += cls.double().sum(0).cpu().numpy()
        self._patches += weighted.double().sum(0).cpu().numpy()
        self._slices += cls.shape[0]
        self._brain += float(weights.double().sum())

    def means(self) -> dict[str, NDArray[np.float32]]:
        """`cls_mean`: the mean CLS token over slices. `brain_mean`: the mean patch token, weighted by brain
        fraction.

        Only a fifth to a quarter of a slice's patches touch brain: a plain mean would encode the size of the
        head.
        """
        if not self._slices or not self._brain:
            raise ValueError("nothing was pooled: no slices, or no brain in them")
        means = {"cls_mean": self._cls / self._slices, "brain_mean": self._patches / self._brain}
        return {name: vector.astype(np.float32) for name, vector in means.items()}


def chosen_slices(n_slices: int, step: int = 1, max_slices: int | None = None) -> list[int]:
    """Every `step`-th slice, thinned evenly to at most `max_slices`; always at least one."""
    if step < 1 or (max_slices is not None and max_slices < 1):
        raise ConfigError(f"step {step} and max_slices {max_slices} must be 1 or more.")
    # Centred, so that a step keeps as much of the bottom as of the top.
    indices = np.arange(min((n_slices - 1) % step // 2, n_slices - 1), n_slices, step)
    if max_slices is not None and len(indices) > max_slices:
        positions = (np.arange(max_slices) + 0.5) * len(indices) / max_slices
        indices = indices[positions.astype(np.int64)]
    return [int(index) for index in indices]


def embed_scan(
    encoder: Encoder, scan: ScanSlices, batch_size: int = 32, max_slices: int | None = None, step: int = 1
) -> dict[str, NDArray[np.float32]]:
    """One float32 vector [D] per pooling of a stored scan, over every `step`-th slice, `max_slices` at most.

    `cls_mean` is the volume feature of the BrainDINO paper (mean over slices of CLS); `brain_mean` is the
    mean of patch tokens weighted by their share of brain. Raises StoreError when the slices cannot be read.
    """
    low, high = window_bounds(scan.intensity, encoder.window)
    pool = Pool(encoder.width)
    for indices in _batches(chosen_slices(scan.n_slices, step, max_slices), batch_size):
        image, brain = scan.image(indices), scan.brain(indices)
        tokens = encoder.encode(torch.from_numpy(np.asarray(apply_window(image, low, high), dtype=np.float32)))
        pool.add(tokens.cls, tokens.patches, patch_brain_fraction(torch.from_numpy(brain), encoder.patch_size))
    return pool.means()


def _batches(indices: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(indices), size):
        yield indices[start : start + size]
