"""Writing rendered volumes as NIfTI, FreeSurfer (.mgz) or Analyze 7.5 (.img/.hdr) files."""

from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform
from scipy import ndimage

from braindino.phantom.plan import ScanFile
from braindino.phantom.render import render

Volume = npt.NDArray[np.generic]
Affine = npt.NDArray[np.float64]


def write_scan(root: Path, scan: ScanFile, spacing_mm: float) -> None:
    """Renders a scan and writes its image (int16) and masks (uint8), all on one grid, below `root`."""
    rendered = render(scan.subject, scan.contrast, spacing_mm, with_skull=scan.with_skull, field_mm=scan.field_mm)
    affine = tilt(rendered.affine, scan.tilt)
    image = np.clip(np.rint(rendered.volume / (scan.slope or 1)), 0, 32767).astype(np.int16)
    lesion = nested_codes(rendered.lesion, scan.lesion_codes)
    for path, voxels, slope in (
        (scan.image, image, scan.slope),
        (scan.brain_mask, rendered.brain, None),
        (scan.segmentation, lesion, None),
    ):
        if path is not None:
            turned, turned_affine = reorient(voxels, affine, scan.axes)
            write_volume(root / path, turned[..., None] if scan.singleton else turned, turned_affine, slope)


def nested_codes(lesion: npt.NDArray[np.uint8], codes: Sequence[int]) -> npt.NDArray[np.uint8]:
    """A lesion mask as nested parts: the innermost has the first code, the outermost shell the last."""
    coded = (lesion > 0) * np.uint8(codes[-1])
    depth = ndimage.distance_transform_edt(lesion)
    shells = np.linspace(0, depth.max(), len(codes) + 1)[1:-1]
    for least, code in zip(shells, reversed(codes[:-1]), strict=True):
        coded[depth > least] = code
    return coded


def tilt(affine: Affine, degrees: float) -> Affine:
    """The affine of an acquisition that was angulated by so many degrees about the left-right axis."""
    angle = np.radians(degrees)
    turned = np.eye(4)
    turned[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return np.asarray(turned @ affine, dtype=np.float64)


def reorient(voxels: Volume, affine: Affine, axes: str) -> tuple[Volume, Affine]:
    """An image with RAS axes, its voxel axes now running to `axes` ("PSR": posterior, superior, right)."""
    transform = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(axes))
    turned = apply_orientation(voxels, transform)
    return turned, np.asarray(affine @ inv_ornt_aff(transform, voxels.shape), dtype=np.float64)


def write_volume(path: Path, voxels: Volume, affine: Affine, slope: float | None = None) -> None:
    """Writes one volume in the format its name tells; with a slope (NIfTI only), the header scales the integers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".mgz":
        nibabel.save(nibabel.MGHImage(voxels, affine), path)
    elif path.suffix == ".img":
        nibabel.save(nibabel.AnalyzeImage(voxels, affine), path)
    else:
        image = nibabel.Nifti1Image(voxels if slope is None else np.multiply(voxels, slope, dtype=np.float64), affine)
        image.set_sform(affine, code=1)
        image.set_qform(affine, code=1)
        image.header.set_xyzt_units("mm")
        if slope is not None:  # the integers given are stored, and the header says what they stand for
            image.set_data_dtype(voxels.dtype)
            image.header.set_slope_inter(slope, 0)
        nibabel.save(image, path)
