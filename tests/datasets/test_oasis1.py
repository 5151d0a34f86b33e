from pathlib import Path

import numpy as np
import pytest

from braindino.datasets import Discovery, get_adapter
from braindino.datasets.oasis1 import IMAGES, Oasis1Adapter
from braindino.errors import DatasetError
from braindino.imaging.orient import orientation_codes
from tests.datasets.helpers import values, write
from tests.datasets.tables import excel

OASIS = get_adapter("oasis1")
HEADER = "ID,M/F,Hand,Age,Educ,SES,MMSE,CDR,eTIV,nWBV,ASF,Delay\n"
ROW_1 = "OAS1_0001_MR1,F,R,74,2,3,29,0,1344,0.743,1.306,N/A\n"
ROW_YOUNG = "OAS1_0061_MR1,F,R,20,,,,,1440,0.853,1.219,N/A\n"
ROW_YOUNG_AGAIN = "OAS1_0061_MR2,F,R,20,,,,,1436,0.827,1.222,34\n"
ROW_DEMENTED = "OAS1_0031_MR1,M,R,88,1,4,26,0.5,1419,0.674,1.236,N/A\n"
TEXT = (
    "SESSION ID:   OAS1_0001_MR1\n\n\nAGE:          74\nM/F:          Female\nHAND:         Right\nEDUC:         2\n"
    "SES:          3\nCDR:          0\nMMSE:         29\neTIV:         1344\n"
)  # fmt: skip


def session(name: str, disc: str = "disc1", averaged: int = 4) -> dict[str, bytes]:
    top = f"{disc}/{name}"
    average = f"{top}/PROCESSED/MPRAGE/SUBJ_111/{name}_mpr_n{averaged}_anon_sbj_111"
    atlas = f"{top}/PROCESSED/MPRAGE/T88_111/{name}_mpr_n{averaged}_anon_111_t88"
    raw = [f"{top}/RAW/{name}_mpr-{run}_anon" for run in range(1, averaged + 1)]
    segmented = f"{top}/FSL_SEG/{name}_mpr_n{averaged}_anon_111_t88_masked_gfc_fseg"
    pairs = [average, f"{atlas}_gfc", f"{atlas}_masked_gfc", segmented, *raw]
    files = {f"{stem}.{half}": b"x" for stem in pairs for half in ("hdr", "img")}
    return {**files, f"{average}_sag_66.gif": b"x", f"{top}/{name}.xml": b"<xml/>"}


def oasis(root: Path, rows: str = ROW_1, sessions: tuple[str, ...] = ("OAS1_0001_MR1",)) -> Path:
    files: dict[str, bytes] = {path: content for name in sessions for path, content in session(name).items()}
    return write(root, {"oasis_cross-sectional.csv": HEADER + rows, **files})


def discover(root: Path) -> Discovery:
    return OASIS.discover(root, "mine")


def test_the_average_of_a_session_is_its_scan(tmp_path: Path) -> None:
    (scan,) = discover(oasis(tmp_path)).scans
    assert scan.image.name == "OAS1_0001_MR1_mpr_n4_anon_sbj_111.img"
    assert (scan.subject, scan.session, scan.run, scan.contrast) == ("OAS1_0001", "MR1", None, "T1w")
    assert (scan.skull_stripped, scan.orientation, scan.acquisition.field_strength) == (False, "ASL", 1.5)


def test_the_key_does_not_count_the_averaged_scans(tmp_path: Path) -> None:
    three = write(oasis(tmp_path / "a", sessions=()), session("OAS1_0001_MR1", averaged=3))
    assert [s.source_key for s in discover(three).scans] == [
        s.source_key for s in discover(oasis(tmp_path / "b")).scans
    ]


def test_the_repeats_and_the_stripped_atlas_image_can_be_chosen(tmp_path: Path) -> None:
    root = oasis(tmp_path)
    raw = Oasis1Adapter(image="raw").discover(root, "mine").scans
    assert [(scan.run, scan.image.name) for scan in raw] == [
        (str(run), f"OAS1_0001_MR1_mpr-{run}_anon.img") for run in (1, 2, 3, 4)
    ]
    (atlas,) = Oasis1Adapter(image="t88_masked").discover(root, "mine").scans
    assert atlas.image.name == "OAS1_0001_MR1_mpr_n4_anon_111_t88_masked_gfc.img"
    assert (atlas.skull_stripped, atlas.orientation) == (True, "LAS")


def test_a_missing_cdr_is_not_cdr_0(tmp_path: Path) -> None:
    sessions = ("OAS1_0001_MR1", "OAS1_0061_MR1", "OAS1_0061_MR2", "OAS1_0031_MR1")
    found = discover(oasis(tmp_path, ROW_1 + ROW_YOUNG + ROW_YOUNG_AGAIN + ROW_DEMENTED, sessions))
    assert values(found, "cdr") == {"OAS1_0001": 0, "OAS1_0031": 0.5}
    assert values(found, "mmse") == {"OAS1_0001": 29, "OAS1_0031": 26}
    ages = {(item.subject, item.session): item.number for item in found.labels if item.label == "age"}
    assert ages[("OAS1_0061", "MR1")] == ages[("OAS1_0061", "MR2")] == 20
    assert [item.session for item in found.labels if (item.subject, item.label) == ("OAS1_0061", "sex")] == [None]
    assert values(found, "handedness")["OAS1_0001"] == "right"
    assert {item.label for item in found.labels} == {"age", "sex", "handedness", "mmse", "cdr"}, "Educ is a code"


