"""How bright the tissues of a synthetic person are in each contrast."""

from dataclasses import dataclass

import numpy as np

from braindino.errors import ConfigError
from braindino.phantom.template import Array, Grid, sample, smooth_noise
from braindino.phantom.warp import Tissues


@dataclass(frozen=True)
class Contrast:
    """Signal of each tissue, white matter of a T1w being 1; `texture` scales the template's T1 detail.

    `tumour` are the signals of the parts of a tumour (`tumour.PARTS`), `vessels` what blood adds to fluid around it.
    """

    grey: float
    white: float
    fluid: float
    lesion: float
    texture: float
    tumour: tuple[float, float, float]
    vessels: float = 0.0


# As radiologists describe them: fluid dark on T1w and FLAIR and bright on T2w; lesions dark on T1w, bright
# elsewhere. With gadolinium (T1c) blood and the rim of a tumour light up; its dead core stays dark, and the oedema
# around it shows on T2w and FLAIR.
CONTRASTS = {
    "T1w": Contrast(grey=0.72, white=1.0, fluid=0.26, lesion=0.55, texture=1.0, tumour=(0.42, 0.6, 0.68)),
    "T1c": Contrast(grey=0.74, white=1.0, fluid=0.28, lesion=0.55, texture=1.0, tumour=(0.44, 1.5, 0.68), vessels=0.9),
    "T2w": Contrast(grey=0.62, white=0.44, fluid=1.0, lesion=0.92, texture=-0.5, tumour=(0.95, 0.66, 0.88)),
    "FLAIR": Contrast(grey=0.72, white=0.58, fluid=0.14, lesion=0.98, texture=-0.35, tumour=(0.5, 0.82, 1.0)),
    "PD": Contrast(grey=0.95, white=0.78, fluid=0.86, lesion=1.02, texture=-0.2, tumour=(0.9, 0.92, 1.0)),
}
NOISE = 0.025  # standard deviation of the complex noise, over the signal of white matter on a T1w
_BIAS = 0.10  # standard deviation of the logarithm of the receive field


def get_contrast(name: str) -> Contrast:
    """The signals of a contrast.

    Raises:
        ConfigError: phantoms have no such contrast.
    """
    if name not in CONTRASTS:
        raise ConfigError(f"Phantoms have no contrast {name!r}; they have {', '.join(CONTRASTS)}.")
    return CONTRASTS[name]


def brain_signal(tissues: Tissues, contrast: Contrast, years: float) -> Array:
    """Noise-free signal [n] of the brain; white matter greys towards old age (`years`: 0 at 20, 1 at 90)."""
    white = contrast.white + 0.12 * years * (contrast.grey - contrast.white)
    healthy = contrast.grey * tissues.grey + white * tissues.white + contrast.fluid * tissues.fluid
    healthy = healthy + contrast.texture * tissues.texture * (1 - tissues.fluid)
    if contrast.vessels:
        healthy = healthy + contrast.vessels * _blood(tissues)
    mixed = healthy + tissues.abnormal * (contrast.lesion - healthy)
    if tissues.tumour is not None:
        parts = np.array(contrast.tumour, dtype=np.float32) @ tissues.tumour
        mixed = mixed * (1 - tissues.tumour.sum(axis=0)) + parts
    return np.asarray(mixed, dtype=np.float32)


def receive(signal: Array, points: Array, grid: Grid, rng: np.random.Generator) -> Array:
    """The signal as a coil hears it: a smooth receive field, then Rician noise.

    Source of the noise: Gudbjartsson and Patz, Magn Reson Med 34 (1995) 910-914, equation 1.
    """
    field = sample(smooth_noise(rng, 4, 1)[0], grid, points)
    heard = signal * np.exp(_BIAS * field)
    real = heard + NOISE * rng.standard_normal(len(heard), dtype=np.float32)
    imaginary = NOISE * rng.standard_normal(len(heard), dtype=np.float32)
    return np.asarray(np.sqrt(real**2 + imaginary**2), dtype=np.float32)


def _blood(tissues: Tissues) -> Array:
    """The share [n] of blood: in the fluid between the hemispheres, where a sinus runs, and around large arteries."""
    x, y, z = tissues.points
    sinus = np.exp(-((x / 2.5) ** 2)) * (z > 25)
    arteries = np.exp(-((y - 2) ** 2) / 60 - (z + 14) ** 2 / 40) * (np.abs(x) < 48)
    return np.asarray(tissues.fluid * np.clip(sinus + arteries, 0, 1), dtype=np.float32)
