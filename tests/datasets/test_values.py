import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from braindino.datasets.values import (
    OLDEST,
    all_numbers,
    is_age_column,
    is_missing,
    is_plausible,
    is_private,
    nearest,
    parse_age,
    parse_handedness,
    parse_number,
    parse_sex,
    shown,
)


@pytest.mark.parametrize("code", ["", "n/a", "N/A", "NA", "NaN", " ", "-9999", "-999", "`", "Not Available", "unknown"])
def test_missing_codes_of_public_tables(code):
    assert is_missing(code)


@pytest.mark.parametrize("said", ["0", "0.0", "no", "absent", "none of the above", "-1", "control"])
def test_statements_are_not_missing_and_zero_least_of_all(said):
    assert not is_missing(said)


@pytest.mark.parametrize(("text", "years"), [("26", 26), ("4.774811773", 4.774811773), ("0", 0), ("89", 89)])
def test_ages_are_kept(text, years):
    assert parse_age(text) == years


@pytest.mark.parametrize("text", ["89.1", "90", "96", "89+", "90+", ">89", "> 89"])
def test_ages_over_89_are_capped(text):
    assert parse_age(text) == OLDEST


@pytest.mark.parametrize("text", ["-4", "999", "22-25", "forty", "inf", "nan", "7,5"])
def test_what_is_no_age(text):
    assert parse_age(text) is None


@given(st.floats(min_value=0, max_value=130))
def test_no_age_above_90_is_ever_told(years):
    age = parse_age(repr(years))
    assert age is not None
    assert age <= OLDEST
    assert age == years or years > 89


@given(st.text(max_size=20))
def test_any_cell_is_a_finite_number_or_none(text):
    number = parse_number(text)
    assert number is None or math.isfinite(number)
    assert parse_age(text) is None or 0 <= parse_age(text) <= OLDEST


@pytest.mark.parametrize(("text", "sex"), [("M", "male"), ("f", "female"), ("Female", "female"), ("male ", "male")])
def test_sex(text, sex):
    assert parse_sex(text) == sex


@pytest.mark.parametrize("code", ["1", "2", "0", "x", ""])
def test_a_number_is_no_sex_because_tables_disagree_on_it(code):
    assert parse_sex(code) is None


@pytest.mark.parametrize("column", [
    "birthdate", "DOB", "Date of Birth", "patient_name", "Initials", "Email", "scan_dob", "DOB_scan", "dob1", "name",
    "Name", "given_name", "family_name", "middle_name", "maiden name", "participant_name", "SubjectName", "first.name",
    "LASTNAME", "name_of_patient", "MRN", "patient_ssn", "postcode", "zip", "ZIP_code", "postal_code", "tel", "phone2",
    "PhoneNumber", "mobile", "e-mail", "home_address", "Geburtsdatum", "birthplace", "BirthYear", "Nachname",
])  # fmt: skip
def test_columns_that_identify_people(column):
    assert is_private(column)


@pytest.mark.parametrize(
    "column",
    [
        "age",
        "ToM Booklet-Matched",
        "filename",
        "ScannerSerialNumber",
        "site",
        "run_name",
        "site_name",
        "scanner_name",
        "ManufacturersModelName",
        "MEDICATION_NAME",
        "Family_ID",
        "headphones",
        "subject_id",
        "patient_group",
        "telomere",
    ],
)
def test_columns_that_do_not(column):
    assert not is_private(column)


def test_columns_of_ages():
    assert all(is_age_column(name) for name in ("age", "age_op", "AgeMRI_W1", "AGE_AT_SCAN", "age_epilepsyonset"))
    assert not any(is_age_column(name) for name in ("language", "stage", "percentage", "ageing"))


def test_a_column_is_numeric_when_all_that_is_said_is_a_number():
    assert all_numbers(["3", "n/a", "0.5"])
    assert not all_numbers(["3", "F32.0"])
    assert not all_numbers(["n/a", ""])


def test_nearest_word():
    assert nearest("Skull_striped", ["subject", "skull_stripped"]) == "skull_stripped"
    assert nearest("zzz", ["subject"]) is None


def test_handedness_in_words_and_never_from_scores():
    cells = ("R", "left", "Ambi", "Mixed", "L->R", "0.67", "1")
    assert [parse_handedness(cell) for cell in cells] == [
        "right", "left", "ambidextrous", "ambidextrous", None, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize("cell", ["1_0", "0x10", "٣٤", "1 0", "infinity", "1" * 400, "1e", "--1"])
def test_what_python_or_other_scripts_call_a_number_is_none(cell):
    assert parse_number(cell) is None


@pytest.mark.parametrize(
    ("what", "good", "bad"),
    [
        ("mmse", (0, 30), (-1, 31, 290)),
        ("cdr", (0, 0.5, 3), (0.7, 4, -1)),
        ("education_years", (0, 40), (-4, 41)),
        ("who_grade", (1, 4), (0, 2.5, 5)),
        ("survival_days", (0, 39_999), (-1, 40_000)),
        ("days_since_stroke", (1, 39_999), (0, 40_000)),
        ("field_strength", (0.064, 11.7), (0, 25, -3)),
        ("slice_thickness", (0.5, 50), (0, 51)),
        ("height_cm", (-1e9, 1e9), ()),
    ],
)
def test_what_a_number_can_be(what, good, bad):
    assert all(is_plausible(what, number) for number in good)
    assert not any(is_plausible(what, number) for number in bad)


CODES = ["-5", "0.67", "X", "L->R", "22-25", "1e9", "9", "Indeterminate", "NOS/NEC", "relative co-deletion"]


@pytest.mark.parametrize("cell", [*CODES, "Anaplastic hemangiopericytoma, III"])
def test_short_codes_and_words_that_are_no_names_are_shown(cell):
    assert shown(cell, "0050002") == f"{cell!r} (0050002)"


NAMES = ["John", "John Smith 1950-01-01", "Other John", "Other 19500101", "not tested 1.1.1950"]


@pytest.mark.parametrize("cell", [*NAMES, "1950-01-01", "1.1.1950", "19500101", "1" * 13])
def test_what_may_be_a_name_or_a_date_is_not(cell):
    assert shown(cell, "0050002") == "0050002"
