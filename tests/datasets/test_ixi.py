import os
from pathlib import Path

import pytest

from braindino.datasets import get_adapter
from braindino.datasets.ixi import FILE_NAME
from braindino.errors import DatasetError
from tests.datasets.helpers import problems, values, write

IXI = get_adapter("ixi")
HEADER = (
    'IXI_ID,"SEX_ID (1=m, 2=f)",HEIGHT,WEIGHT,ETHNIC_ID,MARITAL_ID,OCCUPATION_ID,QUALIFICATION_ID,'
    "DOB,DATE_AVAILABLE,STUDY_DATE,AGE\n"
)
# Rows as they stand in the original table.
ROW_2 = "2,2,164,58,1,4,1,5,1970-01-30,1,2005-11-18,35.800136892539356\n"
ROW_1 = "1,1,170,80,2,3,5,2,1968-02-22,0,,\n"
ROWS_533 = (
    "533,1,175,80,1,2,5,4,1933-01-26,1,2006-09-04,73.60438056125942\n"
    "533,1,0,0,0,0,0,0,1933-01-26,1,2006-09-04,73.60438056125942\n"
)
ROWS_219 = (
    "219,2,170,104,1,2,1,4,1953-02-08,1,2006-03-10,53.08145106091718\n"
    "219,2,164,73,1,4,1,5,1948-02-12,1,2006-03-10,58.072553045859\n"
)
ROWS_328 = (
    "328,2,155,70,1,2,5,3,1944-11-03,1,2006-08-17,61.78507871321013\n"
    "328,1,0,0,0,0,0,0,1944-07-17,1,2006-08-17,62.08350444900753\n"
)
ROW_416 = "416,2,1520,51,1,5,5,5,1934-07-03,1,2006-08-25,72.145106091718\n"
T1 = "IXI002-Guys-0828-T1.nii.gz"


def ixi(root, rows=ROW_2, images=(T1,), table="IXI.csv"):
    return write(root, {table: HEADER + rows, **dict.fromkeys(images, b"x")})


def test_the_name_of_a_file():
    match = FILE_NAME.fullmatch("IXI012-HH-1211-T2.nii.gz")
    assert match is not None
    assert match.groups() == ("IXI012-HH-1211-T2", "012", "HH", "1211", "T2")
    assert FILE_NAME.fullmatch("IXI002-Guys-0828-DTI-00.nii.gz")
    assert not FILE_NAME.fullmatch("IXI002-Guys-0828-T1_brain.nii.gz")


def test_flat_files_and_folders_read_the_same(tmp_path):
    names = [T1, "IXI012-HH-1211-T2.nii.gz", "IXI035-IOP-0873-PD.nii.gz"]
    flat = IXI.discover(ixi(tmp_path / "flat", images=names), "ixi").scans
    in_folders = [f"IXI-{name.split('-')[3].split('.')[0]}/{name}" for name in names]
    nested = IXI.discover(ixi(tmp_path / "nested", images=in_folders), "ixi").scans
    assert [scan.source_key for scan in flat] == [scan.source_key for scan in nested]
    assert [(scan.subject, scan.contrast) for scan in flat] == [
        ("IXI002", "T1w"),
        ("IXI012", "T2w"),
        ("IXI035", "PD"),
    ]
    facts = [(scan.acquisition.vendor, scan.acquisition.field_strength, scan.acquisition.site) for scan in flat]
    assert facts == [("Philips", 1.5, "Guys"), ("Philips", 3.0, "HH"), ("GE", 1.5, "IOP")]


def test_angiograms_and_diffusion_are_left_out_and_counted(tmp_path):
    extra = (
        "IXI002-Guys-0828-MRA.nii.gz",
        "IXI002-Guys-0828-DTI-00.nii.gz",
        "IXI002-Guys-0828-DTI-01.nii.gz",
    )
    found = IXI.discover(ixi(tmp_path, images=(T1, *extra)), "ixi")
    assert [scan.contrast for scan in found.scans] == ["T1w"]
    assert any(note.startswith("3 MRA and DTI") for note in found.notes)


