"""One scan in other encodings, and other scans of the same brain: what a search for copies must and must not find."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from braindino.evaluation import Fingerprint, fingerprint
from braindino.imaging import Preprocessed, get_recipe, make_volume, preprocess_volume


@dataclass(frozen=True)
class Voxels:
    """Voxels float32 [x, y, z], the brain among them, and their affine to RAS mm."""

    values: NDArray[np.float32]
    brain: NDArray[np.bool_]
    affine: NDArray[np.float64]

    def stored(self, recipe: str = "isotropic") -> Preprocessed:
        """As the slice store holds it."""
        stripped = np.where(self.brain, np.maximum(self.values, 1e-6 * self.values.max()), 0).astype(np.float32)
        mask = make_volume(self.brain.astype(np.uint8), self.affine)
        return preprocess_volume(make_volume(stripped, self.affine), get_recipe(recipe), mask_volume=mask)


def fingerprint_of(stored: Preprocessed) -> Fingerprint:
    """The fingerprint of what the slice store holds."""
    return fingerprint(stored.image, stored.brain, stored.affine)


def of_stored(image: NDArray[np.uint16], brain: NDArray[np.uint8], affine: NDArray[np.float64]) -> Voxels:
    """The voxels of a scan as the slice store holds it, without the empty margins."""
    inside = brain.transpose(2, 1, 0) > 0
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    moved = np.array(affine, dtype=np.float64)
    moved[:3, 3] += moved[:3, :3] @ np.array([part.start for part in box])
    return Voxels(image.transpose(2, 1, 0)[box].astype(np.float32), inside[box], moved)


def reoriented(scan: Voxels) -> Voxels:
    """Axes permuted and flipped, and the affine with them."""
    to_old = np.zeros((4, 4))
    to_old[[1, 2, 0, 3], [0, 1, 2, 3]] = 1, 1, -1, 1
    to_old[0, 3] = scan.values.shape[0] - 1
    values, brain = (np.transpose(a, (1, 2, 0))[:, :, ::-1] for a in (scan.values, scan.brain))
    return Voxels(values, brain, scan.affine @ to_old)


def restripped(scan: Voxels, voxels: int) -> Voxels:
    """A tighter mask."""
    return replace(scan, brain=ndimage.binary_erosion(scan.brain, iterations=voxels))


def unbiased(scan: Voxels, strength: float = 0.3) -> Voxels:
    """Times a smooth field."""
    x, y, z = np.meshgrid(*[np.arange(n, dtype=np.float32) for n in scan.values.shape], indexing="ij", sparse=True)
    field = np.exp(strength * (np.sin(x / 40) + np.cos(y / 50) * np.sin(z / 45)))
    return replace(scan, values=(scan.values * field).astype(np.float32))


def gamma(scan: Voxels, exponent: float = 0.7) -> Voxels:
    """A mild change of contrast."""
    return replace(scan, values=(np.clip(scan.values / scan.values.max(), 0, 1) ** exponent * 1000).astype(np.float32))


def eight_bit(scan: Voxels, low: float = 0.5, high: float = 99.5) -> Voxels:
    """Clipped to percentiles of the brain and stored in 255 steps."""
    bottom, top = np.percentile(scan.values[scan.brain], [low, high])
    steps = np.round(np.clip((scan.values - bottom) / (top - bottom), 0, 1) * 254) + 1
    return replace(scan, values=steps.astype(np.float32))


def resampled(scan: Voxels, step_mm: float, order: int = 1, offset: float = 0.35) -> Voxels:
    """On a grid of another spacing and origin, without low-pass filter, as common tools do."""
    spacing = np.linalg.norm(scan.affine[:3, :3], axis=0)
    shape = tuple(np.ceil((np.array(scan.values.shape) - 1) * spacing / step_mm).astype(int))
    to_old = np.diag([*(step_mm / spacing), 1.0])
    to_old[:3, 3] = offset / spacing
    return _sampled(scan, to_old, shape, order)


def registered(
    scan: Voxels,
    degrees: tuple[float, float, float],
    scale: tuple[float, float, float] = (1, 1, 1),
    order: int = 1,
) -> Voxels:
    """Turned and stretched onto a 1 mm grid around the brain, as on an atlas."""
    shape, middle = (170, 200, 170), np.argwhere(scan.brain).mean(axis=0)
    spacing = np.linalg.norm(scan.affine[:3, :3], axis=0)
    to_old = np.eye(4)
    to_old[:3, :3] = (
        np.diag(1 / spacing) @ Rotation.from_euler("xyz", degrees, degrees=True).as_matrix() @ np.diag(scale)
    )
    to_old[:3, 3] = middle - to_old[:3, :3] @ ((np.array(shape) - 1) / 2)
    moved = _sampled(scan, to_old, shape, order)
    affine = np.eye(4)
    affine[:3, 3] = -(np.array(shape) - 1) / 2
    # The index order of the old grid may run against RAS; the new grid keeps its senses.
    affine[:3, :3] = np.diag(np.sign(np.diag(scan.affine[:3, :3])))
    return replace(moved, affine=affine)


def denoised(scan: Voxels, strength: float = 1.0) -> tuple[Voxels, float]:
    """The anatomy without most of the noise (anisotropic diffusion), and the noise's standard deviation."""
    import SimpleITK as sitk  # noqa: N813

    level = float(np.percentile(scan.values[scan.brain], 80))
    image = sitk.GetImageFromArray(np.ascontiguousarray(scan.values / level, dtype=np.float32))
    smooth = sitk.CurvatureAnisotropicDiffusion(image, 0.06, strength, 1, 5)
    values = sitk.GetArrayFromImage(smooth) * np.float32(level)
    inner = ndimage.binary_erosion(scan.brain, iterations=4)
    return replace(scan, values=values), float((scan.values - values)[inner].std())


