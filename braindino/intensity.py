"""How stored whole numbers map back to a scan's own intensities: what writing and reading must share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Intensity:
    """The intensity scale of one stored scan, with statistics of the brain's voxels.

    A stored number `n >= 1` stands for the value `offset + scale * (n - 1)` in the file's own units; 0 is
    background. Nothing is clipped: `offset` is the smallest value inside the brain and `maximum` the largest.
    """

    scale: float
    offset: float
    maximum: float
    p0_1: float
    p0_5: float
    p1: float
    p99: float
    p99_5: float
    p99_9: float
    mean: float
    std: float

    def stored(self, value: float) -> float:
        """The stored number (not rounded) that stands for a value in the file's own units."""
        return (value - self.offset) / self.scale + 1.0
