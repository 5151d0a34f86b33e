"""What a person decided stands above what was written of a scan, before and afterwards."""

import pytest

import warehouse
from tests.warehouse.conftest import Ask, Row, embedding, fit, label, scan


def word(scan_id: str, verdict: str = "exclude", **more: object) -> Row:
    return {"scan_id": scan_id, "dataset": "d", "verdict": verdict, "why": f"{verdict}: because", "who": "me", **more}


def test_an_exclusion_counts_under_every_recipe_and_for_later_events(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("overrules", [word("a")], "job")
    store.append("scans", [scan("a"), scan("a", recipe_id="other"), scan("b")], "job")
    assert ask("select scan_id, recipe_id, status, excluded_why from scans order by all") == [
        {"scan_id": "a", "recipe_id": "other", "status": "excluded", "excluded_why": "exclude: because"},
        {"scan_id": "a", "recipe_id": "r", "status": "excluded", "excluded_why": "exclude: because"},
        {"scan_id": "b", "recipe_id": "r", "status": "stored", "excluded_why": None},
    ]


@pytest.mark.parametrize("status", ["refused", "absent", "pending"])
def test_what_is_not_stored_says_why_not(store: warehouse.Warehouse, ask: Ask, status: str) -> None:
    store.append("scans", [scan("a", status=status)], "job")
    store.append("overrules", [word("a")], "job")
    assert ask("select status from scans") == [{"status": status}]


def test_the_last_word_counts_and_all_are_kept(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a")], "job")
    for verdict in ("exclude", "accept", "exclude", "accept"):
        store.append("overrules", [word("a", verdict)], "job")
    assert ask("select status, excluded_why from scans") == [{"status": "stored", "excluded_why": None}]
    assert ask("select verdict, why from overrules") == [{"verdict": "accept", "why": "accept: because"}]
    assert ask("select count(*) as n from events.overrules") == [{"n": 4}]


def test_an_excluded_scan_is_in_no_mart_of_what_is_stored(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", n_slices=1), scan("b", "2", n_slices=1)], "job")
    slices = [{"recipe_id": "r", "scan_id": s, "content_hash": f"{s}-v1", "slice_index": 0} for s in "ab"]
    store.append("slices", slices, "job")
    store.append("labels", [label("1", "age", number=40.0), label("2", "age", number=50.0)], "job")
    store.append("encoders", [{"encoder_id": "e", "kind": "random", "width": 2}], "job")
    store.append("embeddings", [embedding("a", [1, 2]), embedding("b", [1, 2])], "job")
    store.append("recipes", [{"recipe_id": "r", "name": "isotropic"}], "job")
    store.append("overrules", [word("a")], "job")
    for mart in ("slices", "labelled_scans", "embeddings"):
        assert ask(f"select distinct scan_id from {mart}") == [{"scan_id": "b"}], mart
    assert store.features("age", "e", "r", "cls_mean").column("scan_id").to_pylist() == ["b"]
    assert ask("select n_stored, n_slices from recipes") == [{"n_stored": 1, "n_slices": 1}]
    assert ask("select n_scans from encoders") == [{"n_scans": 1}]
    counted = ask("select n_scans, n_stored, n_excluded, n_absent from datasets")
    assert counted == [{"n_scans": 2, "n_stored": 1, "n_excluded": 1, "n_absent": 0}]


def test_an_excluded_scan_is_no_refusal_even_if_its_file_is_unusable(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", reason="truncated", message="Cut off.")], "job")
    assert len(ask("from refusals")) == 1
    store.append("overrules", [word("a")], "job")
    assert ask("from refusals") == []


def test_a_fit_that_was_judged_on_a_scan_excluded_since_is_stale(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a")], "job")
    store.append("embeddings", [embedding("a", [1, 2])], "job")
    store.append("fits", [fit("f")], "job")
    store.append("predictions", [{"fit_id": "f", "scan_id": "a", "content_hash": "a-v1", "split": "test"}], "job")
    assert ask("from stale_fits") == []
    store.append("overrules", [word("a")], "job")
    assert ask("select fit_id, why from stale_fits") == [{"fit_id": "f", "why": "scan was excluded"}]


def test_another_content_than_that_decided_about_shows(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", content_hash="v1"), scan("b", content_hash="v1")], "job")
    store.append("overrules", [word("a"), word("b")], "job")
    store.append("scans", [scan("a", content_hash="v2"), scan("b", content_hash="v1")], "job")
    assert ask("select scan_id, verdict, status, changed_since from overrules order by all") == [
        {"scan_id": "a", "verdict": "exclude", "status": "excluded", "changed_since": True},
        {"scan_id": "b", "verdict": "exclude", "status": "excluded", "changed_since": False},
    ]


def test_a_word_on_a_scan_that_was_refused_has_seen_no_content(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", status="refused", content_hash=None)], "job")
    store.append("overrules", [word("a", "accept", reasons="brain_cropped", image_hash="h")], "job")
    store.append("scans", [scan("a", overruled="brain_cropped: 5 ml lie outside.")], "job")
    assert ask("select reasons, status, overruled, changed_since from overrules") == [
        {
            "reasons": "brain_cropped",
            "status": "stored",
            "overruled": "brain_cropped: 5 ml lie outside.",
            "changed_since": False,
        }
    ]
