import pytest

from braindino.datasets import get_adapter
from braindino.datasets.ixi import FILE_NAME
from braindino.errors import DatasetError
from tests.datasets.helpers import values, write

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
    assert any("219, 328" in note for note in found.notes)


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


@pytest.mark.real
def test_the_real_table(real_data):
    found = IXI.discover(real_data / "ixi_one", "ixi")
    (scan,) = found.scans
    assert (scan.subject, scan.contrast, scan.image_present) == ("IXI533", "T1w", True)
    assert values(found, "age")["IXI533"] == pytest.approx(73.604, abs=1e-3)
    assert len(values(found, "age")) == 563  # 593 ids: 2 contradict each other, 28 have no age
    assert len(values(found, "sex")) == 591
    assert "IXI219" not in values(found, "sex")
