"""Written datasets, read back through the adapters, which share nothing with the generator."""

import nibabel
import numpy as np
import pytest

from braindino.datasets import get_adapter
from braindino.errors import ConfigError
from braindino.phantom import MARKER, plan_cohort, write, write_cohort
from tests.phantom.conftest import SEED, SPACING, N


def discover(written):
    layout, folder = written
    return get_adapter(layout).discover(folder, "synthetic"), plan_cohort(layout, N, SEED)


def by_image(found, folder):
    return {scan.image.relative_to(folder).as_posix(): scan for scan in found.scans}


def test_every_scan_is_found_with_its_contrast_and_masks(written):
    _, folder = written
    found, plan = discover(written)
    scans = by_image(found, folder)
    assert set(scans) == {scan.image for scan in plan.scans}
    for meant in plan.scans:
        read = scans[meant.image]
        assert read.contrast == meant.contrast
        assert read.image_present
        assert read.segmentation == (folder / meant.segmentation if meant.segmentation else None)
        assert read.brain_mask == (folder / meant.brain_mask if meant.brain_mask else None)


def test_ages_and_other_labels_are_what_the_generator_meant(written):
    layout, folder = written
    found, plan = discover(written)
    scans = by_image(found, folder)
    said = {(item.subject, item.label): item.value or item.number for item in found.labels}
    unlisted = {plan.subjects[-1]} if layout == "ixi" else set()
    for meant in plan.scans:
        person, subject = meant.subject, scans[meant.image].subject
        if person in unlisted:
            assert (subject, "age") not in said
            continue
        assert said[subject, "age"] == (90 if person.age > 89 else person.age)
        assert said[subject, "sex"] == person.sex
        if layout != "ixi":
            assert said[subject, "diagnosis"] == person.diagnosis
            assert said[subject, "lesion"] == ("present" if person.lesion else "absent")


def test_images_are_readable_in_the_orientation_they_were_meant_in(written):
    _, folder = written
    _, plan = discover(written)
    for meant in plan.scans:
        image = nibabel.load(folder / meant.image)
        assert "".join(nibabel.aff2axcodes(image.affine)) == meant.axes
        np.testing.assert_allclose(nibabel.affines.voxel_sizes(image.affine), SPACING, rtol=1e-5)
        data = np.asanyarray(image.dataobj)
        assert data.dtype.kind == "i"
        assert data.dtype.itemsize == 2
        for mask in (meant.brain_mask, meant.segmentation):
            if mask is not None:
                voxels = np.asanyarray(nibabel.load(folder / mask).dataobj)
                assert voxels.shape == data.shape
                assert set(np.unique(voxels)) == {0, 1}
                assert np.all(data[voxels == 1] > 0)


def test_stored_brains_are_the_same_way_up_in_every_format(written):
    """The brainstem, which is thin, lies at the bottom and behind the middle."""
    _, folder = written
    _, plan = discover(written)
    for meant in [scan for scan in plan.scans if not scan.with_skull][:2]:
        image = nibabel.as_closest_canonical(nibabel.load(folder / meant.image))
        brain = np.asanyarray(image.dataobj) > 0
        z = np.flatnonzero(brain.any(axis=(0, 1)))
        low, high = brain[:, :, z[0] : z[0] + 5], brain[:, :, z[-1] - 5 : z[-1] + 1]
        assert low.sum() < high.sum(), "upside down"
        stem_y, all_y = (np.argwhere(part.any(axis=(0, 2))).mean() for part in (low, brain))
        assert stem_y < all_y, "back to front"


def test_a_written_dataset_says_that_it_is_synthetic(written):
    _, folder = written
    assert "No person was scanned" in (folder / MARKER).read_text()


def test_the_dirt_of_the_ixi_table_is_there_and_harmless(tmp_path):
    folder = tmp_path / "ixi"
    write_cohort("ixi", folder, 4, seed=2, spacing_mm=6.0)
    ids = [line.split(",")[0] for line in (folder / "IXI.csv").read_text().splitlines()[1:]]
    assert len(ids) == len(set(ids)) + 2, "one zeroed copy, one contradiction"
    found, people = get_adapter("ixi").discover(folder, "ixi"), plan_cohort("ixi", 4, 2).subjects
    assert {item.number for item in found.labels if item.label == "age"} == {p.age for p in people[:-1]}
    for word in ("more than once", "contradict", "not in IXI.csv"):
        assert any(word in note for note in found.notes)


def test_the_same_arguments_write_the_same_bytes_with_any_number_of_workers(tmp_path):
    for name, workers in (("one", 1), ("two", 2)):
        write_cohort("bids", tmp_path / name, 2, seed=1, spacing_mm=6.0, workers=workers)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) >= 9
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "scan.nii").write_bytes(b"precious")
    with pytest.raises(ConfigError, match="not empty"):
        write_cohort("bids", tmp_path / "mine", 2, seed=1, spacing_mm=6.0)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["scan.nii"]


def test_an_interrupted_write_leaves_no_dataset(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(write, "write_scan", fail)
    with pytest.raises(KeyboardInterrupt):
        write_cohort("bids", tmp_path / "mine", 2, seed=1, spacing_mm=6.0)
    assert not (tmp_path / "mine").exists()
    monkeypatch.undo()
    write_cohort("bids", tmp_path / "mine", 1, seed=1, spacing_mm=6.0)
    assert (tmp_path / "mine" / MARKER).exists()
