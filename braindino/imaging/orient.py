"""Which way is up: the orientation of volumes, in RAS world coordinates; that of slices is in `braindino.planes`."""

from dataclasses import replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from braindino.imaging.volume import Volume


def axis_order(affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each RAS axis the voxel axis nearest to it (a permutation), and +1 or -1 for its sense.

    The permutation maximises the summed absolute cosines, so that a volume turned by 45 degrees keeps three
    axes.
    """
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    world, voxel = linear_sum_assignment(-np.abs(cosines))
    order: np.ndarray = voxel[np.argsort(world)]
    return order, np.where(cosines[np.arange(3), order] < 0, -1, 1)


def orientation_codes(affine: np.ndarray) -> str:
    """Where the voxel axes point, as three letters such as "RAS" or "LPI"."""
    order, senses = axis_order(affine)
    letters = [""] * 3
    for world, (voxel, sense) in enumerate(zip(order, senses, strict=True)):
        letters[voxel] = ("LR", "PA", "IS")[world][int(sense > 0)]
    return "".join(letters)


def affine_of(codes: str, shape: tuple[int, ...], spacing: np.ndarray) -> np.ndarray:
    """The map from voxel index to RAS mm of a grid whose axes point to `codes`, such as "ASL", its centre at 0.

    Args:
        codes: where the voxel axes point, as `orientation_codes` has it.
        shape: voxels along each axis.
        spacing: voxel size along each axis, mm.

    Raises:
        ValueError: `codes` do not name each of the three world axes once.
    """
    affine = np.eye(4)
    worlds = [next((world for world, pair in enumerate(("LR", "PA", "IS")) if code in pair), None) for code in codes]
    if sorted(world for world in worlds if world is not None) != [0, 1, 2] or len(codes) != 3:
        raise ValueError(f"{codes!r} is no orientation: give three letters such as 'RAS', one of L/R, of P/A, of I/S.")
    affine[:3, :3] = 0
    for voxel, (world, code) in enumerate(zip(worlds, codes, strict=True)):
        affine[world, voxel] = spacing[voxel] if code in "RAS" else -spacing[voxel]
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape[:3]) - 1) / 2)
    return affine


def oblique_degrees(affine: np.ndarray) -> float:
    """The largest angle between a voxel axis and the world axis it is assigned to, degrees."""
    order, _ = axis_order(affine)
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    aligned = np.abs(cosines[np.arange(3), order])
    return float(np.degrees(np.arccos(np.clip(aligned, 0, 1)).max()))


def to_ras(volume: Volume) -> Volume:
    """The same volume with voxel axes permuted and flipped to point nearest to right, anterior and superior.

    No voxel changes its value or its place in the world; the data are a view.
    """
    order, senses = axis_order(volume.affine)
    data = np.transpose(volume.data, order)[tuple(slice(None, None, int(sense)) for sense in senses)]
    to_voxel = np.zeros((4, 4))
    to_voxel[3, 3] = 1
    for world, (voxel, sense) in enumerate(zip(order, senses, strict=True)):
        to_voxel[voxel, world] = sense
        to_voxel[voxel, 3] = 0 if sense > 0 else volume.data.shape[voxel] - 1
    return replace(volume, data=data, affine=volume.affine @ to_voxel)
