"""The limits of a brain's volume are those of the person's age, where the source states it."""

import shutil
from pathlib import Path

import pytest

import warehouse
from braindino.datasets import Label
from flows.ingest import ingest
from flows.ingest_plan import ages_of
from tests.flows.test_overrule import write_small


def age(subject: str, years: float, session: str | None = None) -> Label:
    return Label("d", subject, "age", number=years, unit="years", session=session)


def test_ages_are_those_of_the_session_and_of_the_subject() -> None:
    found = ages_of([age("1", 40.0), age("1", 45.0, "2"), Label("d", "1", "sex", value="F")])
    assert found == {("d", "1", ""): 40.0, ("d", "1", "2"): 45.0}


def test_of_two_ages_of_one_session_neither_is_believed() -> None:
    assert ages_of([age("1", 40.0), age("1", 70.0), age("1", 40.0)]) == {("d", "1", ""): None}


@pytest.mark.parametrize(("years", "status"), [("0.1", "stored"), ("30", "refused"), ("", "refused")])
def test_a_small_brain_is_whole_in_a_newborn(
    bids_root: Path, tmp_path: Path, home: Path, years: str, status: str
) -> None:
    shutil.copytree(sorted(bids_root.glob("sub-*"))[0], tmp_path / "sub-1")
    image = write_small(tmp_path, 0.62)
    (tmp_path / "clinic.csv").write_text(f"subject,image,age\nsmall,{image},{years}\n")
    ingest("manifest", str(tmp_path / "clinic.csv"), None, "isotropic_2mm", str(home), 1)
    (row,) = warehouse.open(home).query("select status, reason from scans").to_pylist()
    assert row["status"] == status
    assert row["reason"] in (None, "brain_too_small")
