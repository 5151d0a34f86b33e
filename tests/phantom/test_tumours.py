"""What a tumour does to the image, and one person's scan stored by several owners, measured on the images."""

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from braindino.phantom import Plan, ScanFile, Subject, plan_cohort, render
from braindino.phantom.files import reencode, write_scan
from braindino.phantom.plan import Reencoding

CORE, ENHANCING, OEDEMA = 1, 2, 3
SPACING = 3.0


def patient(tumour: str | None, number: int = 1) -> Subject:
    return Subject(number, (9, 9), 58.0, "female", "control", lesion=False, tumour=tumour)


def over_white_matter(contrast: str, part: int) -> float:
    """The median of a part of a glioma over the one of the same voxels in the same person without it."""
    ill, well = (render(patient(tumour), contrast, SPACING) for tumour in ("glioma", None))
    where = ill.parts == part
    return float(np.median(ill.volume[where]) / np.median(well.volume[where]))


@pytest.mark.parametrize("contrast", ["T1w", "T1c"])
def test_the_core_is_dark_on_t1(contrast: str) -> None:
    assert over_white_matter(contrast, CORE) < 0.7


def test_the_rim_enhances_with_contrast_agent_only() -> None:
    assert over_white_matter("T1c", ENHANCING) > 1.25
    assert over_white_matter("T1w", ENHANCING) < 0.9


@pytest.mark.parametrize("contrast", ["T2w", "FLAIR"])
def test_oedema_is_bright_where_fluid_or_tissue_water_shows(contrast: str) -> None:
    assert over_white_matter(contrast, OEDEMA) > 1.2


def test_a_glioma_has_a_core_inside_a_rim_inside_oedema() -> None:
    scan = render(patient("glioma"), "T1c", 2.0)
    centre = np.argwhere(scan.parts == CORE).mean(axis=0)
    distance = [
        np.linalg.norm(np.argwhere(scan.parts == part) - centre, axis=1).mean() for part in (CORE, ENHANCING, OEDEMA)
    ]
    assert distance == sorted(distance)
    assert 10 < (scan.parts > 0).sum() * 0.008 < 150  # ml
    np.testing.assert_array_equal(scan.lesion, scan.parts > 0)
    assert np.all(scan.brain[scan.parts > 0] == 1)


def test_a_meningioma_lies_at_the_edge_of_the_brain_and_enhances_throughout() -> None:
    for number in range(1, 5):
        scan = render(patient("meningioma", number), "T1c", SPACING)
        solid = np.isin(scan.parts, (CORE, ENHANCING))
        assert (scan.parts == ENHANCING).sum() > 0.8 * solid.sum()
        rind = (scan.brain > 0) & ~_eroded(scan.brain)
        assert (solid & rind).sum() > 10


def test_metastases_are_several() -> None:
    counts = [ndimage.label(render(patient("metastases", n), "T1c", 2.0).parts == ENHANCING)[1] for n in range(1, 5)]
    assert np.mean(counts) > 2


def test_contrast_agent_lights_up_blood_a_little() -> None:
    before, after = (render(patient(None), contrast, SPACING) for contrast in ("T1w", "T1c"))
    gain = np.median(after.volume[after.brain > 0]) / np.median(before.volume[before.brain > 0])
    brighter = after.volume[after.brain > 0] / gain > 1.5 * before.volume[before.brain > 0]
    assert 0.001 < brighter.mean() < 0.05


def test_registered_heads_are_straight_and_central() -> None:
    centres = []
    for number in range(1, 7):
        scan = render(patient(None, number), "T1w", 6.0, registered=True)
        centres.append(np.argwhere(scan.brain > 0).mean(axis=0) * 6.0)
    assert np.ptp(centres, axis=0).max() < 4, "mm"


def test_a_tighter_mask_takes_a_rim_of_the_brain_and_nothing_else() -> None:
    scan = render(patient("glioma"), "FLAIR", 2.0)
    other = reencode(scan, Reencoding(factor=0.8, trim_mm=2.0), 2.0)
    lost = (scan.brain > 0) & (other.brain == 0)
    assert 0.03 < lost.sum() / scan.brain.sum() < 0.25
    assert np.all(_eroded(scan.brain) <= (other.brain > 0))
    inside = (other.brain > 0) & (scan.volume > 10)
    np.testing.assert_allclose(other.volume[inside], 0.8 * scan.volume[inside], rtol=1e-5)
    assert not other.volume[other.brain == 0].any()


def test_the_four_contrasts_of_a_case_share_one_grid_one_extent_and_one_segmentation(tmp_path: Path) -> None:
    case = [scan for scan in plan_cohort("brats2021", 1, seed=3).scans if scan.segmentation]
    for scan in case:
        write_scan(tmp_path, scan, 4.0)
    images = [nibabel.load(tmp_path / scan.image) for scan in case]
    brains = [np.asarray(image.dataobj) > 0 for image in images]
    outlined = nibabel.load(tmp_path / str(case[0].segmentation))
    assert len(images) == 4
    for image, brain in zip(images, brains, strict=True):
        np.testing.assert_array_equal(image.affine, outlined.affine)
        np.testing.assert_array_equal(brain, brains[0])
    assert set(np.unique(outlined.dataobj)) == {0, 1, 2, 4}


def test_the_grid_of_brats_at_full_size(tmp_path: Path) -> None:
    scan = replace(plan_cohort("brats2021", 1, seed=3).scans[0], lesion_mask=None, reencoding=None)
    write_scan(tmp_path, scan, 1.0)
    image = nibabel.load(tmp_path / scan.image)
    assert image.shape == (240, 240, 155)
    np.testing.assert_array_equal(image.affine, [[-1, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1]])
    brain = np.asarray(image.dataobj) > 0
    for axis in range(3):
        used = np.flatnonzero(brain.any(axis=tuple({0, 1, 2} - {axis})))
        assert used[0] > 0
        assert used[-1] < brain.shape[axis] - 1, "the field of view holds the brain"


def test_a_persons_scan_in_two_collections_is_one_scan_in_other_bytes(tmp_path: Path) -> None:
    first, second = shared_t1c(plan_cohort("upenn_gbm", 2, seed=3), plan_cohort("brats2021", 3, seed=3))
    volumes = []
    for scan in (first, second):
        write_scan(tmp_path, scan, 2.0)
        image = nibabel.as_closest_canonical(nibabel.load(tmp_path / scan.image))
        volumes.append(np.asarray(image.dataobj, dtype=float))
    assert (tmp_path / first.image).read_bytes() != (tmp_path / second.image).read_bytes()
    inside = (volumes[0] > 0) & (volumes[1] > 0)
    assert not np.array_equal(*volumes)
    assert np.corrcoef(volumes[0][inside], volumes[1][inside])[0, 1] > 0.999


def shared_t1c(one: Plan, other: Plan) -> tuple[ScanFile, ScanFile]:
    first = next(scan for scan in one.scans if scan.contrast == "T1c")
    same = (scan for scan in other.scans if scan.subject == first.subject and scan.contrast == "T1c")
    return first, next(same)


def _eroded(brain: np.ndarray) -> np.ndarray:
    return np.asarray(ndimage.binary_erosion(brain, iterations=2))
