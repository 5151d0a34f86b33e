"""The command line as a stranger meets it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BRAINDINO = Path(sys.executable).parent / "braindino"


def braindino(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BRAINDINO_HOME": str(home), "NO_COLOR": "1"}
    return subprocess.run([BRAINDINO, *arguments], capture_output=True, text=True, env=environment, timeout=120)


def test_sql_answers_on_an_empty_home(home: Path) -> None:
    answer = braindino("sql", "select 1 as one", "--format", "csv", home=home)
    assert (answer.returncode, answer.stdout) == (0, "one\n1\n")


def test_sql_starts_neither_prefect_nor_torch(home: Path) -> None:
    code = (
        "import sys; from flows.cli import app\n"
        f"try: app(['sql', 'select 1', '--home', {str(home)!r}])\n"
        "except SystemExit: pass\n"
        "heavy = {'prefect', 'torch', 'timm', 'nibabel', 'SimpleITK', 'pandas', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_sql_gives_json(home: Path) -> None:
    answer = braindino("sql", "select 1 as one, null as nothing", "--format", "json", home=home)
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
def test_mistakes_get_one_sentence_that_helps(arguments: list[str], sentence: str, home: Path) -> None:
    answer = braindino(*arguments, home=home)
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1].startswith("error: ") or answer.stderr.count("error: ") == 1
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr


def test_datasets_lists_what_can_be_ingested(home: Path) -> None:
    answer = braindino("datasets", "--format", "csv", home=home)
    assert answer.returncode == 0
    assert {"bids", "manifest", "ixi"} <= {line.split(",")[1] for line in answer.stdout.splitlines()[1:]}


def test_status_of_an_empty_home_is_all_zero(home: Path) -> None:
    answer = braindino("status", "--format", "json", home=home)
    assert all(row["n"] == 0 for row in json.loads(answer.stdout))
