"""A DICOM series becomes one volume in its place, or is refused for what a radiographer would refuse it for."""

import random
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from braindino.errors import Reason, ScanRefused
from braindino.imaging import Volume, check_header, get_recipe, read_volume
from braindino.imaging import dicom as dicom_room
from braindino.imaging.orient import to_ras
from braindino.phantom import plan_cohort
from braindino.phantom.files import write_scan
from tests.imaging.dicoms import AFFINE, SHAPE, enhanced, header, mosaic, save, save_all, series, values

RECIPE = get_recipe("isotropic")
VENDORS = ["SIEMENS", "GE MEDICAL SYSTEMS", "Philips Medical Systems", "TOSHIBA", "CANON_MEC", "UIH"]


def refusal(path: Path, **options: Any) -> ScanRefused:
    with pytest.raises(ScanRefused) as caught:
        read_volume(path, **options)
    return caught.value


def assert_in_place(volume: Volume, shape: tuple[int, ...] = SHAPE, affine: np.ndarray = AFFINE) -> None:
    """Every voxel holds what belongs to its place in the world, and the grid is the scanner's."""
    assert volume.data.shape == shape
    np.testing.assert_allclose(volume.data, values(volume.affine, shape), atol=1)
    centre = [*(np.array(shape) - 1) / 2, 1]
    np.testing.assert_allclose(volume.affine @ centre, affine @ centre, atol=1e-3)
    np.testing.assert_allclose(np.sort(volume.spacing), np.sort(np.linalg.norm(affine[:3, :3], axis=0)), atol=1e-4)


@pytest.mark.parametrize("name", ["{:04d}.dcm", "IM{:d}", "{:d}.dcm.gz", "deep/er/{:d}.IMA"])
def test_a_series_whatever_its_files_are_called(tmp_path: Path, name: str) -> None:
    assert_in_place(read_volume(save_all(tmp_path / "series", series(), name.format)))


def test_gzipped_files_are_known_by_their_bytes(tmp_path: Path) -> None:
    folder = save_all(tmp_path / "series", series(), "{:d}.dcm.gz".format)
    for path in sorted(folder.iterdir()):
        path.rename(path.with_name(path.name.removesuffix(".dcm.gz")))
    assert_in_place(read_volume(folder))


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_file_per_slice_and_a_file_of_many_frames_are_one_volume(tmp_path: Path, vendor: str) -> None:
    slices = series(shared=header(vendor=vendor))
    classic = read_volume(save_all(tmp_path / "classic", slices))
    frames = read_volume(save(tmp_path / "frames.dcm", enhanced(slices)))
    assert_in_place(classic)
    np.testing.assert_array_equal(frames.data, classic.data)
    np.testing.assert_allclose(frames.affine, classic.affine, atol=1e-6)


def test_the_order_of_files_means_nothing(tmp_path: Path) -> None:
    slices = series()
    random.Random(0).shuffle(slices)
    assert_in_place(read_volume(save_all(tmp_path / "shuffled", slices)))


@pytest.mark.parametrize("kind", ["RLE", "jp2klossless", "jpeg_ls_lossless", "bigendian", "implicit"])
def test_however_voxels_are_encoded(tmp_path: Path, kind: str) -> None:
    """pydicom's own sample slice, the same in every encoding, as a series of ten."""
    expected = pydicom.dcmread(get_testdata_file("MR_small.dcm", download=False)).pixel_array.T
    data = pydicom.dcmread(get_testdata_file(f"MR_small_{kind}.dcm", download=False))
    for k in range(10):
        data.ImagePositionPatient = [*data.ImagePositionPatient[:2], 4.0 * k]
        data.InstanceNumber = k + 1
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        data.SpacingBetweenSlices = 4.0
        data.save_as(tmp_path / f"{k}.dcm")
    volume = read_volume(tmp_path)
    assert volume.data.shape == (64, 64, 10)
    np.testing.assert_array_equal(volume.data, np.repeat(expected[:, :, None], 10, axis=2))


def test_stored_numbers_are_scaled(tmp_path: Path) -> None:
    slices = series(shared=header(RescaleSlope=0.5, RescaleIntercept=7))
    volume = read_volume(save_all(tmp_path / "scaled", slices))
    np.testing.assert_allclose(volume.data, values(volume.affine, SHAPE) * 0.5 + 7, atol=1)


