import pytest
from hypothesis import given
from hypothesis import strategies as st

from braindino.datasets import get_adapter
from braindino.datasets.values import is_private
from braindino.errors import DatasetError
from tests.datasets.helpers import values
from tests.datasets.loni import write_series

MANIFEST = get_adapter("manifest")


def manifest(folder, text):
    path = folder / "scans.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def problems(folder, text):
    with pytest.raises(DatasetError) as caught:
        MANIFEST.discover(manifest(folder, text), "clinic")
    return caught.value.problems


def test_all_columns(tmp_path):
    path = manifest(
        tmp_path,
        "subject,image,session,contrast,run,mask,segmentation,skull_stripped,age,sex,vendor,field_strength,"
        "label:diagnosis,label:MoCA\r\n"
        "p1,p1/t1.mgz,pre,t1,1,p1/brain.mgz,,no,61.5,F,SIEMENS,3,1,27\r\n"
        "p1,/elsewhere/p1 flair.img,pre,FLAIR,,,les.img,yes,61.5,F,,,1,27\r\n"
        "p2,dicom/p2,,swi,,,,,95,m,philips,1.5,2,n/a\r\n",
    )
    found = MANIFEST.discover(path, "clinic")
    first, second, third = found.scans
    assert first.image == tmp_path / "p1/t1.mgz"
    assert (first.contrast, first.run, first.session, first.skull_stripped) == ("T1w", "1", "pre", False)
    assert first.brain_mask == tmp_path / "p1/brain.mgz"
    assert (first.acquisition.vendor, first.acquisition.field_strength) == ("Siemens", 3.0)
    assert second.image.as_posix() == "/elsewhere/p1 flair.img"
    assert (second.segmentation, second.acquisition.sources) == (tmp_path / "les.img", ())
    assert (third.contrast, third.skull_stripped, third.session) == ("swi", None, None)
    assert all(scan.image_present for scan in found.scans), "a missing file is refused at ingest, by imaging"
    assert values(found, "age") == {"p1": 61.5, "p2": 90}
    assert values(found, "sex") == {"p1": "female", "p2": "male"}
    assert values(found, "diagnosis") == {"p1": "1", "p2": "2"}, "a diagnosis is a name even when coded"
    assert values(found, "MoCA") == {"p1": 27}
    assert len(found.labels) == 7, "facts that two scans of a session repeat stand once"


def test_the_key_survives_moving_the_folder(tmp_path):
    keys = []
    for name in ("here", "there"):
        folder = tmp_path / name
        folder.mkdir()
        text = f"subject,image\np1,a/x.nii\np2,{folder}/a/y.nii\n"
        keys.append([scan.source_key for scan in MANIFEST.discover(manifest(folder, text), "d").scans])
    assert keys[0] == keys[1] == ["a/x.nii", "a/y.nii"]


def test_several_datasets_in_one_file(tmp_path):
    found = MANIFEST.discover(manifest(tmp_path, "dataset,subject,image\nA,p,x.nii\n,p,y.nii\n"), "mine")
    assert [scan.dataset for scan in found.scans] == ["A", "mine"]


def test_a_folder_with_a_manifest_will_do(tmp_path):
    (tmp_path / "manifest.csv").write_text("subject,image\np,x.nii\n")
    assert len(MANIFEST.discover(tmp_path, "d").scans) == 1


def test_unknown_columns_list_the_known_ones_and_the_nearest(tmp_path):
    unknown, other, lacking = problems(tmp_path, "subject,img,Skull_striped\np,x,no\n")
    assert "'image'" in unknown or "'img'" in unknown
    assert "Did you mean 'skull_stripped'?" in other
    assert "field_strength" in other
    assert "label:<name>" in other
    assert "'image' is missing" in lacking


