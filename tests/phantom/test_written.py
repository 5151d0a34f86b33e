"""What the layouts of real downloads are made of, once it is on disk."""

from pathlib import Path

import nibabel
import numpy as np

from braindino.phantom import plan_cohort, write_cohort

SEED, SPACING = 3, 8.0


def voxels(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj)


def write(layout: str, n: int, root: Path, heads: bool) -> Path:
    write_cohort(layout, root / layout, n, SEED, SPACING, heads=heads)
    return root / layout


def test_repeats_of_a_scan_show_the_same_anatomy_in_other_noise(tmp_path: Path) -> None:
    root = write("aomic_id1000", 1, tmp_path, heads=False)
    first, second = (voxels(path).astype(float) for path in sorted(root.glob("sub-*/anat/*_T1w.nii.gz"))[:2])
    assert not np.array_equal(first, second)
    inside = (first > 0) & (second > 0)
    assert inside.sum() > 0.97 * (first > 0).sum()
    assert np.corrcoef(first[inside], second[inside])[0, 1] > 0.9


def test_whole_heads_are_larger_than_brains(tmp_path: Path) -> None:
    (head,) = write("abide1", 1, tmp_path / "heads", heads=True).glob("RawDataBIDS/*/sub-*/anat/*_T1w.nii.gz")
    (brain,) = write("abide1", 1, tmp_path / "brains", heads=False).glob("RawDataBIDS/*/sub-*/anat/*_T1w.nii.gz")
    assert (voxels(head) > 0).sum() > 2 * (voxels(brain) > 0).sum()


def test_children_have_brains_of_a_size(tmp_path: Path) -> None:
    root = write("pixar", 2, tmp_path, heads=False)
    for path in root.glob("sub-*/anat/*_T1w.nii.gz"):
        litres = (voxels(path) > 0).sum() * SPACING**3 / 1e6
        assert 1.0 < litres < 2.0


def test_centres_of_atlas_store_intensities_and_masks_in_their_own_ways(tmp_path: Path) -> None:
    root = write("atlas", 4, tmp_path, heads=False)
    scans = {str(scan.told.facts["site"]): scan for scan in plan_cohort("atlas", 4, SEED).scans if scan.told}
    brightest = {site: voxels(root / scan.image).max() for site, scan in scans.items()}
    assert brightest["R015"] > 1e4 * brightest["R001"]
    assert 200 < brightest["R005"] < 1500, "slopes are undone by readers"
    for site, scan in scans.items():
        assert scan.segmentation
        codes = np.unique(voxels(root / scan.segmentation))
        np.testing.assert_allclose(codes, [0, 0.9999 if site == "R039" else 1], rtol=1e-6)
        assert voxels(root / scan.image).shape == voxels(root / scan.segmentation).shape
    stored = {"".join(nibabel.aff2axcodes(nibabel.load(root / scan.image).affine)) for scan in scans.values()}
    assert stored == {"LAS", "RAS"}


def test_a_person_gets_older_from_wave_to_wave() -> None:
    plan = plan_cohort("dlbs", 6, SEED)
    ages: dict[str, set[float]] = {}
    for scan in plan.scans:
        assert scan.told
        ages.setdefault(scan.told.subject, set()).add(scan.subject.age)
    told = {(label.subject, label.value) for label in plan.labels if label.label == "age"}
    assert told == {(subject, age) for subject, known in ages.items() for age in known}


def test_ixi_tells_its_scanners_by_site_and_its_days_by_the_table() -> None:
    plan = plan_cohort("ixi", 30, SEED)
    told = [scan.told for scan in plan.scans if scan.told]
    scanners = {(t.facts["site"], t.facts["vendor"], t.facts.get("model"), t.facts["field_strength"]) for t in told}
    assert scanners == {
        ("Guys", "Philips", "Gyroscan Intera", 1.5),
        ("HH", "Philips", "Intera", 3.0),
        ("IOP", "GE", None, 1.5),
    }
    assert {t.subject for t in told if t.when is None} == {told[-1].subject}, "the one who is not in the table"
