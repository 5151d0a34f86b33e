"""Features for heads: the right vector beside the right label, at the right moment."""

import numpy as np
import pytest

import warehouse
from tests.warehouse.conftest import embedding, label, scan


def test_labelled_scans_come_with_their_vectors_in_order(store: warehouse.Warehouse) -> None:
    """Written in two commits and out of order; one scan lacks its label, one its vector."""
    store.append("scans", [scan(f"s{n}", str(n)) for n in range(6)], "job")
    store.append("labels", [label(str(n), "age", number=10.0 * n) for n in range(6) if n != 3], "job")
    store.append("embeddings", [embedding(f"s{n}", [n, -n]) for n in (4, 0, 3)], "job")
    store.append("embeddings", [embedding(f"s{n}", [n, -n]) for n in (2, 1)], "job")
    table = store.features("age", "e", "r", "cls_mean")
    assert table.column("scan_id").to_pylist() == ["s0", "s1", "s2", "s4"]
    assert table.column("number").to_pylist() == [0.0, 10.0, 20.0, 40.0]
    vectors = np.stack(table.column("embedding").to_numpy())
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [[0, 0], [1, -1], [2, -2], [4, -4]]


def test_features_and_the_mart_agree(store: warehouse.Warehouse) -> None:
    store.append("scans", [scan(f"s{n}", str(n), content_hash="v2" if n % 2 else f"s{n}-v1") for n in range(8)], "job")
    for content in ("v1", "v2"):
        rows = [embedding(f"s{n}", [n, int(content[1])], content_hash=content) for n in range(8)]
        store.append("embeddings", [*rows, *(embedding(f"s{n}", [n, 0]) for n in range(3))], content)
    sql = (
        "select l.scan_id, e.embedding from labelled_scans l join embeddings e using (scan_id, recipe_id) "
        "where l.label = 'contrast' and e.encoder_id = 'e' and e.pooling = 'cls_mean' order by all"
    )
    found = store.features("contrast", "e", "r", "cls_mean").select(["scan_id", "embedding"])
    assert found.to_pylist() == store.query(sql).to_pylist()
    assert found.num_rows == 6


def test_a_vector_written_again_replaces_the_first(store: warehouse.Warehouse) -> None:
    store.append("scans", [scan("a")], "job")
    store.append("embeddings", [embedding("a", [1, 2])], "job")
    pinned = store.publish_snapshot("first")
    store.append("embeddings", [embedding("a", [3, 4])], "job")
    assert store.features("contrast", "e", "r", "cls_mean").column("embedding").to_pylist() == [[3.0, 4.0]]
    assert store.features("contrast", "e", "r", "cls_mean", pinned).column("embedding").to_pylist() == [[1.0, 2.0]]


def test_other_encoders_recipes_and_poolings_stay_out(store: warehouse.Warehouse) -> None:
    store.append("scans", [scan("a"), scan("a", recipe_id="q")], "job")
    rows = [embedding("a", [1]), embedding("a", [2], "f"), embedding("a", [3], pooling="brain_mean")]
    store.append("embeddings", [*rows, embedding("a", [4], recipe_id="q")], "job")
    asked = [("e", "r", "cls_mean"), ("f", "r", "cls_mean"), ("e", "r", "brain_mean"), ("e", "q", "cls_mean")]
    found = [store.features("contrast", *which).column("embedding").to_pylist() for which in asked]
    assert found == [[[1.0]], [[2.0]], [[3.0]], [[4.0]]]


def test_a_label_that_no_scan_has_gives_no_rows(store: warehouse.Warehouse) -> None:
    store.append("scans", [scan("a")], "job")
    store.append("embeddings", [embedding("a", [1])], "job")
    table = store.features("diagnosis", "e", "r", "cls_mean")
    assert table.num_rows == 0
    assert "embedding" in table.column_names


def test_vectors_that_were_never_made_are_named(store: warehouse.Warehouse) -> None:
    with pytest.raises(warehouse.WarehouseError, match="there are none yet"):
        store.features("age", "e", "r", "cls_mean")
    store.append("embeddings", [embedding("a", [1])], "job")
    with pytest.raises(
        warehouse.WarehouseError, match="No embeddings of f / r / cls_mean here; there are e / r / cls_mean"
    ):
        store.features("age", "f", "r", "cls_mean")
