"""Laying one small block of a brain over another: a shift by Fourier transform, then an affine map by least squares.

Both blocks hold detail of equal loudness, so that squared differences after one gain are a fair measure of fit.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Block = NDArray[np.float32]

_BLUR = 1.5  # voxels: the first round sees only what is coarse enough to be caught from a millimetre or two away
_ROUNDS, _CLOSE = 10, 0.01  # steps at most, and the step (voxels) that counts as arrived
_STRETCH = 1.3  # largest ratio of lengths
_FADE = 5  # voxels at each border that count less, as what lies beyond is unknown


@dataclass(frozen=True)
class Placement:
    """Where the voxels of one block lie in another: `matrix` x + `shift`, about the centres of both, in voxels."""

    matrix: NDArray[np.float64]
    shift: NDArray[np.float64]

    def take(self, block: Block, order: int = 1, *, filtered: bool = False) -> Block:
        """The values of the other block at these places, by splines of an order; 0 beyond it.

        `filtered`: the block holds spline coefficients already.
        """
        centre = (np.array(block.shape) - 1) / 2
        offset = centre + self.shift - self.matrix @ centre
        taken: Block = ndimage.affine_transform(
            block, self.matrix, offset, order=order, mode="constant", output=np.float32, prefilter=not filtered
        )
        return taken

    def plausible(self) -> bool:
        """Whether one brain, even on an atlas, can be stretched like this: two brains fit once a scrap is blown up."""
        stretch = np.linalg.svd(self.matrix, compute_uv=False)
        return bool(stretch.min() > 1 / _STRETCH and stretch.max() < _STRETCH)

    def visible(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Which places, of a block of that shape in a block of that shape, lie inside the other block."""
        return self.take(np.ones(shape, dtype=np.float32)) > 0.98


def align(fixed: Block, moving: Block, start: NDArray[np.float64]) -> Placement:
    """The affine placement of `fixed` in `moving`, from a first guess of its matrix [3, 3] (identity: no turn).

    The shift is searched over the whole block, the rest refined from there: a guess may miss by a few degrees.
    """
    turned = Placement(start, np.zeros(3)).take(moving)
    placement = Placement(start, start @ _best_shift(fixed, turned))
    blurred = [np.asarray(ndimage.gaussian_filter(block, _BLUR, mode="constant")) for block in (fixed, moving)]
    placement = _refine(blurred[0], blurred[1], placement)
    placement = _refine(fixed, moving, placement)
    # Linear interpolation blurs least on whole voxels and so draws the shift towards them: splines have the last word.
    return _refine(fixed, np.asarray(ndimage.spline_filter(moving, 3), dtype=np.float32), placement, spline=True)


def _best_shift(fixed: Block, moving: Block) -> NDArray[np.float64]:
    """The shift, whole voxels, at which the correlation of two blocks peaks."""
    shape = [fft.next_fast_len(2 * count, real=True) for count in fixed.shape]
    spectrum = np.conj(fft.rfftn(fixed, shape)) * fft.rfftn(moving, shape)
    peak = np.unravel_index(int(np.argmax(fft.irfftn(spectrum, shape))), shape)
    wrapped = [index if index <= count // 2 else index - count for index, count in zip(peak, shape, strict=True)]
    return np.array(wrapped, dtype=np.float64)


def _refine(fixed: Block, moving: Block, placement: Placement, *, spline: bool = False) -> Placement:
    """Gauss-Newton steps on the twelve parameters.

    Source: Baker and Matthews, Int J Comput Vis 56 (2004) 221-255, the inverse compositional algorithm: gradients are
    those of the fixed block and are taken once. With `spline`, `moving` holds the
    coefficients of cubic splines.
    """
    weight, places = _frame(fixed.shape)
    gradients = np.stack([np.gradient(fixed, axis=axis) for axis in range(3)]).reshape(3, -1)
    jacobian = np.concatenate([(gradients[:, None] * places[None]).reshape(9, -1), gradients]).astype(np.float32)
    target = fixed.ravel()
    for _ in range(_ROUNDS):
        seen = placement.take(moving, 3 if spline else 1, filtered=spline).ravel()
        # What the other block does not show is no evidence: as zeros it would draw the blocks apart.
        trusted = weight * placement.visible(fixed.shape).ravel()
        weighted = jacobian * trusted
        normal = (weighted @ jacobian.T).astype(np.float64)
        gain = float((trusted * target) @ seen) / max(float((trusted * seen) @ seen), 1e-9)
        gradient = (weighted @ (np.float32(gain) * seen - target)).astype(np.float64)
        step = np.linalg.solve(normal + 1e-6 * (np.trace(normal) + 1e-6) / 12 * np.eye(12), gradient)
        undone = np.linalg.inv(np.eye(3) + step[:9].reshape(3, 3))
        matrix = placement.matrix @ undone
        placement = Placement(matrix, placement.shift - matrix @ step[9:])
        if not placement.plausible():
            break
        if np.abs(step[9:]).max() < _CLOSE and np.abs(step[:9]).max() * max(fixed.shape) / 2 < _CLOSE:
            break
    return placement


@lru_cache(maxsize=2)
def _frame(shape: tuple[int, int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The weight of each voxel, 1 inside and fading to the border [n], and its place about the centre [3, n]."""
    grid = np.stack(np.meshgrid(*[np.arange(count) for count in shape], indexing="ij")).reshape(3, -1)
    last = np.array(shape)[:, None] - 1
    border = np.minimum(grid, last - grid).min(axis=0) + 1
    return np.clip(border / _FADE, 0, 1).astype(np.float32), (grid - last / 2).astype(np.float32)