def test_labels(tmp_path):
    found = IXI.discover(ixi(tmp_path, ROW_2 + ROW_1), "mine")
    assert values(found, "age") == {"IXI002": 35.800136892539356}, "a blank age gives no label"
    assert values(found, "sex") == {"IXI001": "male", "IXI002": "female"}
    assert values(found, "height") == {"IXI001": 170, "IXI002": 164}
    assert {label.label for label in found.labels} == {"age", "sex", "height", "weight"}, "no dates of birth"
    assert {label.dataset for label in found.labels} == {"mine"}


def test_of_a_duplicated_row_the_zeroed_copy_is_dropped(tmp_path):
    for order, rows in enumerate((ROWS_533, "\n".join(reversed(ROWS_533.splitlines())) + "\n")):
        found = IXI.discover(ixi(tmp_path / str(order), rows), "ixi")
        assert values(found, "weight") == {"IXI533": 80}
        assert values(found, "age") == {"IXI533": 73.60438056125942}
        assert any("more than once" in note for note in found.notes)


def test_ids_with_contradicting_rows_have_no_labels(tmp_path):
    found = IXI.discover(ixi(tmp_path, ROW_2 + ROWS_219 + ROWS_328), "ixi")
    assert {label.subject for label in found.labels} == {"IXI002"}
    assert any("IXI219, IXI328" in note for note in found.notes)


def test_zero_is_missing_and_1520_cm_is_no_height(tmp_path):
    found = IXI.discover(ixi(tmp_path, ROW_416 + "623,1,0,80,0,0,0,0,,1,2006-09-25,\n"), "ixi")
    assert values(found, "height") == {}
    assert values(found, "weight") == {"IXI416": 51, "IXI623": 80}
    assert any("1520" in note for note in found.notes)


def test_imaged_participants_without_a_row_are_noted(tmp_path):
    found = IXI.discover(ixi(tmp_path, ROW_1), "ixi")
    assert any("IXI002" in note for note in found.notes)


def test_the_table_may_lie_deeper(tmp_path):
    found = IXI.discover(ixi(tmp_path, table="data/labels/IXI.csv"), "ixi")
    assert values(found, "sex") == {"IXI002": "female"}


def test_a_wrong_folder_says_everything_at_once(tmp_path):
    with pytest.raises(DatasetError) as caught:
        IXI.discover(tmp_path, "ixi")
    images, table = caught.value.problems
    assert "IXI-T1.tar" in images
    assert "IXI.xls" in table


def test_a_table_of_other_columns_is_refused(tmp_path):
    write(tmp_path, {T1: b"x", "IXI.csv": "IXI_ID,AGE\n2,35.8\n"})
    with pytest.raises(DatasetError, match="SEX_ID"):
        IXI.discover(tmp_path, "ixi")


def test_a_table_without_rows_or_content_is_one_error_beside_missing_images(tmp_path):
    said = problems(IXI, write(tmp_path / "rows", {T1: b"x", "IXI.csv": HEADER}))
    assert "has a header and no row: get it from https://brain-development.org" in said
    said = problems(IXI, write(tmp_path / "empty", {"IXI.csv": ""}))
    assert "IXI-T1.tar" in said
    assert "IXI.csv is empty" in said
    assert "brain-development.org/ixi-dataset/" in said
    said = problems(IXI, write(tmp_path / "headerless", {T1: b"x", "IXI.csv": "416,2,1520,51\n"}))
    assert "no columns 'IXI_ID', 'AGE', 'SEX_ID (1=m, 2=f)'; it has 416, 2, 1520, 51. For them, get it" in said


def test_columns_in_any_case_and_a_note_on_those_that_are_lost(tmp_path):
    table = 'ixi_id,"sex_id (1=M, 2=F)",age,Weight\n2,2,35.8,58\n'
    found = IXI.discover(write(tmp_path, {T1: b"x", "IXI.csv": table}), "ixi")
    assert values(found, "age") == {"IXI002": 35.8}
    assert values(found, "weight") == {"IXI002": 58}
    (note,) = (note for note in found.notes if "HEIGHT, STUDY_DATE" in note)
    assert "brain-development.org" in note


