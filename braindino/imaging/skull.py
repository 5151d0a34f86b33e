"""Where the skull lies around a fitted brain: bone is darker than what it encloses on every contrast.

An affine fit can settle on a brain that is some millimetres too small, most of all where fluid is bright: brain and
fluid together then look like one brain with its rim; or, on coarse voxels, on one that is too large. And an outline can
come to lie in the middle of a thin skull, most of all where dura is bright. Going outwards from the fitted surface, the
change from bright to dark tells of the one, and the darkest place of the other.
"""

import numpy as np
from scipy import ndimage
from scipy.spatial.distance import jensenshannon

from braindino.imaging.affine_fit import linear_part, mean_scale
from braindino.imaging.head import LEVELS, WORK_MM, Head
from braindino.imaging.template import BASE_MM, template

_STEP = 3  # of the template's 1 mm voxels
_INNER_MM, _OUTER_MM = 8, 6  # thickness of what is compared on both sides of a border
_REACH_MM = 12
_CLEAR, _FAINT = 0.4, 0.01  # of the strongest change; less is none, in nats
_TOO_FAR_MM = 4  # a skull so far outside or inside shows that the fit is too small or too large
# Of the way to it: outwards there are fluid and dura, inwards the cortex may show instead.
_LEFT_OUTWARDS_MM, _LEFT_INWARDS_MM = 3.0, 1.0
_RISE = 0.1  # of the brain's brightness, from the darkest place of the bone outwards
_BONE_HALF_MM = 2.0
_FARTHEST_MM = 3.0  # an outline that is farther out is so in places only


def sized_by_skull(head: Head, parameters: np.ndarray) -> np.ndarray:
    """The 12 parameters of `affine_fit`, the brain larger or smaller if the skull lies far outside or inside of it."""
    offset = skull_offset(head, parameters)
    if offset is None or abs(offset) < _TOO_FAR_MM:
        return parameters
    radius = (template().brain_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3) * mean_scale(parameters)
    moved = offset - _LEFT_OUTWARDS_MM if offset > 0 else offset + _LEFT_INWARDS_MM
    sized = parameters.copy()
    sized[6:9] += np.log(1 + moved / radius)
    return sized


def skull_offset(head: Head, parameters: np.ndarray) -> int | None:
    """Millimetres from the fitted surface out to the skull, negative inwards; None where no skull shows.

    It is the innermost clear change of brightness that is darker outside.
    """
    reach = _REACH_MM + _INNER_MM
    table = _brightness_by_depth(head, parameters, reach)
    offsets = range(-_REACH_MM, _REACH_MM + 1)
    changes = np.array(
        [_change(table[reach + o - _INNER_MM : reach + o], table[reach + o :][:_OUTER_MM]) for o in offsets]
    )
    least = max(_FAINT, _CLEAR * float(np.abs(changes).max()))
    for at in range(1, len(changes) - 1):
        if changes[at] >= max(changes[at - 1], changes[at + 1], least):
            return offsets[at]
    return None


def reach_into_bone(outside: np.ndarray, image: np.ndarray, vault: np.ndarray) -> float:
    """Millimetres that an outline reaches into the skull on average, 0 where it does not or no bone shows.

    Args:
        outside: mm outside the outline, negative inside, float32 [x, y, z].
        image: brightness on that grid.
        vault: where to look: in the field of view and above the base of the skull, bool.
    """
    near = vault & (np.abs(outside) < _REACH_MM)
    depths = np.floor(outside[near]).astype(np.int64)
    values = image[near]
    known = np.arange(-_REACH_MM, _REACH_MM)
    layers = [values[depths == one] for one in known]
    if min(len(layer) for layer in layers) == 0:
        return 0.0
    shown = ndimage.gaussian_filter1d(np.array([np.median(layer) for layer in layers]), 0.7)
    rise = _RISE * float(shown[known < -3].max())
    for at in np.flatnonzero((known > -6) & (known < 7)):
        if shown[at] <= min(shown[at - 1], shown[at + 1]) and shown[at : at + 6].max() - shown[at] > rise:
            return float(np.clip(_BONE_HALF_MM - (known[at] + 0.5), 0.0, _FARTHEST_MM))
    return 0.0


def _brightness_by_depth(head: Head, parameters: np.ndarray, reach: int) -> np.ndarray:
    """How often each level of brightness is found in each mm from inside to outside, float [2 x reach, LEVELS]."""
    known = template()
    scale = mean_scale(parameters)
    index = np.argwhere(np.abs(known.distance[::_STEP, ::_STEP, ::_STEP]) * scale < reach) * _STEP
    points = index + known.low
    vault = points[:, 2] > BASE_MM
    index, points = index[vault], points[vault]
    places = ((points - known.centre) @ linear_part(parameters).T + parameters[:3] - head.low) / WORK_MM
    seen = np.all((places >= 0) & (places <= np.array(head.fine.shape) - 1), axis=1)
    depth = np.floor(known.distance[tuple(index[seen].T)] * scale).astype(np.int64) + reach
    values = ndimage.map_coordinates(head.fine, places[seen].T, order=1)
    if not len(values):
        return np.zeros((2 * reach, LEVELS))
    borders = np.quantile(values, np.linspace(0, 1, LEVELS + 1)[1:-1])
    cells = np.clip(depth, 0, 2 * reach - 1) * LEVELS + np.searchsorted(borders, values)
    counts = np.bincount(cells, minlength=2 * reach * LEVELS).reshape(2 * reach, LEVELS)
    table: np.ndarray = ndimage.gaussian_filter1d(counts.astype(np.float64), 1.0, axis=1)
    return table


def _change(inside: np.ndarray, outside: np.ndarray) -> float:
    """The Jensen-Shannon divergence of two histograms by layer, nats; negative where the outside is brighter."""
    one, two = inside.sum(axis=0), outside.sum(axis=0)
    if not one.any() or not two.any():
        return 0.0
    brighter = float(np.sign((np.cumsum(two) * one).sum() - (np.cumsum(one) * two).sum()))
    return brighter * float(jensenshannon(one, two)) ** 2
