"""Names, birth dates, remarks and identifiers stay in the headers: every byte of a home and its logs is searched.

Each input carries words that occur nowhere else; some are stored, some refused, one meets a fault of ours.
"""

import gzip
import json
import logging
import os
import shutil
import struct
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from pydicom.dataset import Dataset

import warehouse
from braindino import imaging
from braindino.errors import DatasetError
from flows.dry_run import dry_run
from flows.ingest import ingest
from tests.imaging import dicoms
from tests.imaging.helpers import brain_volume
from warehouse.schemas import TABLES

RECIPE = "isotropic_2mm"
NAME, BORN, REMARK, UID = "Zanzibarova", "19310207", "quixotic-remark", "1.2.826.0.1.3680043.8.498.77"
SECRETS = [text.encode() for text in (NAME, NAME.upper(), BORN, REMARK, UID, "1931-02-07")]
BRAIN = brain_volume(4.0)
VOXELS = BRAIN.data.astype(np.int16)


def private_header(**tags: Any) -> Dataset:
    """A DICOM header with words of a person in every place that software fills."""
    data = dicoms.header("private", 7, **tags)
    data.PatientName, data.PatientBirthDate, data.PatientID = f"{NAME}^Ada", BORN, f"{NAME}-1"
    data.PatientAge, data.PatientAddress, data.OtherPatientNames = "093Y", REMARK, NAME
    data.ReferringPhysicianName = data.OperatorsName = data.PerformingPhysicianName = f"Dr {NAME}"
    data.InstitutionName = data.StudyDescription = data.ProtocolName = data.ImageComments = f"{REMARK} {NAME}"
    data.SeriesDescription = f"t1 {NAME}"
    data.SeriesInstanceUID, data.StudyInstanceUID, data.AccessionNumber = f"{UID}.1", f"{UID}.2", NAME
    data.add_new(0x00090010, "LO", NAME)
    data.add_new(0x00091001, "LO", REMARK)
    return data


def brain_slices(**tags: Any) -> list[Dataset]:
    slices = dicoms.series(BRAIN.affine, VOXELS.shape, private_header(**tags), VOXELS)
    for k, one in enumerate(slices):
        one.SOPInstanceUID = f"{UID}.3.{k}"
    return slices


def private_nifti(path: Path) -> Path:
    """A NIfTI file with words in its free-text fields and in an extension."""
    image = nib.Nifti1Image(VOXELS, BRAIN.affine)
    image.header["descrip"], image.header["aux_file"] = f"{REMARK} {NAME}", NAME
    image.header["intent_name"], image.header["db_name"] = NAME, NAME
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", f"{NAME} {BORN}".encode()))
    nib.save(image, path)
    return path


def inputs(folder: Path) -> dict[str, str]:
    """Writes all inputs; their names and the status or reason that each must end in."""
    dicoms.save_all(folder / "series", brain_slices(), f"{UID}.3.{{:d}}.dcm".format)
    dicoms.save_all(folder / "packed", brain_slices(), "{:d}.dcm.gz".format)
    dicoms.save(folder / "frames.dcm", dicoms.enhanced(brain_slices()))
    dicoms.save_all(folder / "gap", brain_slices()[:20] + brain_slices()[23:])
    others = brain_slices(SeriesInstanceUID=f"{UID}.9", SeriesNumber=9)
    for one in others:
        one.SeriesInstanceUID, one.SeriesNumber = f"{UID}.9", 9
    dicoms.save_all(folder / "two", [*brain_slices(), *others])
    broken = dicoms.save_all(folder / "broken", brain_slices())
    for path in broken.iterdir():
        content = path.read_bytes()
        path.write_bytes(content[:200] + NAME.encode() * 40 + content[900:1500])

    private_nifti(folder / "brain.nii.gz")
    private_nifti(folder / "fault.nii.gz")
    spoilt = bytearray(gzip.decompress((folder / "brain.nii.gz").read_bytes()))
    (folder / "magic.nii").write_bytes(spoilt[:344] + NAME[:4].encode() + spoilt[348:])
    (folder / "type.nii").write_bytes(spoilt[:70] + struct.pack("<h", 777) + spoilt[72:])
    (folder / "cut.nii").write_bytes(spoilt[:5000])

    image = sitk.GetImageFromArray(np.ascontiguousarray(VOXELS.T))
    image.SetSpacing((4, 4, 4))
    image.SetMetaData("patient", f"{NAME} {BORN}")
    sitk.WriteImage(image, str(folder / "brain.nrrd"))
    text = (folder / "brain.nrrd").read_bytes()
    (folder / "brain.nrrd").write_bytes(text.replace(b"type:", f"# {REMARK} {NAME}\ntype:".encode(), 1))
    (folder / "odd.nrrd").write_bytes(text.replace(b"encoding: raw", f"encoding: {NAME}".encode()))
    sitk.WriteImage(image, str(folder / "brain.mha"))
    meta = (folder / "brain.mha").read_bytes()
    (folder / "odd.mha").write_bytes(meta.replace(b"MET_SHORT", f"MET_{NAME}".encode()))
    nib.save(nib.MGHImage(VOXELS.astype(np.float32), BRAIN.affine), folder / "brain.mgh")
    with (folder / "brain.mgh").open("ab") as stream:
        stream.write(f"{NAME} {BORN}".encode())
    return {
        "series": "stored", "packed": "stored", "frames.dcm": "stored", "gap": "dicom_gap",
        "two": "dicom_several_series", "broken": "unreadable", "brain.nii.gz": "stored", "fault.nii.gz": "internal",
        "magic.nii": "unsupported_format", "type.nii": "unreadable", "cut.nii": "truncated", "brain.nrrd": "stored",
        "odd.nrrd": "unreadable", "odd.mha": "unreadable", "brain.mha": "stored", "brain.mgh": "stored",
    }  # fmt: skip