def noisy(scan: Voxels, spread: float, seed: int) -> Voxels:
    """With Rician noise of a standard deviation."""
    rng = np.random.default_rng(seed)
    real, imaginary = np.float32(spread) * rng.standard_normal((2, *scan.values.shape), dtype=np.float32)
    return replace(scan, values=np.hypot(scan.values + real, imaginary))


def repeated(clean: Voxels, spread: float, seed: int, *, moved: bool = True) -> Voxels:
    """Another scan of the same brain: the head turned a little, and other noise."""
    turns = np.random.default_rng((seed, 1)).normal(0, 1.2, 3)
    scan = registered(clean, (float(turns[0]), float(turns[1]), float(turns[2])), order=3) if moved else clean
    return noisy(scan, spread, seed)


COPIES: dict[str, Callable[[Voxels], Voxels]] = {
    "same voxels": lambda scan: scan,
    "re-oriented": reoriented,
    "mask 2 mm tighter": lambda scan: restripped(scan, 2),
    "mask 3 mm tighter": lambda scan: restripped(scan, 3),
    "bias field": unbiased,
    "gamma 0.7": gamma,
    "8 bit, clipped at 0.5 %": eight_bit,
    "0.9 mm, linear": lambda scan: resampled(scan, 0.9),
    "1 mm, half a voxel off": lambda scan: resampled(scan, 1.0, offset=0.5),
    "1.2 mm, linear": lambda scan: resampled(scan, 1.2),
    "1.2 mm, cubic": lambda scan: resampled(scan, 1.2, order=3),
    "2 mm, linear": lambda scan: resampled(scan, 2.0),
    "2 mm, cubic": lambda scan: resampled(scan, 2.0, order=3),
    "rigid onto an atlas": lambda scan: registered(scan, (6, -3, 4)),
    "affine onto an atlas": lambda scan: registered(scan, (10, -3, 4), (1.05, 0.95, 1.08)),
    "tighter, bias, 0.9 mm": lambda scan: resampled(unbiased(restripped(scan, 2)), 0.9),
}


def copies(scan: Voxels) -> Iterator[tuple[str, Voxels]]:
    """The scan in every other encoding, one at a time."""
    for kind, encode in COPIES.items():
        yield kind, encode(scan)


def _sampled(scan: Voxels, to_old: NDArray[np.float64], shape: tuple[int, ...], order: int) -> Voxels:
    matrix, offset = to_old[:3, :3], to_old[:3, 3]
    values = ndimage.affine_transform(scan.values, matrix, offset, shape, order=order, output=np.float32)
    brain = ndimage.affine_transform(scan.brain.astype(np.float32), matrix, offset, shape, order=1) > 0.5
    return Voxels(values, brain, scan.affine @ to_old)
