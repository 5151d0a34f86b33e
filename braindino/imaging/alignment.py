"""Whether a mask or a segmentation that was given lies on the brain of its image, or on some other place."""

import numpy as np
from scipy import ndimage

from braindino.errors import Reason, ScanRefused
from braindino.imaging.volume import Volume, corners_apart

# A mask with the image's own matrix and voxel size was drawn on it; further apart than people move between two scans of
# a session, its header has lost its place.
_LARGEST_SHIFT_MM = 20.0
# Brain is darker than a twentieth of its median nowhere but in some of the fluid: 1 % of the voxels of aligned masks on
# T1w, T2w, FLAIR and PD, stripped or not; of masks moved sideways by 50 mm, 24 % and more.
_DARK = 0.05
_LARGEST_DARK_SHARE = 0.10
# Of the lesions of real scans at most 2.5 % lay outside their own brain masks and none as far as this; of the lesions
# of other people, laid on the same scans, up to 17 %.
_NEAR_BRAIN_MM = 5.0
_LARGEST_SHARE_BESIDE = 0.10
# No lesion fills half of a brain; tissue maps and parcellations do.
_WHOLE_BRAIN_SHARE = 0.5
# So many labelled voxels tell a share well, and no segmentation of a whole head takes long.
_MOST_POINTS = 200_000
_COARSE_MM = 2.0


def check_alignment(volume: Volume, mask: Volume, carried: np.ndarray) -> None:
    """Refuses a mask that is not this image's.

    A shift along the neck may stay within tissue, and is then seen only by masks of the image's own matrix.

    Args:
        volume: the image.
        mask: the mask as it was given.
        carried: the mask on the image's grid, bool [x, y, z], not empty.

    Raises:
        ScanRefused: `mask_mismatch`.
    """
    remedy = "provide the mask of this scan, in its place."
    apart = _shift(volume, mask)
    if apart > _LARGEST_SHIFT_MM:
        text = f"The mask of {volume.name} has the image's matrix and lies up to {apart:.0f} mm beside it;"
        raise ScanRefused(Reason.MASK_MISMATCH, f"{text} {remedy}")
    shown = volume.data[carried].astype(np.float32)
    floor = float(np.percentile(volume.data[::4, ::4, ::4], 1))
    dark = float((shown - floor <= _DARK * (np.median(shown) - floor)).mean())
    if dark > _LARGEST_DARK_SHARE:
        text = f"{dark:.0%} of the mask of {volume.name} show no signal: it does not lie on the brain;"
        raise ScanRefused(Reason.MASK_MISMATCH, f"{text} {remedy}")


def check_segmentation(volume: Volume, segmentation: Volume, brain: np.ndarray) -> None:
    """Refuses a segmentation that is not this image's.

    It is not, if it has the image's matrix and lies beside it, or if more than a tenth of its labelled volume lies
    outside the field of view or more than 5 mm outside the brain: lesions at the surface may leave a brain mask by a
    little. What labels half of the brain and more is a tissue map or a parcellation, and may go on to the skull. An
    empty segmentation lies nowhere and is fine. Lesions of another person that happen to fall inside this brain are
    not seen.

    Args:
        volume: the image, in RAS order.
        segmentation: its labels as they were given, in RAS order; above 0 is labelled.
        brain: the brain mask on the image's grid, bool [x, y, z], not empty.

    Raises:
        ScanRefused: `segmentation_mismatch`.
    """
    labelled = segmentation.data > 0
    count = np.count_nonzero(labelled)
    if not count:
        return
    remedy = "give the segmentation of this scan in its place, or a brain mask that holds what it labels."
    text = f"The segmentation {segmentation.name} does not lie on the brain of {volume.name}:"
    apart = _shift(volume, segmentation)
    if apart > _LARGEST_SHIFT_MM:
        text = f"{text} it has the image's matrix and lies up to {apart:.0f} mm beside it;"
        raise ScanRefused(Reason.SEGMENTATION_MISMATCH, f"{text} {remedy}")
    inside, beside = _shares(volume, segmentation.with_data(labelled), brain)
    covered = inside * count * segmentation.voxel_ml / (np.count_nonzero(brain) * volume.voxel_ml)
    if beside > _LARGEST_SHARE_BESIDE and covered < _WHOLE_BRAIN_SHARE:
        text = f"{text} {beside:.0%} of its labelled volume is more than {_NEAR_BRAIN_MM:.0f} mm away from it;"
        raise ScanRefused(Reason.SEGMENTATION_MISMATCH, f"{text} {remedy}")


def _shift(volume: Volume, given: Volume) -> float:
    """How far, mm, a mask with the image's matrix and voxel size lies beside it; 0 for one on another grid."""
    if given.data.shape != volume.data.shape or not np.allclose(given.spacing, volume.spacing, rtol=0.01):
        return 0.0
    return corners_apart(given.affine, volume.affine, volume.data.shape)


def _shares(volume: Volume, labelled: Volume, brain: np.ndarray) -> tuple[float, float]:
    """Of the voxels that are labelled (bool), the shares inside the brain, and neither inside nor near it."""
    # The transpose of a volume as files keep it is contiguous, and is searched several times as fast.
    found = np.flatnonzero(labelled.data.T)
    found = found[:: -(-len(found) // _MOST_POINTS)]
    points = np.stack(np.unravel_index(found, labelled.data.T.shape)[::-1], axis=1)
    to_voxel = np.linalg.inv(volume.affine) @ labelled.affine
    voxels = np.rint(points @ to_voxel[:3, :3].T + to_voxel[:3, 3]).astype(int)
    seen = voxels[((voxels >= 0) & (voxels < volume.data.shape)).all(axis=1)]
    inside = brain[tuple(seen.T)]
    outside = seen[~inside]
    near = 0
    if len(points) - np.count_nonzero(inside) > _LARGEST_SHARE_BESIDE * len(points):  # else no distance matters
        near = int(np.count_nonzero(_distances(brain, volume.spacing, outside) <= _NEAR_BRAIN_MM))
    within = int(np.count_nonzero(inside))
    return within / len(points), (len(points) - within - near) / len(points)


def _distances(brain: np.ndarray, spacing: np.ndarray, voxels: np.ndarray) -> np.ndarray:
    """How far voxels, int [n, 3], lie from the brain, mm [n]: measured on a coarser copy, to about a voxel of it."""
    steps = np.maximum(1, np.rint(_COARSE_MM / spacing)).astype(int)
    coarse = brain[:: steps[0], :: steps[1], :: steps[2]]
    away = ndimage.distance_transform_edt(~coarse, spacing * steps)[tuple((voxels // steps).T)]
    # The brain reaches beyond the centres of its outermost voxels.
    distances: np.ndarray = away - (spacing * steps).max() / 2
    return distances
