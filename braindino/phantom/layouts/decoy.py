"""Files that lie beside the scans of a download and are no scans: valid images, but tiny and of nothing."""

import gzip

import nibabel
import numpy as np


def tiny_nifti(shape: tuple[int, ...] = (4, 4, 4), *, compressed: bool = True) -> bytes:
    """The bytes of a small NIfTI image of zeros (int16, 2 mm), as `.nii.gz` or `.nii`; the same at every call."""
    plain = nibabel.Nifti1Image(np.zeros(shape, dtype=np.int16), np.diag([2.0, 2.0, 2.0, 1.0])).to_bytes()
    return gzip.compress(plain, mtime=0) if compressed else plain


def tiny_analyze(shape: tuple[int, ...] = (4, 4, 4, 1)) -> tuple[bytes, bytes]:
    """The bytes of the `.hdr` and the `.img` of a small Analyze 7.5 image of zeros."""
    image = nibabel.AnalyzeImage(np.zeros(shape, dtype=np.int16), np.eye(4))
    image.update_header()
    return image.header.binaryblock, np.zeros(shape, dtype=np.int16).tobytes()