def test_everything_wrong_is_told_at_once_with_its_line(tmp_path):
    told = problems(
        tmp_path,
        "subject,image,age,sex,skull_stripped,field_strength,session\n"
        "p1,a.nii,old,x,perhaps,3T,1\n"
        ",b.nii,,,,,\n"
        "p1,a.nii,,,,,\n"
        "p2,c.nii,30,f,,,1\n"
        "p2,d.nii,31,f,,,1\n",
    )
    expected = [
        (2, "skull_stripped is neither"), (2, "field_strength '3T'"), (2, "age is no number"), (2, "sex 'x'"),
        (3, "'subject' is empty"), (4, "already named in line 2"), (6, "age of p2 differs from line 5"),
    ]  # fmt: skip
    assert len(told) == len(expected)
    for (line, words), sentence in zip(expected, told, strict=True):
        assert sentence.startswith(f"Line {line}: ")
        assert words in sentence


def test_no_manifest_and_no_rows(tmp_path):
    with pytest.raises(DatasetError, match=r"manifest\.csv"):
        MANIFEST.discover(tmp_path / "nowhere.csv", "d")
    assert "no rows" in problems(tmp_path, "subject,image\n")[0]


@given(st.text(alphabet="abcdeghimnstu_:", min_size=1, max_size=15).filter(lambda column: not is_private(column)))
def test_any_unknown_column_is_an_error_and_any_label_column_is_not(tmp_path_factory, column):
    folder = tmp_path_factory.mktemp("m")
    text = f"subject,image,label:{column}\np,x.nii,1\n"
    assert values(MANIFEST.discover(manifest(folder, text), "d"), column) != {}
    if column not in ("subject", "image", "dataset", "mask", "age") and not column.startswith("label:"):
        assert any("unknown column" in problem for problem in problems(folder, f"subject,image,{column}\np,x,1\n"))


def test_columns_that_may_identify_a_person_are_refused(tmp_path):
    (told,) = problems(tmp_path, "subject,image,label:birth_date,label:moca\np1,a.nii,19400101,27\n")
    assert "'label:birth_date' may identify a person" in told


def test_numbers_that_a_label_cannot_have_are_noted_and_left_out(tmp_path):
    head = "subject,image,label:mmse,label:age_at_onset,label:moca\n"
    text = f"{head}p1,a.nii,29,999,999\np2,b.nii,-4,55,27\n"
    found = MANIFEST.discover(manifest(tmp_path, text), "d")
    assert values(found, "mmse") == {"p1": 29}
    assert values(found, "age_at_onset") == {"p2": 55}, "999 is no old age"
    assert values(found, "moca") == {"p1": 999, "p2": 27}, "its range is not known"
    assert sorted(found.notes) == [
        "label:age_at_onset holds numbers that cannot be, which were left out: '999' (line 2).",
        "label:mmse holds numbers that cannot be, which were left out: '-4' (line 3).",
    ]


def test_ages_over_89_are_capped_in_every_column_of_ages_and_in_words(tmp_path):
    head = "subject,image,age,label:age_at_onset,label:age_note\n"
    text = f"{head}p1,a.nii,93,91,mother lived to 97\np2,b.nii,60,55,n/a\n"
    found = MANIFEST.discover(manifest(tmp_path, text), "d")
    assert values(found, "age") == {"p1": 90, "p2": 60}
    assert values(found, "age_at_onset") == {"p1": 90, "p2": 55}
    assert values(found, "age_note") == {"p1": "over 89"}


def test_a_dicom_series_tells_of_its_scanner_where_the_manifest_does_not(tmp_path):
    write_series(tmp_path / "p1", "series", "I1")
    found = MANIFEST.discover(manifest(tmp_path, "subject,image,vendor,field_strength\np1,p1,Philips,\n"), "d")
    facts = found.scans[0].acquisition
    assert (facts.vendor, facts.model, facts.field_strength, facts.slice_thickness) == ("Philips", "TrioTim", 3, 1.2)
    assert dict(facts.sources) == {
        "vendor": "manifest", "model": "dicom", "field_strength": "dicom", "slice_thickness": "dicom",
    }  # fmt: skip
