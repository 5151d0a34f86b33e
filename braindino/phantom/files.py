"""Writing rendered volumes as NIfTI, FreeSurfer (.mgz) or Analyze 7.5 (.img/.hdr) files."""

import gzip
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform
from scipy import ndimage

from braindino.phantom.dicom import write_series
from braindino.phantom.plan import Reencoding, ScanFile
from braindino.phantom.render import Rendered, render

Volume = npt.NDArray[np.generic]
Affine = npt.NDArray[np.float64]


def write_scan(root: Path, scan: ScanFile, spacing_mm: float) -> None:
    """Renders a scan and writes its image (int16) and masks (uint8), all on one grid, below `root`."""
    rendered = _render(scan, spacing_mm)
    affine = tilt(rendered.affine, scan.tilt)
    image = np.clip(np.rint(rendered.volume / (scan.slope or 1)), 0, 32767).astype(np.int16)
    lesion = rendered.lesion
    if scan.subject.tumour:
        lesion = np.array((0, *scan.lesion_codes), dtype=np.uint8)[rendered.parts]
    elif scan.segmentation or scan.lesion_copies:  # to find the depth of nothing takes as long as the image
        lesion = nested_codes(rendered.lesion, scan.lesion_codes)
    files: list[tuple[str | None, Volume, float | None]] = [
        (scan.image, image, None if scan.slope is None and scan.gain == 1 else (scan.slope or 1) * scan.gain),
        (scan.brain_mask, rendered.brain, None),
        (scan.segmentation, lesion, scan.lesion_slope),
        *((path, lesion, scan.lesion_slope) for path in scan.lesion_copies),
    ]
    compression = scan.reencoding.compression if scan.reencoding else None
    for path, voxels, slope in files:
        if path is not None:
            turned, turned_affine = reorient(voxels, affine, scan.axes)
            stored = turned[..., None] if scan.singleton else turned
            if scan.dicom is not None and path == scan.image:
                write_series(root / path, scan.dicom, turned.astype(np.int16), turned_affine)
            else:
                write_volume(root / path, stored, turned_affine, slope, compression)


def _render(scan: ScanFile, spacing_mm: float) -> Rendered:
    """The scan in the coordinates of its header, stored again as another owner would where the plan says so."""
    rendered = render(
        scan.subject,
        scan.contrast,
        spacing_mm,
        with_skull=scan.with_skull,
        field_mm=scan.atlas.field_mm if scan.atlas else scan.field_mm,
        registered=scan.atlas is not None,
        repeat=scan.repeat,
    )
    if scan.atlas is not None:
        affine = rendered.affine.copy()
        affine[:3, 3] += scan.atlas.shift
        rendered = replace(rendered, affine=affine)
    return rendered if scan.reencoding is None else reencode(rendered, scan.reencoding, spacing_mm)


def reencode(rendered: Rendered, way: Reencoding, spacing_mm: float) -> Rendered:
    """The same scan with other intensities and a tighter brain mask; what the mask leaves off is 0 everywhere."""
    depth = spacing_mm * (ndimage.distance_transform_edt(rendered.brain) - 0.5)
    kept = depth > way.trim_mm
    volume = np.where(kept, np.maximum(way.factor * rendered.volume, 1), 0).astype(np.float32)
    brain, lesion, parts = (
        (mask * kept).astype(np.uint8) for mask in (rendered.brain, rendered.lesion, rendered.parts)
    )
    return replace(rendered, volume=volume, brain=brain, lesion=lesion, parts=parts)


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


def write_volume(
    path: Path, voxels: Volume, affine: Affine, slope: float | None = None, compression: int | None = None
) -> None:
    """Writes one volume in the format its name tells.

    NIfTI only: with a `slope`, readers multiply the integers by it; `compression` is the level of gzip.
    """
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
        if slope is not None:  # nibabel then stores the integers as they are
            image.header.set_slope_inter(slope, 0)
        if compression is not None:
            path.write_bytes(gzip.compress(image.to_bytes(), compression, mtime=0))
        else:
            nibabel.save(image, path)
