"""Small networks and stored scans for the tests of this room."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from braindino.encoders import NetworkConfig, TokenNetwork, build_network
from braindino.slices import Intensity, ScanSlices, open_scan, write_scan

TINY = NetworkConfig("tiny", (32, 24), patch_size=8, width=16, depth=2, heads=2, registers=2)


def tiny_network(seed: int = 0, config: NetworkConfig = TINY) -> TokenNetwork:
    torch.manual_seed(seed)
    return build_network(config)


def intensity(low: float = 100.0, high: float = 900.0) -> Intensity:
    """Stored numbers equal values: scale 1, the value 1 is stored as 1."""
    return Intensity(
        scale=1.0, offset=1.0, maximum=1000.0, p0_1=low, p0_5=low, p1=low, p99=high, p99_5=high, p99_9=high,
        mean=500.0, std=200.0,
    )  # fmt: skip


@dataclass
class NoFacts:
    """The store writes a scan's facts; these tests have none."""


class StandInScan:
    """Slices in memory with the reading methods of `ScanSlices`."""

    def __init__(self, image: np.ndarray, brain: np.ndarray) -> None:
        self._image, self._brain = image, brain
        self.n_slices = len(image)
        self.intensity = intensity()

    def image(self, indices: list[int]) -> np.ndarray:
        return self._image[indices]

    def brain(self, indices: list[int]) -> np.ndarray:
        return self._brain[indices]


def ball_scan(n_slices: int = 7, rows: int = 32, columns: int = 24, seed: int = 0) -> StandInScan:
    """A textured ball: what lies outside it is background."""
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (n_slices + 2, rows, columns)), indexing="ij")
    brain = ((x**2 + y**2 + z**2) < 0.8)[1:-1].astype(np.uint8)
    image = rng.integers(1, 1000, brain.shape).astype(np.uint16) * brain
    return StandInScan(image, brain)


def stored_scan(folder: Path) -> ScanSlices:
    """The ball, written by the slices room and opened again."""
    ball = ball_scan()
    every = list(range(ball.n_slices))
    preprocessed = SimpleNamespace(
        image=ball.image(every), brain=ball.brain(every), segmentation=None, plane="axial",
        affine=np.eye(4), intensity=ball.intensity, facts=NoFacts(),
    )  # fmt: skip
    write_scan(folder / "ball.zarr", preprocessed, {})
    return open_scan(folder / "ball.zarr")
