"""The SQL files: documented, in order, in step with the schemas, found wherever they are installed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import warehouse
from tests.warehouse.conftest import Ask, scan
from warehouse import views
from warehouse.schemas import TABLES

# These describe the store itself, so they have rows in an empty one.
ABOUT = {"main.tables", "main.columns", "staging.strata_bins", "staging.diagnosis_words"}
PROMISED = [
    "scans",
    "refusals",
    "slices",
    "labels",
    "subjects",
    "coverage",
    "coverage_table",
    "datasets",
    "recipes",
    "encoders",
    "embeddings",
    "holdouts",
    "trainings",
    "training_metrics",
    "labelled_scans",
    "fits",
    "predictions",
    "metrics",
    "results",
    "stale_fits",
    "leaks",
    "lesions",
    "scan_copies",
    "lineage",
    "overrules",
    "tables",
    "columns",
]


def test_the_promised_marts_are_there() -> None:
    assert sorted(view.name for view in views.views() if view.schema == "main") == sorted(PROMISED)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> warehouse.Warehouse:
    return warehouse.open(tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> warehouse.Warehouse:
    store = warehouse.open(tmp_path_factory.mktemp("begun"))
    store.append("scans", [scan("a")], "job")
    return store


@pytest.mark.parametrize("view", [view.full_name for view in views.views()])
def test_every_view_answers_on_an_empty_home(empty: warehouse.Warehouse, view: str) -> None:
    assert (empty.query(f"select * from {view}").num_rows == 0) == (view not in ABOUT)


@pytest.mark.parametrize("name", sorted(views.queries()))
def test_every_ready_question_is_a_question_and_runs(
    empty: warehouse.Warehouse, begun: warehouse.Warehouse, name: str
) -> None:
    text = views.queries()[name]
    assert text.startswith("-- ")
    assert text.splitlines()[0].endswith("?")
    assert empty.query(text).num_rows == 0
    begun.query(text)


def test_there_are_ready_questions() -> None:
    assert len(views.queries()) >= 8


@pytest.mark.parametrize("view", views.views(), ids=lambda view: view.full_name)
def test_every_view_begins_by_saying_what_one_row_is(view: views.View) -> None:
    assert view.description.startswith("One row per ")


@pytest.mark.parametrize("table", TABLES)
def test_staging_takes_the_latest_event_of_the_schemas_key(table: str) -> None:
    text = (views.SQL / "staging" / f"stg_{table}.sql").read_text()
    (keys,) = re.findall(r"partition by (.*)", text)
    assert tuple(key.strip(' "') for key in keys.split(",")) == TABLES[table].key
    assert f"from events.{table} " in text


def test_views_come_after_their_sources() -> None:
    seen: set[str] = set()
    names = {view.full_name for view in views.views()}
    for view in views.views():
        assert view.sources & names <= seen, view.full_name
        seen.add(view.full_name)


def test_views_in_a_circle_are_named() -> None:
    a = views.View("main", "a", "select * from b", "")
    b = views.View("main", "b", "select * -- from c\nfrom main.a", "")
    with pytest.raises(warehouse.WarehouseError, match="in a circle"):
        views.in_order([a, b])
    assert views.in_order([a, views.View("main", "b", "select 1", "")])[-1] is a


def test_every_column_of_every_mart_is_described(ask: Ask) -> None:
    assert ask('select "table", "column" from columns where description is null') == []
    assert ask("select about, n_columns, columns from tables where \"table\" = 'holdouts'") == [
        {
            "about": "One row per task and name of a person frozen for its test; with a person all of its names and "
            "relatives are frozen. The people of a dataset kept for external testing stand under the task "
            "`external:<dataset>`.",
            "n_columns": 5,
            "columns": "task, dataset, subject, subject_uid, split_group",
        }
    ]
    assert ask("select type, description from columns where \"table\" = 'embeddings' and \"column\" = 'embedding'") == [
        {"type": "FLOAT[]", "description": "the vector"}
    ]


def test_the_sql_is_found_beside_the_package_wherever_it_is_installed(tmp_path: Path) -> None:
    """As in site-packages: the folders of the wheel side by side, run from elsewhere."""
    site = tmp_path / "site-packages"
    for folder in ("warehouse", "sql"):
        shutil.copytree(views.SQL.parent / folder, site / folder)
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "import warehouse; from warehouse import views\n"
        f"assert str(views.SQL) == {str(site / 'sql')!r}, views.SQL\n"
        "assert warehouse.open('home').query('from scans').num_rows == 0"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert subprocess.run([sys.executable, "-c", code], cwd=elsewhere).returncode == 0
