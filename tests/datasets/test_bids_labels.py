from braindino.datasets import Moment, get_adapter
from tests.datasets.helpers import bids, values

BIDS = get_adapter("bids")


def discover(root, participants, subjects=("01",), **files):
    images = {f"sub-{s}/anat/sub-{s}_T1w.nii.gz": b"x" for s in subjects}
    return BIDS.discover(bids(root, {"participants.tsv": participants, **images, **files}), "d")


def test_columns_in_any_case_with_spaces_and_colons(tmp_path):
    # The header of OpenNeuro ds000228, shortened; the file has no final newline.
    table = (
        "participant_id\tAge\tAgeGroup\tGender\tToM Booklet-Matched\tScanlog: Scanner\n"
        "sub-pixar001\t4.774811773\t4yo\tM\t0.8\t3T1\nsub-pixar155\t39\tAdult\tF\tn/a\t3T1"
    )
    found = discover(tmp_path, table, ("pixar001",))
    assert values(found, "age") == {"pixar001": 4.774811773, "pixar155": 39}
    assert values(found, "sex") == {"pixar001": "male", "pixar155": "female"}
    assert values(found, "tom booklet-matched") == {"pixar001": 0.8}
    assert values(found, "scanlog: scanner") == {"pixar001": "3T1", "pixar155": "3T1"}
    assert any("pixar155" in note for note in found.notes)


def test_crlf_byte_order_mark_and_another_age_column(tmp_path):
    # The header of OpenNeuro ds004199, shortened.
    table = "\ufeffparticipant_id\tgroup\tsex\tage_scan\tage_op\tsplit\r\nsub-00058\tfcd\tM\t4\t95\ttrain\r\n"
    found = discover(tmp_path, table, ("00058",))
    assert values(found, "age") == {"00058": 4}
    assert values(found, "diagnosis") == {"00058": "fcd"}
    assert values(found, "age_op") == {"00058": 90}, "any age is capped, not only the scan's"
    assert values(found, "split") == {"00058": "train"}


def test_missing_codes_give_no_row_and_zero_is_a_value(tmp_path):
    found = discover(tmp_path, "participant_id\tage\tsex\tBDI\nsub-01\tn/a\t\t0\nsub-02\t-9999\tn/a\tn/a\n")
    assert [(label.subject, label.label, label.number) for label in found.labels] == [("01", "bdi", 0.0)]


def test_ids_without_prefix_or_padding(tmp_path):
    # ds006557 writes HYPE01 for sub-HYPE01; ADHD-200 writes 10001 for sub-0010001.
    found = discover(tmp_path, "participant_id\tage\nHYPE01\t25\n10001\t9\n", ("HYPE01", "0010001"))
    assert values(found, "age") == {"HYPE01": 25, "0010001": 9}


def test_ages_in_months_and_coded_sex_are_told_by_the_dictionary(tmp_path):
    dictionary = {"age": {"Units": "months"}, "sex": {"Levels": {"1": "Male", "2": "Female"}}}
    found = discover(tmp_path, "participant_id\tage\tsex\nsub-01\t30\t2\n", **{"participants.json": dictionary})
    assert values(found, "age") == {"01": 2.5}
    assert values(found, "sex") == {"01": "female"}


def test_codes_that_nobody_explains_are_left_out_and_noted(tmp_path):
    found = discover(tmp_path, "participant_id\tage\tsex\nsub-01\t22-25\t2\n")
    assert found.labels == ()
    assert any("sex" in note and "'2'" in note for note in found.notes)
    assert any("age" in note and "'22-25'" in note for note in found.notes)


def test_contradictions_are_left_out_and_repeats_kept_once(tmp_path):
    table = "participant_id\tage\tsex\nsub-01\t20\tF\nsub-01\t30\tF\n"
    found = discover(tmp_path, table)
    assert values(found, "age") == {}
    assert [label.value for label in found.labels] == ["female"]
    assert any("age of 01" in note for note in found.notes)


def test_birth_dates_and_names_never_become_labels(tmp_path):
    found = discover(tmp_path, "participant_id\tbirthdate\tinitials\tsex\nsub-01\t1809-08-09\tAB\tF\n")
    assert {label.label for label in found.labels} == {"sex"}
    assert any("birthdate" in note for note in found.notes)


def test_sessions_have_their_own_ages(tmp_path):
    sessions = "session_id\tage\tacq_time\tweight\nses-1\t70.5\t1911-03-06T00:00:00\t80\nses-2\t91.2\tn/a\t79\n"
    found = discover(tmp_path, "participant_id\tsex\nsub-01\tM\n", **{"sub-01/sub-01_sessions.tsv": sessions})
    ages = {label.session: label for label in found.labels if label.label == "age"}
    assert ages["1"].number == 70.5
    assert ages["1"].when == Moment("1911-03-06", "date", "day")
    assert (ages["2"].number, ages["2"].when) == (90, None)


def test_diagnosis_is_a_name_even_when_coded(tmp_path):
    found = discover(tmp_path, "participant_id\tgroup\nsub-01\t1\nsub-02\t2\n")
    assert values(found, "diagnosis") == {"01": "1", "02": "2"}


def test_a_site_column_reaches_the_scans(tmp_path):
    found = discover(tmp_path, "participant_id\tsite\nsub-01\tOslo\n")
    assert found.scans[0].acquisition.site == "Oslo"
    assert values(found, "site") == {"01": "Oslo"}


def test_a_table_without_ids_is_noted(tmp_path):
    found = discover(tmp_path, "subject\tage\nsub-01\t20\n")
    assert found.labels == ()
    assert any("participant_id" in note for note in found.notes)
