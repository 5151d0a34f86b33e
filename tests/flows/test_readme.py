"""What README.md says of the datasets is what the registry says, and its example of an adapter works."""

import re
from pathlib import Path
from typing import Any

import pytest

from braindino.datasets import ADAPTERS, Adapter
from braindino.errors import DatasetError
from flows.coverage import DIMENSIONS
from flows.survey import GENERIC

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(ADAPTERS) - set(GENERIC)))
def test_the_table_of_datasets_is_that_of_the_registry(name: str) -> None:
    info = ADAPTERS[name].info
    assert f"| `{name}` | {info.title} | {info.licence} |" in README.splitlines()


def test_the_dimensions_of_coverage_are_all_named() -> None:
    section = README[README.index("### Coverage") : README.index("### A twenty-first")]
    assert all(f"`{dimension}`" in section for dimension in DIMENSIONS)


@pytest.fixture
def clinic() -> Adapter:
    """The adapter of the section on a twenty-first dataset, as it stands there."""
    (code,) = re.findall(r'```python\n("""Clinic: .*?)```', README, re.DOTALL)
    names: dict[str, Any] = {"__name__": "clinic"}
    exec(compile(code, "README.md", "exec"), names)
    adapter: Adapter = names["ClinicAdapter"]()
    return adapter


def test_the_example_adapter_reads(clinic: Adapter, tmp_path: Path) -> None:
    (tmp_path / "p1").mkdir()
    (tmp_path / "p1" / "t1.nii.gz").write_bytes(b"x")
    (tmp_path / "people.csv").write_text("person,age,sex\np1,93,F\np2,,M\n")
    found = clinic.discover(tmp_path, "mine")
    assert [(scan.subject, scan.contrast, scan.acquisition.field_strength) for scan in found.scans] == [
        ("p1", "T1w", 3.0)
    ]
    assert [(label.subject, label.label, label.value or label.number) for label in found.labels] == [
        ("p1", "age", 90.0),
        ("p1", "sex", "female"),
        ("p2", "sex", "male"),
    ]


def test_the_example_adapter_says_all_that_is_missing(clinic: Adapter, tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        clinic.discover(tmp_path, "mine")
    assert len(caught.value.problems) == 2
    assert all("clinic.zip" in problem for problem in caught.value.problems)
