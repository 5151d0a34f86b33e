"""The command line as a stranger meets it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import warehouse

BRAINDINO = Path(sys.executable).parent / "braindino"


def braindino(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BRAINDINO_HOME": str(home), "NO_COLOR": "1"}
    return subprocess.run([BRAINDINO, *arguments], capture_output=True, text=True, env=environment, timeout=120)


@pytest.fixture
def empty_home(home: Path) -> Path:
    """A home that was made and holds nothing yet."""
    return warehouse.open(home).home.root


def test_trainings_are_listed_with_their_last_figures(empty_home: Path) -> None:
    store = warehouse.open(empty_home)
    row = {"recipe_id": "r", "snapshot_id": "s0001", "synthetic": True, "n_subjects": 2, "n_scans": 3, "n_slices": 9}
    row |= {"configuration": "{}", "pretraining_version": 1}
    store.append("trainings", [{**row, "training_id": name, "status": "started"} for name in ("a", "b")], "job")
    figures = [(10, 8.0), (20, 7.5)]
    at = {"training_id": "b", "images_seen": 0, "metric": "loss"}
    store.append("training_metrics", [{**at, "step": step, "value": value} for step, value in figures], "job")
    rows = json.loads(braindino("trainings", "--format", "json", home=empty_home).stdout)
    assert {row["training_id"]: row["loss"] for row in rows} == {"a": None, "b": 7.5}


def test_sql_answers_on_an_empty_home(empty_home: Path) -> None:
    answer = braindino("sql", "select 1 as one", "--format", "csv", home=empty_home)
    assert (answer.returncode, answer.stdout) == (0, "one\n1\n")


def test_sql_starts_neither_prefect_nor_torch(empty_home: Path) -> None:
    code = (
        "import sys; from flows.cli import app\n"
        f"try: app(['sql', 'select 1', '--home', {str(empty_home)!r}])\n"
        "except SystemExit: pass\n"
        "heavy = {'prefect', 'torch', 'timm', 'nibabel', 'SimpleITK', 'pandas', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_sql_gives_json(empty_home: Path) -> None:
    answer = braindino("sql", "select 1 as one, null as nothing", "--format", "json", home=empty_home)
    assert json.loads(answer.stdout) == [{"one": 1, "nothing": None}]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sql", "drop view scans"], "SELECT"),
        (["sql", "select * from scanz"], "scanz"),
        (["sql", "select 1", "--snapshot", "s9999"], "s9999"),
        (["ingest", "bidz", "."], "bids"),
        (["ingest", "bids", "/nowhere/at/all"], "/nowhere/at/all"),
        (["ingest", "bids", ".", "--recipe", "isotropik"], "isotropic"),
        (["pretrain", "--set", "run.imagez=3"], "images"),
        (["pretrain"], "ingest"),
        (["embed"], "braindino ingest"),
        (["fit"], "braindino ingest"),
        (["fit", "--task", "agee"], "age"),
    ],
)
def test_mistakes_get_one_sentence_that_helps(arguments: list[str], sentence: str, empty_home: Path) -> None:
    answer = braindino(*arguments, home=empty_home)
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1].startswith("error: ") or answer.stderr.count("error: ") == 1
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["sql", "select 1"], ["status"], ["results"], ["coverage"], ["leaks"],
        ["holdout"], ["pretrain"], ["embed"], ["fit"],
    ],
)  # fmt: skip
def test_where_no_home_is_a_verb_that_needs_one_says_so_and_makes_none(arguments: list[str], home: Path) -> None:
    answer = braindino(*arguments, home=home)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.count("error: ") == 1
    assert f"There is no home at {home}: `braindino ingest DATASET ROOT` makes one." in answer.stderr
    assert not home.exists()


def test_datasets_lists_what_can_be_ingested_without_a_home(home: Path) -> None:
    answer = braindino("datasets", "--format", "csv", home=home)
    assert answer.returncode == 0
    assert {"bids", "manifest", "ixi"} <= {line.split(",")[1] for line in answer.stdout.splitlines()[1:]}
    assert f"no home at {home} yet" in answer.stderr
    assert not home.exists()


@pytest.mark.parametrize("beside", [["--recipe", "isotropic"], ["--dry-run"], ["--name", "x"], ["ixi"]])
def test_all_datasets_are_read_as_the_home_remembers_them(beside: list[str], home: Path) -> None:
    answer = braindino("ingest", "--all", *beside, home=home)
    assert answer.returncode == 2
    assert "--all" in answer.stderr


def test_status_of_an_empty_home_is_all_zero(empty_home: Path) -> None:
    answer = braindino("status", "--format", "json", home=empty_home)
    assert all(row["n"] == 0 for row in json.loads(answer.stdout))
