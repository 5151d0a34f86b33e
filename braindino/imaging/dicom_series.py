"""Which of the slices in a folder are one structural volume, and whether that volume is whole.

The rules:

- Slices belong together if series, orientation, echo time, matrix and voxel size are the same.
- Localisers, computed maps (ADC, FA, perfusion, projections), phase images, colours, slices without a place and other
  modalities are left out, and so are groups of fewer than 8 slices: scouts that do not say so.
- One group must be left. Of one series in several orientations or matrices: `dicom_mixed`. Otherwise
  `dicom_several_series`, with the scanner's numbers of the series.
- Its slices must lie one above the other in equal steps. A step half as large again as the others, or steps that
  differ by more than a twentieth, are gaps (`dicom_gap`), and so are steps half as large again as the header's
  distance between slices.
- Several slices at one place are a series of volumes if time, acquisition or diffusion weighting tells them apart and
  every place has as many; then the recipe's rule for such series decides. Otherwise: `dicom_duplicate`.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from braindino.errors import Reason, ScanRefused
from braindino.imaging.dicom_files import Slice

FEWEST_SLICES = 8
_SAME_DIRECTION = 1e-3
_SAME_PLACE_MM = 0.01
_GAP = 1.5
_UNEVEN = 0.05
_LARGEST_SHIFT_MM = 1.0


@dataclass(frozen=True)
class Series:
    """One whole volume or series of volumes: its files, its shape and its map to the world.

    `shape` is (columns, rows, slices, volumes); `affine` (4 x 4) maps (column, row, slice) to RAS mm, with slices in
    the order of the normal; None for mosaics, whose slices only the decoder knows.
    """

    files: tuple[int, ...]
    shape: tuple[int, int, int, int]
    affine: np.ndarray | None
    left_out: int
    derived: bool


def choose_series(slices: Sequence[Slice], name: str) -> Series:
    """The one series of a folder, by the rules above.

    Args:
        slices: of all its files.
        name: of the folder, for messages.

    Raises:
        ScanRefused: `dicom_no_series`, `dicom_several_series`, `dicom_mixed`, `dicom_gap`, `dicom_duplicate` or
            `bad_geometry`.
    """
    groups = _groups([one for one in slices if one.kind == "image"])
    usable = [group for group in groups if len(group) >= FEWEST_SLICES or group[0].mosaic]
    if not usable:
        raise _none_usable(slices, groups, name)
    if len(usable) > 1:
        raise _several(usable, name)
    group = usable[0]
    files = tuple(sorted({one.file for one in group}))
    chosen, own = set(files), {id(one) for one in group}
    if any(one.file in chosen and id(one) not in own for one in slices):
        text = f"The files of {name} hold slices of several kinds in one; export the series as a file per slice."
        raise ScanRefused(Reason.DICOM_MIXED, text)
    derived, left_out = group[0].derived, len(slices) - len(group)
    if group[0].mosaic:
        return Series(files, (group[0].columns, group[0].rows, 1, len(group)), None, left_out, derived)
    stack = _one_by_one(group, name)
    affine = _check_steps(stack, name)
    shape = (group[0].columns, group[0].rows, len(stack), len(group) // len(stack))
    return Series(files, shape, affine, left_out, derived)


def _groups(images: Sequence[Slice]) -> list[list[Slice]]:
    groups: dict[tuple[object, ...], list[list[Slice]]] = defaultdict(list)
    for one in images:
        echo = None if one.echo is None else round(one.echo, 2)
        alike = groups[
            one.series, one.rows, one.columns, tuple(round(size, 3) for size in one.spacing), echo, one.mosaic
        ]
        for group in alike:
            if np.abs(np.subtract(group[0].orientation, one.orientation)).max() < _SAME_DIRECTION:
                group.append(one)
                break
        else:
            alike.append([one])
    return [group for alike in groups.values() for group in alike]


def _none_usable(slices: Sequence[Slice], groups: Sequence[Sequence[Slice]], name: str) -> ScanRefused:
    counts = Counter(one.kind for one in slices)
    small = sum(len(group) for group in groups)
    said = [f"{n} of kind {kind}" for kind, n in sorted(counts.items()) if kind != "image"]
    said += [f"{small} in groups of fewer than {FEWEST_SLICES}"] if small else []
    text = f"{name} holds no structural series: of its {len(slices)} slices are {', '.join(said) or 'none readable'}."
    return ScanRefused(Reason.DICOM_NO_SERIES, f"{text} Leave it out, or give the folder of the series.")


def _several(usable: Sequence[Sequence[Slice]], name: str) -> ScanRefused:
    shown = "; ".join(
        f"series {group[0].number if group[0].number is not None else group[0].series} with {len(group)} slices"
        + (f", echo time {group[0].echo:g} ms" if group[0].echo is not None else "")
        for group in sorted(usable, key=lambda group: (group[0].number or 0, group[0].echo or 0))[:6]
    )
    first = usable[0][0]
    if all(group[0].series == first.series and group[0].echo == first.echo for group in usable):
        text = f"The slices of one series in {name} differ in orientation, matrix or voxel size ({shown})."
        return ScanRefused(Reason.DICOM_MIXED, f"{text} Download the series again, or leave it out.")
    text = f"{name} holds {len(usable)} series that could be meant ({shown}{'; ...' if len(usable) > 6 else ''})."
    return ScanRefused(Reason.DICOM_SEVERAL_SERIES, f"{text} Give each a folder of its own and name that.")


def _one_by_one(group: Sequence[Slice], name: str) -> list[Slice]:
    """One slice per place, in the order of the normal; several at a place must be a series of volumes."""
    normal = _normal(group[0])
    heights = np.array([np.dot(one.position, normal) for one in group])
    order = np.argsort(heights, kind="stable")
    places: list[list[Slice]] = []
    last = -np.inf
    for index in order:
        if heights[index] - last > _SAME_PLACE_MM:
            places.append([])
            last = heights[index]
        places[-1].append(group[index])
    sizes = {len(place) for place in places}
    told_apart = all(len({one.moment for one in place}) == len(place) for place in places)
    if len(sizes) > 1 and told_apart and min(sizes) > 1:
        text = f"Of the series of volumes in {name}, some slices are missing; download it again."
        raise ScanRefused(Reason.DICOM_GAP, text)
    if sizes != {1} and not (told_apart and len(sizes) == 1):
        twice = sum(len(place) - 1 for place in places)
        text = f"{twice} slices of {name} lie where another one lies: a series copied twice, or two in one."
        raise ScanRefused(Reason.DICOM_DUPLICATE, f"{text} Download it again into an empty folder.")
    return [place[0] for place in places]


def _check_steps(stack: Sequence[Slice], name: str) -> np.ndarray:
    """The map of (column, row, slice) to RAS mm, once the slices are known to be evenly stacked."""
    first, normal = stack[0], _normal(stack[0])
    if not 0.5 < np.linalg.norm(normal) < 1.5 or min(first.spacing) <= 0:
        raise ScanRefused(Reason.BAD_GEOMETRY, f"The directions or voxel sizes in the headers of {name} make no sense.")
    positions = np.array([one.position for one in stack])
    heights = positions @ normal
    steps = np.diff(heights)
    if len(stack) < FEWEST_SLICES:
        text = f"The slices of {name} lie at {len(stack)} places only: a part of a brain at most."
        raise ScanRefused(Reason.TOO_FEW_SLICES, text)
    usual = float(np.median(steps))
    if steps.max() > _GAP * usual:
        at = int(steps.argmax())
        text = f"Slices {at + 1} and {at + 2} of {name} are {steps[at]:.3g} mm apart, the others {usual:.3g} mm."
        raise ScanRefused(Reason.DICOM_GAP, f"{text} Slices are missing; download the series again.")
    if np.abs(steps - usual).max() > max(_UNEVEN * usual, _SAME_PLACE_MM):
        text = f"The slices of {name} are {steps.min():.3g} to {steps.max():.3g} mm apart: no even stack."
        raise ScanRefused(Reason.DICOM_GAP, f"{text} Download the series again, or leave it out.")
    if first.between and usual > _GAP * first.between:
        text = f"The slices of {name} are {usual:.3g} mm apart and by their headers {first.between:.3g} mm."
        raise ScanRefused(Reason.DICOM_GAP, f"{text} Slices are missing; download the series again.")
    straight = positions[0] + np.outer(heights - heights[0], normal)
    if np.linalg.norm(positions - straight, axis=1).max() > _LARGEST_SHIFT_MM:
        text = f"The slices of {name} are shifted against each other: a sheared stack; resample it first."
        raise ScanRefused(Reason.BAD_GEOMETRY, text)
    affine = np.eye(4)
    affine[:3, 0] = np.array(first.orientation[:3]) * first.spacing[1]
    affine[:3, 1] = np.array(first.orientation[3:]) * first.spacing[0]
    affine[:3, 2] = normal * (heights[-1] - heights[0]) / (len(stack) - 1)
    affine[:3, 3] = positions[0]
    return np.asarray(np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine)


def _normal(one: Slice) -> np.ndarray:
    return np.cross(one.orientation[:3], one.orientation[3:])
