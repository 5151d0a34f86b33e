"""The content hash: what a scan is, whatever its name, compression and number type."""

import hashlib

import numpy as np

from braindino.imaging.volume import Volume

# Positions are compared to a tenth of a micrometre: quaternions and matrices of one header differ by
# rounding.
_DECIMALS = 4


def content_hash(
    volume: Volume,
    mask: Volume | None = None,
    segmentation: Volume | None = None,
    mask_method: str | None = None,
) -> str:
    """16 hexadecimal digits of decoded voxels and affine, of mask and segmentation too where they are given.

    `mask_method` says how the brain was found: the same voxels with another mask are other slices.

    Voxels count as little-endian float32, so that the same intensities stored as int16 or float, gzipped or
    not, are recognised. (float32 is exact for whole numbers up to 16.7 million.)
    """
    digest = hashlib.sha256()
    for role, part in (("image", volume), ("mask", mask), ("segmentation", segmentation)):
        if part is None:
            continue
        digest.update(f"{role} {part.data.shape}".encode())
        digest.update((np.round(part.affine, _DECIMALS) + 0.0).astype("<f8").tobytes())
        # Files keep x fastest; the transpose is then contiguous and nothing is copied.
        for plane in part.data.T:
            digest.update(np.ascontiguousarray(plane, dtype="<f4").data)
    if mask_method is not None:
        digest.update(f"mask_method {mask_method}".encode())
    return digest.hexdigest()[:16]
