import pytest

from braindino.datasets.required import Missing, find_column
from braindino.datasets.tables import read_delimited
from braindino.errors import DatasetError
from tests.datasets.helpers import write

GET = "get it with a download"


def test_everything_missing_is_one_error(tmp_path):
    write(tmp_path, {"empty.csv": "", "header.csv": "id,age\n", "table.csv": "id,age\n1,2\n"})
    missing = Missing()
    missing.say("There are no images.")
    missing.file(tmp_path / "readme.pdf", GET)
    assert missing.table(tmp_path / "none.csv", ",", GET) is None
    assert missing.table(tmp_path / "empty.csv", ",", GET) is None
    assert missing.table(tmp_path / "header.csv", ",", GET) is not None
    table = missing.table(tmp_path / "table.csv", ",", GET)
    assert table is not None
    assert missing.column(table, ("sex", "gender"), GET) == "sex"
    with pytest.raises(DatasetError) as caught:
        missing.raise_if_any("mine")
    text = "\n".join(caught.value.problems)
    for what in ("no images", "readme.pdf is missing", "none.csv is missing", "empty.csv is empty", "no row"):
        assert what in text
    assert "no column 'sex' (nor 'gender'); it has id, age" in text
    assert text.count(GET) == 5


def test_nothing_missing_is_no_error_and_a_column_is_found_in_any_case(tmp_path):
    table = read_delimited(write(tmp_path, {"t.csv": "ID,Age_At_Scan\n1,2\n"}) / "t.csv", ",")
    missing = Missing()
    assert missing.column(table, ("age", "AGE_AT_SCAN"), GET) == "Age_At_Scan"
    missing.raise_if_any("mine")
    assert find_column(table, ("sex",)) is None


def test_a_sentence_is_said_once():
    missing = Missing(["Twice.", "Twice."])
    assert missing.error("mine").problems == ("Twice.",)