def test_mosaics_are_a_series_of_volumes_and_decided_by_rule(tmp_path: Path) -> None:
    folder = save_all(tmp_path / "mosaic", mosaic(AFFINE, SHAPE, 3))
    assert refusal(folder).reason == Reason.TIME_SERIES
    assert_in_place(read_volume(folder, "first"))
    assert read_volume(folder, "first").repairs == ("first of 3 volumes taken",)
    mean = read_volume(folder, "mean")  # each volume of this series is one brighter than the one before
    np.testing.assert_allclose(mean.data, read_volume(folder, "first").data + 1, atol=1e-3)


def test_one_mosaic_is_one_volume(tmp_path: Path) -> None:
    assert_in_place(read_volume(save_all(tmp_path / "mosaic", mosaic(AFFINE, SHAPE, 1))))


def test_volumes_of_a_classic_series_are_decided_by_rule(tmp_path: Path) -> None:
    slices = []
    for moment in (1, 2, 3):
        slices += series(shared=header(TemporalPositionIdentifier=moment, AcquisitionNumber=moment))
    for number, one in enumerate(slices, 1):
        one.InstanceNumber, one.SOPInstanceUID = number, generate_uid(entropy_srcs=[str(number)])
    folder = save_all(tmp_path / "bold", slices)
    assert refusal(folder).reason == Reason.TIME_SERIES
    assert_in_place(read_volume(folder, "first"))


def test_localisers_maps_and_phases_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = save_all(tmp_path / "study" / "t1", series())
    others = {
        "scout": header("2", 1, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        "named": header("3", 2, SeriesDescription="AAHead_Scout"),
        "adc": header("4", 6, ImageType=["DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND"]),
        "phase": header("5", 7, ImageType=["ORIGINAL", "PRIMARY", "P", "ND"]),
        "ct": header("6", 8, Modality="CT"),
    }
    for name, shared in others.items():
        save_all(tmp_path / "study" / name, series(shared=shared))
    save_all(tmp_path / "study" / "few", series(shape=(24, 20, 5), shared=header("7", 9)))
    whole = read_volume(tmp_path / "study")
    np.testing.assert_array_equal(whole.data, read_volume(folder).data)
    assert whole.repairs == (f"{5 * SHAPE[2] + 5} slices left out: localisers, maps or other kinds",)


def test_phase_images_of_ge_are_known_by_their_private_tag(tmp_path: Path) -> None:
    shared = header(vendor="GE MEDICAL SYSTEMS")
    shared.add_new(0x00430010, "LO", "GEMS_PARM_01")
    shared.add_new(0x0043102F, "SS", 1)
    assert refusal(save_all(tmp_path / "phase", series(shared=shared))).reason == Reason.DICOM_NO_SERIES


def test_a_derived_series_of_anatomy_is_read_and_said_to_be_derived(tmp_path: Path) -> None:
    slices = series(shared=header(ImageType=["DERIVED", "SECONDARY", "MPR"]))
    volume = read_volume(save_all(tmp_path / "mpr", slices))
    assert volume.repairs == ("the series is derived from others, by its headers",)


def test_nothing_but_a_localiser(tmp_path: Path) -> None:
    folder = save_all(tmp_path / "loc", series(shared=header(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])))
    error = refusal(folder)
    assert error.reason == Reason.DICOM_NO_SERIES
    assert "16 of kind localiser" in str(error)


def test_two_series_are_named_by_their_numbers(tmp_path: Path) -> None:
    save_all(tmp_path / "both" / "a", series())
    save_all(tmp_path / "both" / "b", series(shared=header("2", 9)))
    error = refusal(tmp_path / "both")
    assert error.reason == Reason.DICOM_SEVERAL_SERIES
    assert "series 5 with 16 slices" in str(error)
    assert "series 9 with 16 slices" in str(error)


def test_two_echoes_of_one_series_are_two_images(tmp_path: Path) -> None:
    slices = series() + series(shared=header(EchoTime=90.0))
    error = refusal(save_all(tmp_path / "pd_t2", slices))
    assert error.reason == Reason.DICOM_SEVERAL_SERIES
    assert "echo time 90 ms" in str(error)


def test_one_series_in_two_orientations(tmp_path: Path) -> None:
    axial = np.diag([-4.0, -5.0, 6.0, 1.0])
    error = refusal(save_all(tmp_path / "mixed", series() + series(axial)))
    assert error.reason == Reason.DICOM_MIXED


@pytest.mark.parametrize("lost", [[7], [3, 9], [1]])
def test_a_missing_slice_is_a_gap(tmp_path: Path, lost: list[int]) -> None:
    slices = [one for index, one in enumerate(series()) if index not in lost]
    error = refusal(save_all(tmp_path / "gap", slices))
    assert error.reason == Reason.DICOM_GAP
    assert "12 mm apart" in str(error)