def everything_kept(home: Path) -> bytes:
    """All bytes of all files of a home and of Prefect's own, and all rows of all tables, compressed there."""
    found = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    found += [path.name.encode() for path in home.rglob("*")]
    found += [path.read_bytes() for path in Path(os.environ["PREFECT_HOME"]).rglob("*") if path.is_file()]
    store = warehouse.open(home)
    for table in TABLES:  # the marts say nothing that is not in these
        found.append(json.dumps(store.query(f"select * from events.{table}").to_pylist(), default=str).encode())
    return b"\n".join(found)


def assert_silent(content: bytes, what: str) -> None:
    told = [secret for secret in SECRETS if secret in content]
    assert not told, f"{what} holds {told}: ... {content[max(0, content.find(told[0]) - 200) :][:400]!r}"


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours whose text quotes the header, as library errors do."""
    real = imaging.preprocess

    def preprocess(image: Path, *args: Any, **options: Any) -> imaging.Preprocessed:
        if image.name == "fault.nii.gz":
            raise ValueError(f"cannot convert {NAME} {BORN} to int")
        return real(image, *args, **options)

    monkeypatch.setattr(imaging, "preprocess", preprocess)


@pytest.mark.usefixtures("fault")
def test_no_word_of_a_header_reaches_the_home_or_the_logs(
    tmp_path: Path, home: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    folder = tmp_path / "raw"
    folder.mkdir()
    expected = inputs(folder)
    rows = "".join(f"p{index},{name},yes\n" for index, name in enumerate(expected))
    (folder / "clinic.csv").write_text(f"subject,image,skull_stripped\n{rows}")
    dry_run(home, "manifest", folder / "clinic.csv", None, RECIPE)
    ingest("manifest", str(folder / "clinic.csv"), None, RECIPE, str(home), 1)
    told = warehouse.open(home).query("select source_path, status, reason, message from scans").to_pylist()
    ended = {row["source_path"]: row["reason"] or row["status"] for row in told}
    assert ended == expected
    (internal,) = [row["message"] for row in told if row["reason"] == "internal"]
    assert "ValueError in flows/ingest_scan.py line" in internal
    assert_silent(everything_kept(home), "the home")
    out, err = capfd.readouterr()
    assert_silent((out + err + caplog.text).encode(), "the log")


def test_nor_do_sidecars_tables_and_manifests_tell_of_a_person(
    bids_root: Path, tmp_path: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = Path(shutil.copytree(bids_root, tmp_path / "raw"))
    for image in sorted(root.glob("sub-*/**/*_T1w.nii.gz"))[:3]:
        sidecar = image.with_name(image.name.replace(".nii.gz", ".json"))
        words = {"PatientName": NAME, "PatientBirthDate": BORN, "InstitutionName": REMARK, "ImageComments": NAME}
        words |= {"SeriesInstanceUID": UID, "PatientAge": 93}
        known = json.loads(sidecar.read_text()) if sidecar.exists() else {}
        sidecar.write_text(json.dumps(known | words))
    table = (root / "participants.tsv").read_text().splitlines()
    lines = [f"{table[0]}\tpatient_name\tbirth_date\tage_at_death"] + [
        f"{line}\t{NAME}\t1931-02-07\t97" for line in table[1:]
    ]
    (root / "participants.tsv").write_text("\n".join(lines) + "\n")
    summary = ingest("bids", str(root), "tiny", RECIPE, str(home), 1)
    assert summary.stored > 0
    assert_silent(everything_kept(home), "the home")
    oldest = warehouse.open(home).query("select max(number) as age from labels where label like '%age%'").to_pylist()
    assert oldest == [{"age": 90}]
    manifest = tmp_path / "clinic.csv"
    manifest.write_text(f"subject,image,age,sex,label:birth_date\n1,a.nii,{NAME},{REMARK},{BORN}\n")
    with pytest.raises(DatasetError) as caught:
        ingest("manifest", str(manifest), None, RECIPE, str(home), 1)
    assert_silent(str(caught.value).encode(), "the error")
    out, err = capfd.readouterr()
    assert_silent((out + err).encode(), "the log")
