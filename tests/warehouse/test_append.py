"""Writing: whole batches or nothing, with the rows named."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import warehouse
from tests.warehouse.conftest import Ask, Row, embedding, label, scan
from warehouse import commits
from warehouse.schemas import TABLES

NAN, INF = float("nan"), float("inf")
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("table", "rows", "words"),
    [
        (
            "scans",
            [{**scan("a"), "contrats": "T1w"}],
            r"rows\[0\] has an unknown column contrats; did you mean contrast",
        ),
        ("scans", [{**scan("a"), "zzz": 1}], "unknown column zzz; known are scan_id"),
        ("scans", [{**scan("a"), "job_id": "x"}], "job_id, which is added at the write"),
        (
            "scans",
            [scan("a"), {**scan("b"), "scan_id": None}],
            r"rows\[1\] \(recipe_id=r, scan_id=None\) lacks .* scan_id",
        ),
        ("scans", [{"recipe_id": "r"}], "lacks its key column scan_id"),
        ("labels", [{**label("1", "age"), "session": None}], "lacks its key column session"),
        (
            "scans",
            [scan("a"), scan("b"), scan("a")],
            r"rows\[2\] \(recipe_id=r, scan_id=a\) has the same key as rows\[0\]",
        ),
        (
            "scans",
            [scan("a"), scan("b", brain_ml="much")],
            r"rows\[1\] \(.*scan_id=b\) has brain_ml='much', .* double",
        ),
        ("scans", [scan("a", n_slices=3.5)], "n_slices=3.5, which does not fit int64"),
        (
            "embeddings",
            [embedding("a", [1, 2]), embedding("b", [])],
            r"rows\[1\] .*scan_id=b.* has no embedding",
        ),
        (
            "embeddings",
            [embedding("a", [1, 2]), {**embedding("b", []), "embedding": None}],
            "has no embedding",
        ),
        (
            "embeddings",
            [embedding("z", [3, 4]), embedding("a", [1, NAN, INF])],
            r"rows\[1\] .* is 3 wide .* gives 2",
        ),
        ("embeddings", [embedding("a", [0, NAN, -INF])], r"rows\[0\] .* has 2 values that are not finite"),
        (
            "embeddings",
            [embedding("a", [1, 2]), embedding("b", [1, 2, 3])],
            r"rows\[1\] .* is 3 wide .* gives 2",
        ),
    ],
)
def test_a_bad_batch_is_refused_whole_and_names_its_rows(
    store: warehouse.Warehouse, ask: Ask, table: str, rows: list[Row], words: str
) -> None:
    with pytest.raises(warehouse.BatchRefused, match=words) as refused:
        store.append(table, rows, "job")
    assert str(refused.value).startswith(f"Nothing was written to {table}: ")
    assert ask(f"select * from events.{table}") == []


def test_a_refusal_shows_some_problems_and_keeps_all(store: warehouse.Warehouse) -> None:
    rows = [scan(f"{n}", brain_ml="much") for n in range(11)]
    with pytest.raises(warehouse.BatchRefused, match="; and 6 more") as refused:
        store.append("scans", rows, "job")
    assert len(refused.value.problems) == 11
    assert pickle.loads(pickle.dumps(refused.value)).problems == refused.value.problems


def test_widths_may_differ_between_encoders(store: warehouse.Warehouse) -> None:
    assert store.append("embeddings", [embedding("a", [1, 2]), embedding("a", [1, 2, 3], "other")], "job") == 2


def test_a_vector_must_have_the_width_its_encoder_is_registered_with(store: warehouse.Warehouse) -> None:
    store.append("encoders", [{"encoder_id": "e", "width": 3}], "job")
    with pytest.raises(warehouse.BatchRefused, match="is 2 wide where its encoder gives 3"):
        store.append("embeddings", [embedding("a", [1, 2])], "job")


def test_an_unknown_table_is_named_with_the_nearest(store: warehouse.Warehouse) -> None:
    with pytest.raises(warehouse.WarehouseError, match="no table scanz; did you mean scans"):
        store.append("scanz", [], "job")


@pytest.mark.parametrize("nothing", [[], pa.table({"scan_id": pa.array([], pa.string())})])
def test_no_rows_make_no_commit(store: warehouse.Warehouse, nothing: list[Row]) -> None:
    assert store.append("scans", nothing, "job") == 0
    assert commits.latest_version(store.home.warehouse / "scans") is None


@pytest.mark.parametrize(
    "vector", [[0.5, -1.25], np.array([0.5, -1.25], np.float32), np.array([0.5, -1.25], np.float64)]
)
def test_what_is_written_comes_back_and_is_stamped(store: warehouse.Warehouse, ask: Ask, vector: list[float]) -> None:
    assert store.append("embeddings", [embedding("a", vector, n_slices=np.int64(3))], "job-7") == 1
    assert ask("select embedding, n_slices, job_id, recorded_at > '2020-01-01' as dated from events.embeddings") == [
        {"embedding": [0.5, -1.25], "n_slices": 3, "job_id": "job-7", "dated": True}
    ]


def test_an_arrow_table_is_a_batch_too(store: warehouse.Warehouse, ask: Ask) -> None:
    rows = pa.table({"scan_id": ["b", "a"], "recipe_id": ["r", "r"], "n_slices": pa.array([1, 2], pa.int32())})
    assert store.append("scans", rows, "job") == 2
    assert ask("select scan_id, n_slices, dataset from events.scans order by 1") == [
        {"scan_id": "a", "n_slices": 2, "dataset": None},
        {"scan_id": "b", "n_slices": 1, "dataset": None},
    ]
    with pytest.raises(warehouse.BatchRefused, match="unknown column scanid; did you mean scan_id"):
        store.append("scans", pa.table({"scanid": ["a"]}), "job")
    with pytest.raises(warehouse.BatchRefused, match="column n_slices is string and does not fit int64"):
        store.append("scans", pa.table({"scan_id": ["a"], "recipe_id": ["r"], "n_slices": ["x"]}), "job")


def test_vectors_are_split_by_byte_keys_are_dictionaries_and_all_is_zstd(store: warehouse.Warehouse) -> None:
    store.append("embeddings", [embedding(f"{n}", [0.5, -1.25]) for n in range(9)], "job")
    (path,) = (store.home.warehouse / "embeddings").glob("*.parquet")
    group = pq.ParquetFile(path).metadata.row_group(0)
    columns = {group.column(i).path_in_schema.split(".")[0]: group.column(i) for i in range(group.num_columns)}
    assert "BYTE_STREAM_SPLIT" in columns["embedding"].encodings
    assert "RLE_DICTIONARY" in columns["encoder_id"].encodings
    assert {column.compression for column in columns.values()} == {"ZSTD"}


def test_of_two_events_of_a_key_the_later_counts(store: warehouse.Warehouse, ask: Ask) -> None:
    for contrast in ("T1w", "T2w", "PD"):
        store.append("scans", [scan("a", contrast=contrast)], "job")
    assert ask("select contrast from scans") == [{"contrast": "PD"}]
    assert ask("select count(*) as n from events.scans") == [{"n": 3}]


def test_a_tie_in_time_is_decided_the_same_way_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.rows._now_us", lambda: 1_700_000_000_000_000)
    told: list[Callable[[warehouse.Warehouse], int]] = [
        lambda store: store.append("scans", [scan("a", contrast="T1w")], "job-1"),
        lambda store: store.append("scans", [scan("a", contrast="T2w")], "job-2"),
        lambda store: store.append("scans", [scan("a", contrast="PD")], "job-2"),
    ]
    winners = set()
    for name, order in {"one": told, "two": told[::-1]}.items():
        store = warehouse.open(tmp_path / name)
        for tell in order:
            tell(store)
        winners |= {row["contrast"] for row in store.query("select contrast from scans").to_pylist()}
    assert len(winners) == 1
    assert winners <= {"T2w", "PD"}  # the later job id comes first


def test_four_processes_append_at_once_and_lose_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    code = (
        "import sys, warehouse; from tests.warehouse.conftest import scan\n"
        f"store = warehouse.open({str(home)!r})\n"
        "for i in range(10): store.append('scans', [scan(f'{sys.argv[1]}-{i}')], sys.argv[1])"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(n)], cwd=CHECKOUT) for n in range(4)]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    found = warehouse.open(home).query("select count(*) as n, count(distinct job_id) as jobs from scans")
    assert found.to_pylist() == [{"n": 40, "jobs": 4}]


def test_a_file_without_its_commit_is_not_there(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a")], "job")
    (path,) = (store.home.warehouse / "scans").glob("*.parquet")
    path.with_name("part-left-by-a-kill.zstd.parquet").write_bytes(path.read_bytes())
    assert ask("select count(*) as n from events.scans") == [{"n": 1}]


def test_a_table_of_other_columns_is_refused(store: warehouse.Warehouse) -> None:
    from deltalake import write_deltalake

    write_deltalake(store.home.warehouse / "recipes", pa.table({"recipe_id": ["r"], "colour": ["red"]}))
    with pytest.raises(warehouse.CommitError, match="differs in colour, imaging_version"):
        store.append("recipes", [{"recipe_id": "r"}], "job")


def test_every_column_says_what_it_is() -> None:
    bare = [
        f"{table.name}.{field.name}"
        for table in TABLES.values()
        for field in table.schema
        if not (field.metadata or {}).get(b"description")
    ]
    assert bare == []
