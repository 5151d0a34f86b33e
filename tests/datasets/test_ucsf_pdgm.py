import shutil
from pathlib import Path

import pytest

from braindino.datasets import Discovery, get_adapter
from braindino.errors import DatasetError
from tests.datasets.helpers import values, write

UCSF = get_adapter("ucsf_pdgm")
PACKAGE = "PKG - UCSF-PDGM Version 5/UCSF-PDGM-v5"
TABLE = "UCSF-PDGM-metadata_v5.csv"
# The header and the first two rows as they stand in the original.
HEADER = (
    "ID,Sex,Age at MRI,WHO CNS Grade,Final pathologic diagnosis (WHO 2021),MGMT status,MGMT index,1p/19q,IDH,"
    "1-dead 0-alive,OS,EOR,Biopsy prior to imaging,BraTS21 ID,BraTS21 Segmentation Cohort,BraTS21 MGMT Cohort\n"
)
ROW_004 = (
    'UCSF-PDGM-004,M,66,4,"Glioblastoma, IDH-wildtype",negative,0,,wildtype,1,1303,STR,No,BraTS2021_00097,'
    "Training,Training\n"
)
ROW_005 = 'UCSF-PDGM-005,F,80,4,"Glioblastoma, IDH-wildtype",indeterminate,,,wildtype,1,274,biopsy,No,,,\n'
ROW_391 = 'UCSF-PDGM-391,F,59,4,"Glioblastoma, IDH-wildtype",positive,17,intact,wildtype,0,711,STR,No,,,\n'
FOLLOW_UP = ROW_391.replace("UCSF-PDGM-391", "UCSF-PDGM-0391_FU016d").replace(",,,\n", ",BraTS2021_00716,Training,\n")
SUFFIXES = (
    "T1",
    "T1_bias",
    "T1c",
    "T1c_bias",
    "T2",
    "FLAIR",
    "FLAIR_bias",
    "SWI",
    "DWI",
    "tumor_segmentation",
    "brain_segmentation",
)


def exam(name: str, suffixes: tuple[str, ...] = SUFFIXES) -> dict[str, bytes]:
    return {f"{PACKAGE}/{name}_nifti/{name}_{suffix}.nii.gz": b"x" for suffix in suffixes}


def ucsf(root: Path, rows: str = ROW_004, exams: tuple[str, ...] = ("UCSF-PDGM-0004",)) -> Path:
    files: dict[str, bytes] = {path: content for name in exams for path, content in exam(name).items()}
    return write(root, {TABLE: HEADER + rows, **files})


def discover(root: Path) -> Discovery:
    return UCSF.discover(root, "mine")


def test_an_exam_is_four_scans_without_their_bias_corrected_copies(tmp_path: Path) -> None:
    scans = discover(ucsf(tmp_path)).scans
    assert [(scan.contrast, scan.image.name) for scan in scans] == [
        ("T1w", "UCSF-PDGM-0004_T1.nii.gz"),
        ("T1c", "UCSF-PDGM-0004_T1c.nii.gz"),
        ("T2w", "UCSF-PDGM-0004_T2.nii.gz"),
        ("FLAIR", "UCSF-PDGM-0004_FLAIR.nii.gz"),
    ]
    assert {scan.segmentation.name for scan in scans if scan.segmentation} == {
        "UCSF-PDGM-0004_tumor_segmentation.nii.gz"
    }
    assert {scan.brain_mask.name for scan in scans if scan.brain_mask} == {"UCSF-PDGM-0004_brain_segmentation.nii.gz"}
    assert [code for code, _ in scans[0].segmentation_codes] == [1, 2, 4], "the enhancing tumour is 4, not 3"
    facts = scans[0].acquisition
    assert (facts.vendor, facts.model, facts.field_strength) == ("GE", "Discovery 750", 3.0)
    assert dict(facts.sources)["vendor"] == "documentation"


def test_ids_of_three_digits_are_those_of_four(tmp_path: Path) -> None:
    found = discover(ucsf(tmp_path, ROW_004 + ROW_005))
    assert values(found, "age") == {"UCSF-PDGM-0004": 66, "UCSF-PDGM-0005": 80}
    assert any("UCSF-PDGM-0005" in note and "no images" in note for note in found.notes)


