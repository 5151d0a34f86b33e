"""Whether a mask that was given lies on the brain of its image, or on some other place."""

import numpy as np

from braindino.errors import Reason, ScanRefused
from braindino.imaging.volume import Volume, corners_apart

# A mask with the image's own matrix and voxel size was drawn on it; further apart than people move between two scans of
# a session, its header has lost its place.
_LARGEST_SHIFT_MM = 20.0
# Brain is darker than a twentieth of its median nowhere but in some of the fluid: 1 % of the voxels of aligned masks on
# T1w, T2w, FLAIR and PD, stripped or not; of masks moved sideways by 50 mm, 24 % and more.
_DARK = 0.05
_LARGEST_DARK_SHARE = 0.10


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
    if mask.data.shape == volume.data.shape and np.allclose(mask.spacing, volume.spacing, rtol=0.01):
        apart = corners_apart(mask.affine, volume.affine, volume.data.shape)
        if apart > _LARGEST_SHIFT_MM:
            text = f"The mask of {volume.name} has the image's matrix and lies up to {apart:.0f} mm beside it;"
            raise ScanRefused(Reason.MASK_MISMATCH, f"{text} {remedy}")
    shown = volume.data[carried].astype(np.float32)
    floor = float(np.percentile(volume.data[::4, ::4, ::4], 1))
    dark = float((shown - floor <= _DARK * (np.median(shown) - floor)).mean())
    if dark > _LARGEST_DARK_SHARE:
        text = f"{dark:.0%} of the mask of {volume.name} show no signal: it does not lie on the brain;"
        raise ScanRefused(Reason.MASK_MISMATCH, f"{text} {remedy}")
