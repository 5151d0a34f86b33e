"""One synthetic scan: a person, a contrast and a voxel size make a volume with its masks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from braindino.phantom.anatomy import draw_anatomy
from braindino.phantom.cohort import Subject
from braindino.phantom.contrast import NOISE, brain_signal, get_contrast, receive
from braindino.phantom.head import HEAD_SIGNALS, head_signal
from braindino.phantom.plan import Corner
from braindino.phantom.template import Array, field_grid, sample, smooth_noise
from braindino.phantom.warp import Frame, Tissues, tissues_of, to_template

_SCAN = 16  # random streams of scans start here: one per contrast
_REPEAT = 1000  # and so far from one repeat of a contrast to the next

# Fields of view in mm, the same for everybody, so that no header tells who is in the scanner.
_BRAIN_LOW, _BRAIN_HIGH = (-94.0, -136.0, -94.0), (94.0, 98.0, 104.0)
_HEAD_LOW, _HEAD_HIGH = (-100.0, -136.0, -128.0), (100.0, 114.0, 112.0)


@dataclass(frozen=True)
class Rendered:
    """A volume float32 [x, y, z], its affine (voxels to mm), and its brain and lesion masks (uint8, 0 or 1).

    `parts` (uint8) tells a tumour's parts apart: 1 core, 2 enhancing, 3 oedema; for people without a tumour it is
    `lesion`. The voxel axes run towards right, anterior and superior.
    """

    volume: npt.NDArray[np.float32]
    affine: npt.NDArray[np.float64]
    brain: npt.NDArray[np.uint8]
    lesion: npt.NDArray[np.uint8]
    parts: npt.NDArray[np.uint8]


def frame_for(
    spacing_mm: float,
    *,
    with_skull: bool,
    field_mm: tuple[Corner, Corner] | None = None,
    registered: bool = False,
) -> Frame:
    """The voxel grid of phantoms of a spacing: wide enough for every brain, or every head, unless told."""
    low, high = field_mm or ((_HEAD_LOW, _HEAD_HIGH) if with_skull else (_BRAIN_LOW, _BRAIN_HIGH))
    shape = [int(np.ceil((b - a) / spacing_mm)) for a, b in zip(low, high, strict=True)]
    return Frame((shape[0], shape[1], shape[2]), low, spacing_mm, registered)


def render(
    subject: Subject,
    contrast: str,
    spacing_mm: float = 2.0,
    *,
    with_skull: bool = False,
    field_mm: tuple[Corner, Corner] | None = None,
    registered: bool = False,
    repeat: int = 0,
) -> Rendered:
    """One scan of a person; the same arguments give the same voxels, another `repeat` other noise and receive field.

    Without a skull everything outside the brain is exactly 0, as in data that its owners stripped. `registered`
    lays the head straight and in the centre, as images in the space of an atlas are.

    Raises:
        ConfigError: phantoms have no such contrast.
    """
    signals = get_contrast(contrast)
    frame = frame_for(spacing_mm, with_skull=with_skull, field_mm=field_mm, registered=registered)
    tissues = tissues_of(subject, frame)
    rng = subject.rng(_SCAN + sum(contrast.encode()) + _REPEAT * repeat)
    clean = brain_signal(tissues, signals, (subject.age - 20) / 70)
    is_brain = tissues.brain > 0.5
    brain, parts = (np.zeros(frame.shape, dtype=np.uint8) for _ in range(2))
    brain.flat[tissues.voxels] = is_brain
    parts.flat[tissues.voxels] = is_brain * _parts(tissues)
    gain = np.float32(rng.uniform(250, 900))
    if with_skull:
        volume = _head(subject, contrast, frame, tissues, clean, rng)
    else:
        volume = np.zeros(frame.shape, dtype=np.float32)
        heard = receive(clean, tissues.points, field_grid()[0], rng)
        volume.flat[tissues.voxels] = np.where(is_brain, np.maximum(heard, 1 / gain), 0)
    return Rendered(gain * volume, frame.affine, brain, (parts > 0).astype(np.uint8), parts)


def _parts(tissues: Tissues) -> npt.NDArray[np.uint8]:
    """Which part of a tumour [n] a rater would outline, or 1 where a lesion is; 0 elsewhere."""
    if tissues.tumour is None:
        return (tissues.lesion > 0.5).astype(np.uint8)
    largest = 1 + np.argmax(tissues.tumour, axis=0)
    return np.where(tissues.tumour.sum(axis=0) > 0.5, largest, 0).astype(np.uint8)


def _head(
    subject: Subject, contrast: str, frame: Frame, tissues: Tissues, clean: Array, rng: np.random.Generator
) -> Array:
    """The brain's signal inside a head, in noise; in air most of it is cut to 0, as scanners do."""
    points = to_template(draw_anatomy(subject), frame).reshape(3, -1)
    grid, _ = field_grid()
    mixture = sample(smooth_noise(rng, 16, 1)[0], grid, points)
    signal, within = head_signal(points, HEAD_SIGNALS[contrast], mixture)
    share = np.clip(tissues.brain, 0, 1)
    signal[tissues.voxels] = share * clean + (1 - share) * signal[tissues.voxels]
    outer = ndimage.gaussian_filter(signal.reshape(frame.shape), 0.6).ravel()
    outer[tissues.voxels] = share * signal[tissues.voxels] + (1 - share) * outer[tissues.voxels]
    heard = receive(outer, points, grid, rng)
    heard[~within & (heard < 3 * NOISE)] = 0
    return heard.reshape(frame.shape)
