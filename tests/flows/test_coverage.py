"""`braindino coverage`, as rows and as a stranger types it."""

import csv
import json
from pathlib import Path

import pytest

import warehouse
from braindino import imaging
from braindino.errors import ConfigError
from flows.coverage import DIMENSIONS, at_a_glance, coverage
from tests.flows.test_cli import braindino

RECIPE = imaging.get_recipe("isotropic_2mm").recipe_id


def scan(scan_id: str, dataset: str = "d", status: str = "stored") -> dict[str, object]:
    return {
        "scan_id": scan_id, "recipe_id": RECIPE, "dataset": dataset, "subject": scan_id, "status": status,
        "contrast": "T1w", "vendor": "GE", "synthetic": True,
    }  # fmt: skip


@pytest.fixture
def covered(home: Path) -> Path:
    """A home of two datasets, one scan of the first refused."""
    store = warehouse.open(home)
    store.append("recipes", [{"recipe_id": RECIPE, "name": "isotropic_2mm"}], "test")
    store.append("scans", [scan("a"), scan("b", status="refused"), scan("c", "e")], "test")
    return home


def test_all_dimensions_of_the_mart_can_be_asked_for(covered: Path) -> None:
    found = warehouse.open(covered).query("select distinct dimension from coverage").column(0).to_pylist()
    assert sorted(found) == sorted(DIMENSIONS)


def test_without_a_dimension_all_are_shown_over_all_datasets(covered: Path) -> None:
    columns, rows = coverage(covered, [], "isotropic_2mm")
    assert "dataset" not in columns
    assert [row["dimension"] for row in rows] == list(DIMENSIONS), "one stratum each, in the order they are told in"
    assert {row["n_scans"] for row in rows} == {3}


def test_a_dimension_is_shown_for_all_and_for_every_dataset(covered: Path) -> None:
    _, rows = coverage(covered, ["vendor"], "isotropic_2mm")
    shown = [(row["dataset"], row["stratum"], row["n_scans"], row["refused_share"]) for row in rows]
    assert shown == [("all", "GE", 3, pytest.approx(1 / 3)), ("d", "GE", 2, 0.5), ("e", "GE", 1, 0.0)]


def test_by_dataset_is_one_row_each(covered: Path) -> None:
    columns, rows = coverage(covered, ["dataset"], "isotropic_2mm")
    assert set(columns) == set(rows[0])
    assert [(row["dataset"], row["n_people"], row["vendors"]) for row in rows] == [
        ("all", 2, "GE (2)"), ("d", 1, "GE (1)"), ("e", 1, "GE (1)"),
    ]  # fmt: skip


@pytest.mark.parametrize("by", [["dataset"], [], ["vendor"]])
def test_a_table_fits_across_a_terminal_of_80_characters(covered: Path, by: list[str]) -> None:
    columns, rows = at_a_glance(*coverage(covered, by, "isotropic_2mm"))
    widths = [max(len(str(cell)) for cell in (column, *(row[column] for row in rows))) for column in columns]
    assert sum(widths) + 2 * (len(columns) - 1) <= 80


def test_a_table_says_how_many_and_in_per_cent_how_many_of_them(covered: Path) -> None:
    columns, rows = at_a_glance(*coverage(covered, ["vendor"], "isotropic_2mm"))
    assert columns == ("dataset", "dimension", "stratum", "people", "scans", "stored", "refused", "synthetic")
    assert tuple(rows[0].values()) == ("all", "vendor", "GE", 3, "3 (100%)", 2, "1 (33%)", True)
    columns, rows = at_a_glance(*coverage(covered, ["dataset"], "isotropic_2mm"))
    assert rows[1] == {
        "dataset": "d", "people": 1, "stored": 1, "refused": "1 (50%)", "female": None, "age": None, "no age": "100%",
        "synthetic": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("by", "recipe", "sentence"),
    [
        (["vender"], "isotropic_2mm", "no coverage by 'vender'; choose from dataset, contrast, vendor"),
        (["dataset", "sex"], "isotropic_2mm", "a table of its own"),
        (["sex"], "isotropic", r"--recipe isotropic_2mm \(2 scans\)"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_sentence(covered: Path, by: list[str], recipe: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        coverage(covered, by, recipe)


def test_the_command_prints_csv_and_json(covered: Path) -> None:
    arguments = ("coverage", "--by", "sex", "--recipe", "isotropic_2mm", "--format")
    lines = list(csv.DictReader(braindino(*arguments, "csv", home=covered).stdout.splitlines()))
    rows = json.loads(braindino(*arguments, "json", home=covered).stdout)
    shown = [("all", "unknown"), ("d", "unknown"), ("e", "unknown")]
    assert [(row["dataset"], row["stratum"]) for row in rows] == shown
    assert [(line["dataset"], line["stratum"]) for line in lines] == shown