def test_labels(tmp_path: Path) -> None:
    found = discover(ucsf(tmp_path, ROW_004 + ROW_391))
    of_004 = {label.label: label.value or label.number for label in found.labels if label.subject == "UCSF-PDGM-0004"}
    assert of_004 == {
        "age": 66, "sex": "male", "who_grade": 4, "diagnosis": "Glioblastoma, IDH-wildtype", "mgmt": "unmethylated",
        "idh": "wildtype", "survival_event": 1, "survival_days": 1303, "resection": "STR",
    }  # fmt: skip
    assert values(found, "survival_event")["UCSF-PDGM-0391"] == 0, "alive at the last contact: censored"
    assert values(found, "codeletion_1p19q") == {"UCSF-PDGM-0391": "intact"}
    assert {label.unit for label in found.labels if label.label == "survival_days"} == {"days"}


@pytest.mark.parametrize(
    ("cell", "status"),
    [("wildtype", "wildtype"), ("mutated (NOS)", "mutant"), ("IDH1 p.R132H", "mutant"), ("IDH1 p.Arg132His", "mutant"),
     ("IDH2 p.Arg172Trp", "mutant"), (" wildtype ", "wildtype"), ("unknown", None), ("", None)],
)  # fmt: skip
def test_every_spelling_of_a_mutation(tmp_path: Path, cell: str, status: str | None) -> None:
    found = discover(ucsf(tmp_path, ROW_004.replace(",wildtype,", f",{cell},")))
    assert values(found, "idh") == ({"UCSF-PDGM-0004": status} if status else {})


@pytest.mark.parametrize(
    ("cell", "status"),
    [("intact", "intact"), ("co-deletion", "codeleted"), ("Co-deletion", "codeleted"),
     ("relative co-deletion", None), ("unknown", None)],
)  # fmt: skip
def test_every_spelling_of_a_codeletion(tmp_path: Path, cell: str, status: str | None) -> None:
    found = discover(ucsf(tmp_path, ROW_391.replace(",intact,", f",{cell},"), ("UCSF-PDGM-0391",)))
    assert values(found, "codeletion_1p19q") == ({"UCSF-PDGM-0391": status} if status else {})


def test_a_follow_up_is_a_session_of_the_person_and_known_by_a_former_number(tmp_path: Path) -> None:
    exams = ("UCSF-PDGM-0391", "UCSF-PDGM-0391_FU016d")
    found = discover(ucsf(tmp_path, ROW_391 + FOLLOW_UP, exams))
    assert {(scan.subject, scan.session) for scan in found.scans} == {
        ("UCSF-PDGM-0391", None), ("UCSF-PDGM-0391", "FU016d"),
    }  # fmt: skip
    assert [label.session for label in found.labels if label.label == "age"] == [None, "FU016d"]
    assert [label.session for label in found.labels if label.label == "sex"] == [None]
    assert {(link.other_dataset, link.other_subject) for link in found.links} == {
        ("brats2021", "BraTS2021_00716"), ("ucsf_pdgm", "UCSF-PDGM-0289"),
    }  # fmt: skip
    assert {link.subject for link in found.links} == {"UCSF-PDGM-0391"}


def test_cases_of_brats_2021_are_linked(tmp_path: Path) -> None:
    (link,) = discover(ucsf(tmp_path, ROW_004 + ROW_005)).links
    assert (link.subject, link.other_dataset, link.other_subject) == ("UCSF-PDGM-0004", "brats2021", "BraTS2021_00097")
    assert link.evidence == TABLE


def test_an_image_that_is_not_there_is_absent(tmp_path: Path) -> None:
    (ucsf(tmp_path) / PACKAGE / "UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_T1c.nii.gz").unlink()
    assert [scan.source_key for scan in discover(tmp_path).scans if not scan.image_present] == ["UCSF-PDGM-0004_T1c"]


