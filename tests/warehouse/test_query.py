"""SELECT and nothing else: the store is read in SQL and written by the flows."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

import warehouse
from tests.warehouse.conftest import scan

WRITES = [
    "copy (select 1) to '{home}/warehouse/x.csv'",
    "copy scans to '{file}'",
    "with x as (copy (select 1) to '{file}') select 1",
    "with x as (copy (select 1) to '{home}/warehouse/scans/new.parquet') select 1",
    "with x as (insert into events.scans select * from events.scans returning *) select * from x",
    "with y as (with x as (copy (select 1) to '{file}') select 1) select * from y",
    "select * from query('with x as (copy (select 1) to ''{file}'') select 1')",
    "export database '{home}/out'",
    "attach '{home}/x.duckdb'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "reset lock_configuration",
    "pragma database_list",
    "pragma threads = 1",
    "create table t as select 1",
    "create view v as select 1",
    "insert into events.scans select 1",
    "update events.scans set subject = 'x'",
    "drop view scans",
    "delete from scans",
    "call pragma_version()",
    "explain analyze select 1",
    "begin",
    "prepare p as select 1",
    "use staging",
    "select 1; select 2",
    "select 1; copy (select 1) to '{file}'",
    "",
    "-- only a comment",
    "selec 1",
    "from query('attach ''{home}/x.duckdb''')",
]
REACHES = [
    "select * from read_text('/etc/passwd')",
    "select * from read_csv('/etc/passwd')",
    "select * from read_blob('{home}/braindino-home.json')",
    "select * from read_text('{home}/warehouse/scans/_delta_log/00000000000000000000.json')",
    "select * from read_text('{home}/warehouse/../../outside.csv')",
    "select * from '{outside}'",
    "select * from glob('/etc/*')",
    "select * from sniff_csv('{outside}')",
    "select * from read_csv('https://example.org/x.csv')",
    "select * from outside",
    "select getenv('HOME')",
]


@dataclass(frozen=True)
class Site:
    """A home with one row, and a file beside it that no query may read."""

    root: Path
    store: warehouse.Warehouse
    file: Path
    outside: Path

    def contents(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    root = tmp_path_factory.mktemp("site")
    store = warehouse.open(root / "home")
    store.append("scans", [scan("a")], "job")
    (file,) = (store.home.warehouse / "scans").glob("*.parquet")
    (root / "outside.csv").write_text("secret\n1\n")
    return Site(root, store, file, root / "outside.csv")


@pytest.mark.parametrize("attack", WRITES + REACHES)
def test_everything_but_one_select_on_the_views_is_refused(site: Site, attack: str) -> None:
    before = site.contents()
    with pytest.raises(warehouse.QueryRefused) as refused:
        site.store.query(attack.format(home=site.store.home.root, outside=site.outside, file=site.file))
    assert "secret" not in str(refused.value)
    assert site.contents() == before


@pytest.mark.parametrize(
    "query",
    [
        "select count(*) as n from scans;",
        "from scans select count(*) as n",
        "with one as (select * from scans) select count(*) as n from one",
        "with recursive c as (select 1 as n union all select n + 1 from c where n < 1) select n from c",
        "select 1 as n union all select 2 where false",
        "select count(*) as n from (pivot scans on contrast in ('T1w') using count(*))",
        "select ?::int as n -- copy (select 1) to 'x'",
        "values (1)",
    ],
)
def test_any_form_of_select_is_answered(site: Site, query: str) -> None:
    assert site.store.query(query, [1] if "?" in query else None).column(0).to_pylist() == [1]


@pytest.mark.parametrize("query", ["describe scans", "summarize scans", "show tables"])
def test_what_there_is_can_be_asked(site: Site, query: str) -> None:
    assert site.store.query(query).num_rows > 10


def test_a_refusal_says_what_was_given(store: warehouse.Warehouse) -> None:
    for query, words in {
        "drop view scans": "one SELECT statement; this is DROP",
        "select 1; select 2": "this is SELECT, SELECT",
        "": "this is nothing",
        "with x as (copy (select 1) to 'y') select 1": "this has COPY inside",
        "selec 1": 'cannot be read: Parser Error: syntax error at or near "selec"',
        "select colour from scans": 'The query failed: Binder Error: Referenced column "colour" not found',
    }.items():
        with pytest.raises(warehouse.QueryRefused, match=words) as refused:
            store.query(query)
        assert "\n" not in str(refused.value)


def test_a_raw_connection_is_locked_too(store: warehouse.Warehouse, tmp_path: Path) -> None:
    store.append("scans", [scan("a")], "job")
    with store.connect() as opened:
        for attack in (
            "set enable_external_access = true",
            f"copy (select 1) to '{tmp_path}/never.csv'",
            f"copy (select 1) to '{store.home.warehouse}/never.csv'",
            "select * from read_text('/etc/passwd')",
            f"attach '{tmp_path}/x.duckdb'",
        ):
            with pytest.raises(duckdb.Error):
                opened.execute(attack)


def test_committed_files_are_read_only(store: warehouse.Warehouse) -> None:
    store.append("scans", [scan("a")], "job")
    (file,) = (store.home.warehouse / "scans").glob("*.parquet")
    assert file.stat().st_mode & 0o222 == 0


def test_parameters_are_values_not_text(store: warehouse.Warehouse) -> None:
    odd = "a'; drop view scans --"
    store.append("scans", [scan(odd), scan("b")], "job")
    assert store.query("select scan_id from scans where scan_id = ?", [odd]).to_pylist() == [{"scan_id": odd}]
    found = store.query("select count(*) as n from scans where list_contains(?, scan_id) and ? is null", [[odd], None])
    assert found.to_pylist() == [{"n": 1}]


def test_times_are_in_utc(store: warehouse.Warehouse) -> None:
    store.append("scans", [scan("a")], "job")
    (row,) = store.query("select recorded_at from scans").to_pylist()
    assert row["recorded_at"].utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - row["recorded_at"]) < timedelta(hours=1)


def test_importing_and_asking_brings_nothing_heavy(tmp_path: Path) -> None:
    code = (
        f"import sys, warehouse; warehouse.open({str(tmp_path)!r}).query('select * from scans')\n"
        "heavy = {'pandas', 'torch', 'prefect', 'sklearn', 'scipy', 'braindino'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    checkout = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=checkout).returncode == 0
