from dataclasses import replace

from braindino.datasets.base import Label
from braindino.datasets.label_columns import (
    LabelColumn,
    age_column,
    coded,
    fill_in,
    handedness_column,
    read_labels,
    sex_column,
)
from braindino.datasets.tables import read_delimited
from braindino.datasets.values import parse_number
from tests.datasets.helpers import write


def table(root, text):
    return read_delimited(write(root, {"t.csv": text}) / "t.csv", ",")


def who(row):
    return row.cells["id"] or None


def test_cells_become_labels_and_missing_codes_give_none(tmp_path):
    source = table(tmp_path, "id,Age,SEX,hand\n1,30.5,2,R\n2,-9999,1,0.67\n3,95,9,n/a\n")
    columns = (age_column("age"), sex_column("sex", codes={"1": "male", "2": "female"}), handedness_column("hand"))
    labels, notes = read_labels(source, "mine", who, columns)
    assert labels == [
        Label("mine", "1", "age", number=30.5, unit="years"),
        Label("mine", "1", "sex", value="female"),
        Label("mine", "1", "handedness", value="right"),
        Label("mine", "2", "sex", value="male"),
        Label("mine", "3", "age", number=90.0, unit="years"),
    ]
    assert notes == ["t.csv: hand says nothing known in '0.67' (2).", "t.csv: SEX says nothing known in '9' (3)."]


def test_codes_are_numbers_however_written_and_words_in_any_case():
    read = coded({"1": "autism", "Typically Developing": "control"})
    assert [read(cell) for cell in ("1", "1.0", " typically developing ", "2")] == ["autism", "autism", "control", None]


def test_a_cell_that_is_silent_in_one_column_alone(tmp_path):
    subtype = LabelColumn("diagnosis_subtype", ("dsm",), coded({"1": "autism"}), silent=frozenset({"0"}))
    assert read_labels(table(tmp_path, "id,dsm\n1,0\n"), "mine", who, (subtype,)) == ([], [])


def test_sessions_of_columns_and_of_rows(tmp_path):
    source = table(tmp_path, "id,ses,age,mmse_2\n1,a,30,29\n")
    columns = (
        replace(age_column("age"), of_row_session=True),
        LabelColumn("mmse", ("mmse_2",), float, session="wave2"),
    )
    labels, _ = read_labels(source, "mine", who, columns, lambda row: row.cells["ses"])
    assert [(label.label, label.session) for label in labels] == [("age", "a"), ("mmse", "wave2")]


def test_rows_of_nobody_are_noted(tmp_path):
    labels, notes = read_labels(table(tmp_path, "id,age\n,30\n1,31\n"), "mine", who, (age_column("age"),))
    assert [label.subject for label in labels] == ["1"]
    assert notes == ["t.csv: rows without a subject id, lines 2."]


def test_less_trusted_labels_fill_only_gaps():
    sure = [Label("mine", "1", "age", number=30.0, unit="years")]
    others = [Label("mine", "1", "age", number=31.0, unit="years"), Label("mine", "1", "sex", value="male")]
    assert fill_in(sure, others) == [*sure, others[1]]


def test_numbers_out_of_range_give_no_label_and_name_whose_they_are(tmp_path):
    source = table(tmp_path, "id,mmse,dob\n1,290,x\n2,29,x\n3,John,x\n")
    labels, notes = read_labels(source, "mine", who, (LabelColumn("mmse", ("mmse",), parse_number),))
    assert [(label.subject, label.number) for label in labels] == [("2", 29)]
    assert notes == ["t.csv: mmse says nothing known in '290' (1), 3."]