def test_a_wrong_root_says_everything_at_once(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        discover(tmp_path)
    images, table = caught.value.problems
    assert "UCSF-PDGM-NNNN_nifti" in images
    assert "UCSF-PDGM-metadata_v5.csv" in table
    assert "https://www.cancerimagingarchive.net/collection/ucsf-pdgm/" in table


def test_an_old_table_a_renamed_column_no_row_and_half_a_copy(tmp_path: Path) -> None:
    """The table of version 1 has no columns of BraTS."""
    header = HEADER.split(",BraTS21 ID")[0].replace("IDH", "IDH status") + "\n"
    root = write(tmp_path, {"UCSF-PDGM-metadata.csv": header})
    (root / PACKAGE / "UCSF-PDGM-0004_nifti").mkdir(parents=True)
    with pytest.raises(DatasetError) as caught:
        discover(root)
    empty, columns, half = caught.value.problems
    assert "no row" in empty
    assert "no columns 'BraTS21 ID', 'IDH'" in columns
    assert "UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_FLAIR.nii.gz" in half


def test_an_empty_file_in_place_of_the_table(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"empty: it needs a header row.*collection/ucsf-pdgm"):
        discover(write(ucsf(tmp_path), {TABLE: ""}))


def test_the_case_of_a_column_s_name_does_not_matter(tmp_path: Path) -> None:
    root = write(ucsf(tmp_path), {TABLE: HEADER.lower() + ROW_004})
    assert values(discover(root), "age") == {"UCSF-PDGM-0004": 66}


@pytest.mark.real
def test_the_real_table(real_data: Path, tmp_path: Path) -> None:
    shutil.copy(real_data / "meta_ucsf_pdgm/UCSF-PDGM-metadata_v2.csv", tmp_path)
    found = discover(write(tmp_path, exam("UCSF-PDGM-0004")))
    idh = list(values(found, "idh").values())
    assert (idh.count("wildtype"), idh.count("mutant")) == (398, 103)
    assert len(values(found, "age")) == 501
    assert max(age for age in values(found, "age").values() if isinstance(age, float)) == 90, "ages over 89 are capped"
    assert len(values(found, "survival_days")) == 500
    assert list(values(found, "codeletion_1p19q").values()).count("codeleted") == 9
    grades = list(values(found, "who_grade").values())
    assert [grades.count(grade) for grade in (2, 3, 4)] == [56, 43, 402]
    assert sum(link.other_dataset == "brats2021" for link in found.links) == 298
    assert sum(link.other_dataset == "ucsf_pdgm" for link in found.links) == 6


@pytest.mark.real
def test_former_numbers_agree_with_the_real_table(real_data: Path, tmp_path: Path) -> None:
    """Version 2 still lists the six under both numbers: what it says of the person is the same."""
    shutil.copy(real_data / "meta_ucsf_pdgm/UCSF-PDGM-metadata_v2.csv", tmp_path)
    found = discover(write(tmp_path, exam("UCSF-PDGM-0004")))
    for link in (link for link in found.links if link.other_dataset == "ucsf_pdgm"):
        for label in ("sex", "age", "idh", "mgmt", "survival_days", "survival_event"):
            assert values(found, label)[link.subject] == values(found, label)[link.other_subject], (link, label)


def test_of_a_copy_further_down_the_nearest_exams_count(tmp_path: Path) -> None:
    shutil.copytree(ucsf(tmp_path) / PACKAGE, tmp_path / "A" / "copy" / "inside" / "it")
    found = discover(tmp_path)
    assert len({scan.source_key for scan in found.scans}) == len(found.scans)
    assert all((tmp_path / PACKAGE) in scan.image.parents for scan in found.scans)
    assert any("In more than one folder, and taken from the first" in note for note in found.notes)


def test_numbers_out_of_range_give_no_label(tmp_path: Path) -> None:
    found = discover(ucsf(tmp_path, ROW_004.replace(",4,", ",40,", 1)))
    assert values(found, "who_grade") == {}
    assert any("WHO CNS Grade says nothing known in '40' (UCSF-PDGM-0004)" in note for note in found.notes)