@pytest.mark.parametrize("age", ["-5", "400", "forty", "1e9"])
def test_a_cell_that_is_no_age_gives_no_label_and_is_noted(tmp_path, age):
    found = IXI.discover(ixi(tmp_path, ROW_2.replace("35.800136892539356", age)), "ixi")
    assert values(found, "age") == {}
    assert values(found, "sex") == {"IXI002": "female"}
    assert any("AGE says nothing known" in note and "IXI002" in note for note in found.notes)


def test_a_code_that_is_no_sex_is_noted(tmp_path):
    found = IXI.discover(ixi(tmp_path, ROW_2.replace("2,2,", "2,3,", 1)), "ixi")
    assert values(found, "sex") == {}
    assert any("'3' (IXI002)" in note for note in found.notes)


@pytest.mark.parametrize("cell", ["1.5", "-5", "nobody", ""])
def test_an_id_that_is_none_is_nobody(tmp_path, cell):
    found = IXI.discover(ixi(tmp_path, ROW_2 + ROW_2.replace("2,2,", f"{cell},2,", 1)), "ixi")
    assert {label.subject for label in found.labels} == {"IXI002"}
    assert any("no id of a participant" in note and "line 3" in note for note in found.notes)


def test_rows_that_differ_in_weight_alone_lose_the_weight_alone(tmp_path):
    found = IXI.discover(ixi(tmp_path, ROW_2 + ROW_2.replace(",58,", ",85,")), "ixi")
    assert values(found, "weight") == {}
    assert values(found, "height") == {"IXI002": 164}
    assert any("weight of IXI002" in note for note in found.notes)


def test_two_days_of_one_study_are_none(tmp_path):
    found = IXI.discover(ixi(tmp_path, ROW_2 + ROW_2.replace("2005-11-18", "2006-11-18")), "ixi")
    assert found.scans[0].when is None
    assert any("STUDY_DATE is stated with different values" in note for note in found.notes)


def test_links_that_lead_nowhere_and_unfinished_downloads_are_noted(tmp_path):
    root = ixi(tmp_path, images=("IXI012-HH-1211-T2.nii.gz.part",))
    (root / T1).symlink_to("gone.nii.gz")
    (root / "loop").symlink_to("loop")
    found = IXI.discover(root, "ixi")
    link, half = found.scans
    assert (link.image_present, link.download) == (False, None)
    assert (half.source_key, half.image_present, half.image.name) == (
        "IXI012-HH-1211-T2",
        False,
        "IXI012-HH-1211-T2.nii.gz",
    )
    assert "IXI-T2.tar" in str(half.download)
    assert any(note.startswith("2 image(s) are not where they belong") for note in found.notes)
    assert any("IXI012-HH-1211-T2.nii.gz.part" in note for note in found.notes)


def test_a_folder_that_must_not_be_read(tmp_path, monkeypatch):
    root = ixi(tmp_path, images=(T1, "IXI-T2/IXI002-Guys-0828-T2.nii.gz"))
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: allowed(path, mode) and Path(path).name != "IXI-T2")
    found = IXI.discover(root, "ixi")
    assert [scan.contrast for scan in found.scans] == ["T1w"]
    assert any("may not be read" in note and "IXI-T2" in note for note in found.notes)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "may not be read" in problems(IXI, root)


@pytest.mark.real
def test_the_real_table(real_data):
    found = IXI.discover(real_data / "ixi_one", "ixi")
    (scan,) = found.scans
    assert (scan.subject, scan.contrast, scan.image_present) == ("IXI533", "T1w", True)
    assert values(found, "age")["IXI533"] == pytest.approx(73.604, abs=1e-3)
    assert len(values(found, "age")) == 563  # 593 ids: 2 contradict each other, 28 have no age
    assert len(values(found, "sex")) == 591
    assert "IXI219" not in values(found, "sex")