def test_without_the_table_each_session_s_text_file_says_the_same(tmp_path: Path) -> None:
    with_table = discover(oasis(tmp_path / "table"))
    root = write(oasis(tmp_path / "text"), {"disc1/OAS1_0001_MR1/OAS1_0001_MR1.txt": TEXT})
    (root / "oasis_cross-sectional.csv").unlink()
    assert set(discover(root).labels) == set(with_table.labels)


def test_the_excel_table_is_read_and_the_reliability_table_is_not(tmp_path: Path) -> None:
    root = oasis(tmp_path)
    (root / "oasis_cross-sectional.csv").unlink()
    write(root, {"oasis_cross-sectional-reliability.csv": HEADER + ROW_1.replace("74", "30")})
    rows = [line.split(",") for line in (HEADER + ROW_1).splitlines()]
    excel(root / "oasis_cross-sectional-5708aa0a98d82080.xlsx", *rows)
    assert values(discover(root), "age") == {"OAS1_0001": 74}


def test_discs_may_be_nested_and_some_not_unpacked(tmp_path: Path) -> None:
    nested = session("OAS1_0031_MR1", "oasis_cross-sectional_disc2/disc2")
    found = discover(write(oasis(tmp_path, ROW_1 + ROW_DEMENTED + ROW_YOUNG), nested))
    assert [scan.subject for scan in found.scans] == ["OAS1_0001", "OAS1_0031"]
    assert any("OAS1_0061_MR1" in note and "no images here" in note for note in found.notes)


def test_a_header_without_its_image_is_absent(tmp_path: Path) -> None:
    average = "disc1/OAS1_0001_MR1/PROCESSED/MPRAGE/SUBJ_111/OAS1_0001_MR1_mpr_n4_anon_sbj_111.img"
    (oasis(tmp_path) / average).unlink()
    (scan,) = discover(tmp_path).scans
    assert not scan.image_present
    assert "disc1.tar.gz" in (scan.absent_hint or "")


def test_a_wrong_root_says_everything_at_once(tmp_path: Path) -> None:
    (tmp_path / "oasis_cross-sectional_disc1.tar.gz").touch()
    with pytest.raises(DatasetError) as caught:
        discover(tmp_path)
    images, table = caught.value.problems
    assert "not unpacked yet: oasis_cross-sectional_disc1.tar.gz" in images
    assert "oasis_cross-sectional.csv" in table


def test_a_renamed_column_an_empty_table_and_half_a_copy_come_in_one_error(tmp_path: Path) -> None:
    root = write(oasis(tmp_path, ""), {"oasis_cross-sectional.csv": HEADER.replace("CDR", "CDRTOT")})
    (root / "disc1/OAS1_0002_MR1/RAW").mkdir(parents=True)
    with pytest.raises(DatasetError) as caught:
        discover(root)
    empty, cdr, half = caught.value.problems
    assert "no row" in empty
    assert "'CDR'" in cdr
    assert "OAS1_0002_MR1_mpr_n*_anon_sbj_111.img" in half, "nothing tells how many scans were averaged"


def test_either_half_of_a_pair_and_the_pair_itself_may_be_missing(tmp_path: Path) -> None:
    root = oasis(tmp_path)
    average = root / "disc1/OAS1_0001_MR1/PROCESSED/MPRAGE/SUBJ_111/OAS1_0001_MR1_mpr_n4_anon_sbj_111.hdr"
    for half, named in ((average, average.name), (average.with_suffix(".img"), average.with_suffix(".img").name)):
        half.unlink()
        (scan,) = discover(root).scans
        assert (scan.image.name, scan.source_key) == (named, "OAS1_0001_MR1/PROCESSED/MPRAGE/SUBJ_111")
        assert scan.download is not None


def test_a_repeat_is_missing_before_one_that_is_there(tmp_path: Path) -> None:
    root = oasis(tmp_path)
    for run in ("1", "2", "3"):
        write(root, {f"disc1/OAS1_0001_MR1/RAW/OAS1_0001_MR1_mpr-{run}_anon.{end}": b"x" for end in ("hdr", "img")})
    (root / "disc1/OAS1_0001_MR1/RAW/OAS1_0001_MR1_mpr-2_anon.img").unlink()
    (root / "disc1/OAS1_0001_MR1/RAW/OAS1_0001_MR1_mpr-2_anon.hdr").unlink()
    scans = Oasis1Adapter(image="raw").discover(root, "mine").scans
    assert [(scan.run, scan.image_present) for scan in scans][:3] == [("1", True), ("2", False), ("3", True)]


def test_codes_of_the_orientation_are_those_of_clinica_s_converter() -> None:
    """Clinica imposes this affine on the averaged image: voxel axes to anterior, superior and left."""
    imposed = np.array([[0, 0, -1, 80], [1, 0, 0, -128], [0, 1, 0, -128], [0, 0, 0, 1]], dtype=float)
    assert orientation_codes(imposed) == IMAGES["subj_111"].orientation