def test_every_second_slice_missing_is_seen_by_the_distance_in_the_header(tmp_path: Path) -> None:
    assert refusal(save_all(tmp_path / "gap", series()[::2])).reason == Reason.DICOM_GAP


def test_uneven_steps(tmp_path: Path) -> None:
    slices = series()
    for one in slices[8:]:
        one.ImagePositionPatient = list(np.add(one.ImagePositionPatient, [1.5, 0, 0]))
    assert refusal(save_all(tmp_path / "uneven", slices)).reason == Reason.DICOM_GAP


def test_slices_of_one_place(tmp_path: Path) -> None:
    slices = series()
    assert refusal(save_all(tmp_path / "one", [*slices, deepcopy(slices[4])])).reason == Reason.DICOM_DUPLICATE
    assert refusal(save_all(tmp_path / "all", [*slices, *slices])).reason == Reason.DICOM_DUPLICATE


def test_a_sheared_stack(tmp_path: Path) -> None:
    slices = series()
    for k, one in enumerate(slices):
        one.ImagePositionPatient = list(np.add(one.ImagePositionPatient, [0, 2.0 * k, 0]))
    assert refusal(save_all(tmp_path / "sheared", slices)).reason == Reason.BAD_GEOMETRY


@pytest.mark.parametrize("tag", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_slices_without_a_place(tmp_path: Path, tag: str) -> None:
    slices = series()
    for one in slices:
        delattr(one, tag)
    assert refusal(save_all(tmp_path / "nowhere", slices)).reason == Reason.DICOM_NO_SERIES


@pytest.mark.parametrize("keep", [3000, 0.9])
def test_a_file_that_ends_early_is_named(tmp_path: Path, keep: float) -> None:
    """The decoder would make two volumes of it: the whole slices, and the one that is cut."""
    folder = save_all(tmp_path / "series", series(shape=(64, 60, 16)))
    path = folder / "0005.dcm"
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    refused = refusal(folder)
    assert refused.reason is Reason.TRUNCATED
    assert str(refused) == "The file 0005.dcm ends early; download it again."


def test_reports_and_other_files_beside_the_slices_do_no_harm(tmp_path: Path) -> None:
    folder = save_all(tmp_path / "series", series())
    (folder / "notes.txt").write_text("hello")
    (folder / "thumbs.db").write_bytes(b"\0" * 600)
    report = header("9", 99)
    report.SOPInstanceUID = generate_uid()
    save(folder / "report.dcm", report)
    assert_in_place(read_volume(folder))


def test_without_the_decoder_one_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_room.dcm2niix, "bin", "/nowhere/dcm2niix")
    error = refusal(save_all(tmp_path / "series", series()))
    assert error.reason == Reason.UNSUPPORTED_FORMAT
    assert "install" in str(error)


def test_headers_alone_show_gaps(tmp_path: Path) -> None:
    check_header(save_all(tmp_path / "good", series()), RECIPE)
    with pytest.raises(ScanRefused) as caught:
        check_header(save_all(tmp_path / "gap", series()[:4] + series()[6:]), RECIPE)
    assert caught.value.reason == Reason.DICOM_GAP


def test_no_name_is_written_anywhere_while_gzipped_files_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoder is shown decompressed files: at that moment the folder holds no word of the patient."""
    seen: list[bytes] = []
    real = dicom_room.run_apart

    def spy(command: Any, seconds: float) -> int | None:
        seen.extend(path.read_bytes() for path in Path(command[-1]).iterdir())
        return real(command, seconds)

    monkeypatch.setattr(dicom_room, "run_apart", spy)
    assert_in_place(read_volume(save_all(tmp_path / "series", series(), "{:d}.dcm.gz".format)))
    assert len(seen) == SHAPE[2]
    assert not any(word in content for content in seen for word in (b"Secret", b"19400101", b"secret-id"))


def test_a_phantom_of_adni_is_read_like_its_twin_in_nifti(tmp_path: Path) -> None:
    """The same synthetic scan, written once as a DICOM series and once as NIfTI, by another room."""
    scan = next(scan for scan in plan_cohort("adni", 9, 1, heads=False).scans if scan.dicom)
    write_scan(tmp_path, scan, 4.0)
    write_scan(tmp_path, replace(scan, image="same.nii", dicom=None), 4.0)
    dicom, nifti = to_ras(read_volume(tmp_path / scan.image)), to_ras(read_volume(tmp_path / "same.nii"))
    np.testing.assert_array_equal(dicom.data, nifti.data)
    np.testing.assert_allclose(dicom.affine, nifti.affine, atol=1e-3)
