"""Writing rendered volumes as NIfTI, FreeSurfer (.mgz) or Analyze 7.5 (.img/.hdr) files."""

from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform

from braindino.phantom.plan import ScanFile
from braindino.phantom.render import render

Volume = npt.NDArray[np.generic]
Affine = npt.NDArray[np.float64]


def write_scan(root: Path, scan: ScanFile, spacing_mm: float) -> None:
    """Renders a scan and writes its image (int16) and masks (uint8), all on one grid, below `root`."""
    rendered = render(scan.subject, scan.contrast, spacing_mm, with_skull=scan.with_skull)
    affine = tilt(rendered.affine, scan.tilt)
    image = np.clip(np.rint(rendered.volume), 0, 32767).astype(np.int16)
    for path, voxels in (
        (scan.image, image),
        (scan.brain_mask, rendered.brain),
        (scan.segmentation, rendered.lesion),
    ):
        if path is not None:
            write_volume(root / path, *reorient(voxels, affine, scan.axes))


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


def write_volume(path: Path, voxels: Volume, affine: Affine) -> None:
    """Writes one volume in the format its name tells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".mgz":
        nibabel.save(nibabel.MGHImage(voxels, affine), path)
    elif path.suffix == ".img":
        nibabel.save(nibabel.AnalyzeImage(voxels, affine), path)
    else:
        image = nibabel.Nifti1Image(voxels, affine)
        image.set_sform(affine, code=1)
        image.set_qform(affine, code=1)
        image.header.set_xyzt_units("mm")
        nibabel.save(image, path)
