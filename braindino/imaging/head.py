"""A head prepared for finding the brain in it: a 2 mm grid, levels of brightness, and where the body ends."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from braindino.imaging.grid import Grid
from braindino.imaging.resample import resample
from braindino.imaging.volume import Volume

WORK_MM = 2.0
LEVELS = 24  # equally filled brightness levels of the scan
_COIL_MM = 24.0  # standard deviation of the window whose mean is taken for the coil's field
_GAP_MM = 12.0  # dark skull between brain and scalp, bridged to find the whole body
SKIN_MM = 4.0  # so deep everything is under the skin
_DEEPEST_MM = 40.0


@dataclass(frozen=True)
class Head:
    """A scan on a grid of `WORK_MM` along the world's axes that begins at `low` (mm).

    `coarse` and `fine` [x, y, z] are its brightness, smoothed by 4 and by 1.4 mm, `levels` the borders of
    its `LEVELS` equally filled levels, `body` (bool) head and neck without holes, and `depth` how far under the skin a
    voxel lies, mm up to 40. Outside the field of view the body is thought to go on.
    """

    low: np.ndarray
    coarse: np.ndarray
    fine: np.ndarray
    levels: np.ndarray
    body: np.ndarray
    depth: np.ndarray


def prepare(volume: Volume) -> Head:
    """Resamples a volume in RAS order (see `orient.to_ras`) and finds the body in it."""
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(volume.data.shape) - 1)
    world = corners @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    low = world.min(axis=0)
    count = np.ceil(np.ptp(world, axis=0) / WORK_MM).astype(int) + 1
    affine = np.diag([WORK_MM, WORK_MM, WORK_MM, 1.0])
    affine[:3, 3] = low
    values = resample(volume, Grid("axial", affine, (int(count[2]), int(count[1]), int(count[0]))), "linear").T
    values = values - min(0.0, float(values.min()))
    fine = ndimage.gaussian_filter(values, 1.4 / WORK_MM)
    body = _body(fine)
    coarse = ndimage.gaussian_filter(values, 4.0 / WORK_MM)
    padded = np.pad(body, 1, mode="edge")
    depth = ndimage.distance_transform_edt(padded)[1:-1, 1:-1, 1:-1] * WORK_MM
    return Head(low, coarse, fine, _levels(fine, body), body, np.minimum(depth, _DEEPEST_MM).astype(np.float32))


def evened(head: Head) -> Head:
    """The head over its mean in a wide window, 0.3 to 3 times the usual: for images that a coil brightened unevenly."""
    width = _COIL_MM / WORK_MM
    share = ndimage.gaussian_filter(head.body.astype(np.float32), width, truncate=2.5)
    mean = ndimage.gaussian_filter(head.fine * head.body, width, truncate=2.5) / np.maximum(share, 0.05)
    field = np.clip(mean / max(float(np.median(mean[head.body])), 1e-12), 0.3, 3.0)
    fine = head.fine / field
    return replace(head, coarse=head.coarse / field, fine=fine, levels=_levels(fine, head.body))


def _levels(values: np.ndarray, body: np.ndarray) -> np.ndarray:
    borders: np.ndarray = np.quantile(values[body], np.linspace(0, 1, LEVELS + 1)[1:-1])
    return borders


def _body(values: np.ndarray) -> np.ndarray:
    """The largest thing brighter than air once gaps as wide as a skull are closed; holes in axial slices filled."""
    bright = ndimage.binary_opening(values > 0.6 * _otsu(values))
    reach, room = _GAP_MM / WORK_MM, int(_GAP_MM / WORK_MM) + 2
    grown = ndimage.distance_transform_edt(~np.pad(bright, room)) <= reach
    closed = (ndimage.distance_transform_edt(grown) > reach)[room:-room, room:-room, room:-room] | bright
    labels, components = ndimage.label(closed)
    if components == 0:
        return np.ones_like(bright)
    largest: np.ndarray = labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1
    for index in range(largest.shape[2]):
        largest[:, :, index] = ndimage.binary_fill_holes(largest[:, :, index])
    return largest


def _otsu(values: np.ndarray) -> float:
    """Otsu's threshold (IEEE Trans Syst Man Cybern 9 (1979) 62-66), without the brightest half per cent."""
    counts, edges = np.histogram(np.clip(values, 0, np.quantile(values, 0.995)), 128)
    centres = (edges[1:] + edges[:-1]) / 2
    below, mass = np.cumsum(counts)[:-1], np.cumsum(counts * centres)
    between = (mass[-1] * below / counts.sum() - mass[:-1]) ** 2 / np.maximum(below * (counts.sum() - below), 1)
    return float(centres[np.argmax(between)])
