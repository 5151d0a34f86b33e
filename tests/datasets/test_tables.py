import pytest

from braindino.datasets.tables import read_delimited
from braindino.errors import DatasetError


def test_crlf_bom_blank_lines_and_spaces(tmp_path):
    path = tmp_path / "participants.tsv"
    path.write_bytes(b"\xef\xbb\xbfparticipant_id\tage \r\n\r\nsub-01\t 26\r\n\r\n")
    table = read_delimited(path, "\t")
    assert table.columns == ("participant_id", "age")
    assert [row.cells for row in table.rows] == [{"participant_id": "sub-01", "age": "26"}]
    assert table.rows[0].line == 3
    assert table.notes == ()


def test_latin_1_is_read_and_noted(tmp_path):
    path = tmp_path / "adhd.tsv"
    path.write_bytes("participant_id\tmed_status\n10001\tMedication Na\u00efve\n".encode("latin-1"))
    table = read_delimited(path, "\t")
    assert table.rows[0].cells["med_status"] == "Medication Na\u00efve"
    assert "Latin-1" in table.notes[0]


def test_quotes_mean_something_in_a_csv_only(tmp_path):
    tsv, csv = tmp_path / "t.tsv", tmp_path / "t.csv"
    tsv.write_text('id\tnote\n1\t"open\n')
    csv.write_text('ID,diagnosis\n1,"Astrocytoma, IDH-mutant"\n')
    assert read_delimited(tsv, "\t").column("note") == ['"open']
    assert read_delimited(csv, ",").column("diagnosis") == ["Astrocytoma, IDH-mutant"]


def test_rows_of_another_length_are_noted_with_their_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1\n2,3,4\n5,6\n")
    table = read_delimited(path, ",")
    assert table.column("a") == ["1", "2", "5"]
    assert table.column("b") == ["", "3", "6"]
    assert len(table.notes) == 2
    assert "line 2" in table.notes[0]


def test_unreadable_empty_and_ambiguous_tables_say_so(tmp_path):
    (tmp_path / "empty.csv").write_text("\n\n")
    (tmp_path / "twice.csv").write_text("age,age\n1,2\n")
    for name, says in (("missing.csv", "cannot be read"), ("empty.csv", "header"), ("twice.csv", "twice")):
        with pytest.raises(DatasetError, match=says):
            read_delimited(tmp_path / name, ",")
