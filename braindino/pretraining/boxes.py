"""Where crops are taken: random-resized boxes anchored on brain, as plain numbers before any image is
touched.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from braindino.pretraining.config import CropConfig

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Boxes:
    """One box per slice, in pixels: centres, sizes, rotation in radians, and whether it is mirrored left to
    right.
    """

    row: Numbers
    column: Numbers
    height: Numbers
    width: Numbers
    angle: Numbers
    mirrored: NDArray[np.bool_]

    def theta(self, rows: int, columns: int) -> NDArray[np.float32]:
        """Affine matrices [n, 2, 3] for `torch.nn.functional.affine_grid` on slices of rows x columns pixels.

        They map (x, y) in -1..1 of the crop to (x, y) in -1..1 of the slice; the rotation is one in pixels,
        whatever the shapes of box and slice.
        """
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        sign = np.where(self.mirrored, -1.0, 1.0)
        theta = np.empty((len(self.row), 2, 3), dtype=np.float32)
        theta[:, 0, 0] = sign * cosine * self.width / columns
        theta[:, 0, 1] = -sine * self.height / columns
        theta[:, 0, 2] = (2 * self.column + 1) / columns - 1
        theta[:, 1, 0] = sign * sine * self.width / rows
        theta[:, 1, 1] = cosine * self.height / rows
        theta[:, 1, 2] = (2 * self.row + 1) / rows - 1
        return theta


def brain_anchors(brain: NDArray[np.unsignedinteger], quantiles: Numbers) -> Numbers:
    """Row and column of brain pixels, [n, k, 2]: of each slice of [n, H, W], those at its k `quantiles` [n,
    k].

    Quantiles, in [0, 1), are of the slice's brain pixels in row-major order. A slice without brain gives its
    middle.
    """
    count, rows, columns = brain.shape
    anchors = np.empty((*quantiles.shape, 2))
    for index in range(count):
        pixels = np.flatnonzero(brain[index])
        if len(pixels):
            chosen = pixels[(quantiles[index] * len(pixels)).astype(np.int64)]
            anchors[index] = np.stack(np.divmod(chosen, columns), axis=-1)
        else:
            anchors[index] = (rows - 1) / 2, (columns - 1) / 2
    return anchors


def crop_boxes(
    draws: Numbers,
    anchors: Numbers,
    canvas: tuple[int, int],
    area: tuple[float, float],
    crops: CropConfig,
    flip: float,
) -> Boxes:
    """One box per slice: random area and aspect (as torchvision's RandomResizedCrop), always over its anchor.

    A uniform placement of a 5 %-area box on a skull-stripped slice is often empty. Here the anchor, a brain
    pixel [n, 2], lies in the middle half of the box; where that would leave the canvas, the box is moved back
    inside and the anchor stays in it. `draws` are 6 uniform numbers per slice; `area` is a range of shares of
    the canvas; `flip` is the probability of a mirrored box.
    """
    rows, columns = canvas
    share = area[0] + (area[1] - area[0]) * draws[:, 0]
    ratio = np.exp(math.log(crops.aspect[0]) + math.log(crops.aspect[1] / crops.aspect[0]) * draws[:, 1])
    height = np.minimum(np.sqrt(share * rows * columns * ratio), rows)
    width = np.minimum(np.sqrt(share * rows * columns / ratio), columns)
    angle = np.deg2rad(crops.rotation_degrees) * (2 * draws[:, 4] - 1)
    # Turned about the anchor, not about its own centre, a box cannot lose the anchor.
    down = _placed(anchors[:, 0], height, rows, draws[:, 2]) - anchors[:, 0]
    right = _placed(anchors[:, 1], width, columns, draws[:, 3]) - anchors[:, 1]
    return Boxes(
        row=anchors[:, 0] + np.cos(angle) * down + np.sin(angle) * right,
        column=anchors[:, 1] - np.sin(angle) * down + np.cos(angle) * right,
        height=height,
        width=width,
        angle=angle,
        mirrored=draws[:, 5] < flip,
    )


def _placed(anchor: Numbers, size: Numbers, canvas: int, draw: Numbers) -> Numbers:
    """Centres along one axis: up to a quarter of the box from the anchor, the box inside the canvas."""
    centre = anchor + (draw - 0.5) * 0.5 * size
    # Pixel k covers k - 0.5 to k + 0.5.
    placed: Numbers = np.clip(centre, size / 2 - 0.5, canvas - size / 2 - 0.5)
    return placed
