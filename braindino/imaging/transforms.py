"""Which of the maps to the world in a NIfTI header counts, and when a header contradicts itself.

A header may hold two maps, the sform (any affine) and the qform (a rotation, with the voxel sizes of pixdim), each
with a code that says whether it is set. The rules, each recorded in `repairs` where it changed something:

- One of them set: it counts. Both: the sform counts, as in NIfTI's own documentation and in the programs in use.
- Both set, and they place a corner of the volume more than 0.5 mm apart: the sform counts and the distance is
  recorded (a rigid alignment that only one of them knows is common).
- Both set, and they disagree about handedness (left and right), by more than 45 degrees, or about a voxel size by
  more than 2 %: refused, for nobody can know which is right.
- The sform is singular or not finite, and the qform is set: the qform counts.
- The qform's quaternion is no rotation, and the sform is set: the sform counts.
- None is set: only voxel sizes are known; where the axes point is up to the source or the format's default.
- A voxel size of zero, below zero or not finite in pixdim: refused wherever pixdim counts (qform, or none set;
  software that takes 1 mm instead changes the size of the brain); else recorded. In Analyze a negative size meant a
  flipped axis, and only its amount counts.
"""

from dataclasses import dataclass

import nibabel as nib
import numpy as np

from braindino.errors import Reason, ScanRefused
from braindino.imaging.volume import corners_apart

_RECORDED_MM = 0.5
_LARGEST_TURN_DEGREES = 45.0
_LARGEST_SIZE_CHANGE = 0.02


@dataclass(frozen=True)
class Transform:
    """The map from voxel index to RAS mm, whether the header says where the axes point, and what was decided."""

    affine: np.ndarray
    oriented: bool
    repairs: tuple[str, ...] = ()


def choose_transform(header: nib.Nifti1Header, pixdim: np.ndarray, shape: tuple[int, ...], name: str) -> Transform:
    """The map that counts, by the rules above.

    Args:
        header: NIfTI-1 or -2.
        pixdim: voxel sizes as they stand in the file [3]; nibabel puts 1 where they are 0.
        shape: of the volume.
        name: for messages.

    Raises:
        ScanRefused: `bad_geometry`.
    """
    sizes_known = bool(np.isfinite(pixdim).all() and (pixdim > 0).all())
    sform = np.asarray(header.get_sform(), np.float64) if int(header["sform_code"]) > 0 else None
    qform, repairs = _qform(header) if sizes_known else (None, ())
    if sform is not None and not _spans_space(sform):
        if qform is None:
            raise _refused(name, "its affine is singular or not finite")
        return Transform(qform, True, (*repairs, "sform singular, qform taken"))
    if sform is not None:
        if not sizes_known:
            repairs = (*repairs, "pixdim without voxel sizes, those of the sform taken")
        elif qform is not None:
            repairs = (*repairs, *_compare(sform, qform, shape, name))
        return Transform(sform, True, repairs)
    if not sizes_known:
        raise _refused(name, f"it says that voxels measure {' x '.join(f'{size:.3g}' for size in pixdim)} mm")
    if int(header["qform_code"]) > 0:
        if qform is None:
            raise _refused(name, "its quaternion is no rotation")
        return Transform(qform, True, repairs)
    return Transform(np.asarray(header.get_base_affine(), np.float64), False)


def analyze_transform(header: nib.AnalyzeHeader, pixdim: np.ndarray, name: str) -> Transform:
    """The map of an Analyze header, which knows voxel sizes alone.

    Raises:
        ScanRefused: `bad_geometry`, if a voxel size is zero or not finite.
    """
    if not np.isfinite(pixdim).all() or (pixdim == 0).any():
        raise _refused(name, f"it says that voxels measure {' x '.join(f'{size:.3g}' for size in pixdim)} mm")
    repairs = ("sign of voxel sizes dropped",) if (pixdim < 0).any() else ()
    return Transform(np.asarray(header.get_best_affine(), np.float64), False, repairs)


def _qform(header: nib.Nifti1Header) -> tuple[np.ndarray | None, tuple[str, ...]]:
    if int(header["qform_code"]) <= 0:
        return None, ()
    try:
        qform = np.asarray(header.get_qform(), np.float64)
    except (ValueError, nib.spatialimages.HeaderDataError):
        return None, ("qform is no rotation, ignored",)
    return (qform, ()) if np.isfinite(qform).all() else (None, ("qform is not finite, ignored",))


def _compare(sform: np.ndarray, qform: np.ndarray, shape: tuple[int, ...], name: str) -> tuple[str, ...]:
    """What is to be recorded of two maps that are both set."""
    sizes_s, sizes_q = (np.linalg.norm(affine[:3, :3], axis=0) for affine in (sform, qform))
    axes_s, axes_q = sform[:3, :3] / sizes_s, qform[:3, :3] / sizes_q
    if np.linalg.det(axes_s) * np.linalg.det(axes_q) < 0:
        raise _refused(name, "its sform and its qform disagree about left and right")
    if np.abs(sizes_s / sizes_q - 1).max() > _LARGEST_SIZE_CHANGE:
        said = " and ".join(" x ".join(f"{size:.3g}" for size in sizes) for sizes in (sizes_s, sizes_q))
        raise _refused(name, f"by its sform and its qform voxels measure {said} mm")
    cosine = (np.trace(axes_s.T @ axes_q) - 1) / 2
    turn = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    if turn > _LARGEST_TURN_DEGREES:
        raise _refused(name, f"its sform and its qform are turned by {turn:.0f} degrees against each other")
    apart = corners_apart(sform, qform, shape)
    return (f"sform and qform up to {apart:.3g} mm apart, sform taken",) if apart > _RECORDED_MM else ()


def _spans_space(affine: np.ndarray) -> bool:
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.isfinite(affine).all() and sizes.min() > 0 and abs(np.linalg.det(affine[:3, :3] / sizes)) > 1e-3)


def _refused(name: str, what: str) -> ScanRefused:
    return ScanRefused(Reason.BAD_GEOMETRY, f"The header of {name} cannot be trusted: {what}; repair it at its source.")
