"""Marts about holdouts, trainings, fits and results: rows made by hand, answers counted by hand."""

import pytest

import warehouse
from tests.warehouse.conftest import Ask, Row, embedding, fit, metric, scan


def prediction(fit_id: str, scan_id: str, **more: object) -> Row:
    return {"fit_id": fit_id, "scan_id": scan_id, "content_hash": f"{scan_id}-v1", "split": "test", **more}


def encoder(encoder_id: str, kind: str, **more: object) -> Row:
    return {"encoder_id": encoder_id, "kind": kind, "width": 2, **more}


def test_holdouts_freeze_every_name_of_a_person(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", "1"), scan("b", "2"), scan("c", "3")], "job")
    store.append("holdouts", [{"task": "age", "dataset": "d", "subject": "2", "seed": 0, "test_fraction": 0.3}], "job")
    link = {"dataset": "d", "subject": "1", "other_dataset": "d", "other_subject": "2"}
    store.append("subject_links", [link], "job")
    assert ask("select * from holdouts order by all") == [
        {"task": "age", "dataset": "d", "subject": "1", "subject_uid": "d/1", "split_group": "d/1"},
        {"task": "age", "dataset": "d", "subject": "2", "subject_uid": "d/1", "split_group": "d/1"},
    ]


def test_trainings_show_their_last_state_and_first_start(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("trainings", [{"training_id": "t", "status": "started"}], "job")
    store.append("trainings", [{"training_id": "t", "status": "finished", "images_seen": 64}], "job")
    assert ask("select status, images_seen, started_at < recorded_at as took_time from trainings") == [
        {"status": "finished", "images_seen": 64, "took_time": True}
    ]


def test_training_metrics_of_a_resumed_step_count_once(store: warehouse.Warehouse, ask: Ask) -> None:
    figure = {"training_id": "t", "images_seen": 32, "metric": "loss"}
    store.append("training_metrics", [{**figure, "step": 1, "value": 3.0}, {**figure, "step": 2, "value": 9.0}], "one")
    store.append("training_metrics", [{**figure, "step": 2, "value": 2.0}], "two")
    assert ask("select step, value from training_metrics order by step") == [
        {"step": 1, "value": 3.0},
        {"step": 2, "value": 2.0},
    ]


def test_fits_say_what_kind_of_encoder_they_stand_on(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("encoders", [encoder("e", "checkpoint")], "job")
    store.append("fits", [fit("f0"), fit("f1", encoder="floor:site"), fit("f2", encoder="unknown")], "job")
    assert ask("select fit_id, encoder_kind from fits order by all") == [
        {"fit_id": "f0", "encoder_kind": "checkpoint"},
        {"fit_id": "f1", "encoder_kind": "floor"},
        {"fit_id": "f2", "encoder_kind": None},
    ]


def test_metrics_and_predictions_belong_to_committed_fits(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("metrics", [metric("f0", 4.0), metric("killed", 9.0)], "job")
    said = {"target_number": 40.0, "predicted_number": 44.0, "scores": None}
    store.append("predictions", [prediction("f0", "a", **said), prediction("killed", "a", **said)], "job")
    store.append("fits", [fit("f0")], "job")
    assert ask("select fit_id, value, n_train, seen_test_subjects from metrics") == [
        {"fit_id": "f0", "value": 4.0, "n_train": 7, "seen_test_subjects": 0}
    ]
    assert ask("select fit_id, task, abs(predicted_number - target_number) as error from predictions") == [
        {"fit_id": "f0", "task": "age", "error": 4.0}
    ]


def test_results_are_means_over_seeds_with_floors_beside(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("encoders", [encoder("e", "checkpoint"), encoder("r0", "random")], "job")
    floor = {"encoder": "floor:site", "pooling": ""}
    store.append("fits", [fit("f0"), fit("f1", 1), fit("f2", encoder="r0"), fit("f3", **floor)], "job")
    values = [
        metric("f0", 4.0),
        metric("f1", 6.0, 1),
        metric("f2", 9.0, encoder="r0"),
        metric("f3", 8.0, **floor),
    ]
    store.append("metrics", values, "job")
    columns = "features, encoder_kind, mean, sd, ci_low, ci_high, n, n_seeds, is_floor, best_floor"
    assert [tuple(row.values()) for row in ask(f"select {columns} from results order by mean")] == [
        ("e cls_mean", "checkpoint", 5.0, pytest.approx(2**0.5), 4.0, 6.0, 3, 2, False, 8.0),
        ("floor:site", "floor", 8.0, None, 7.0, 9.0, 3, 1, True, 8.0),
        ("r0 cls_mean", "random", 9.0, None, 8.0, 10.0, 3, 1, True, 8.0),
    ]


def test_the_best_floor_is_the_largest_where_more_is_better(store: warehouse.Warehouse, ask: Ask) -> None:
    names = {"f0": "e", "f1": "floor:site", "f2": "floor:geometry"}
    store.append("fits", [fit(fit_id, encoder=name) for fit_id, name in names.items()], "job")
    values = {"f0": 0.9, "f1": 0.6, "f2": 0.7}
    store.append("metrics", [metric(f, v, encoder=names[f], metric="auc") for f, v in values.items()], "job")
    assert ask("select mean, best_floor from results where not is_floor") == [{"mean": 0.9, "best_floor": 0.7}]


def test_results_keep_to_the_newest_data(store: warehouse.Warehouse, ask: Ask) -> None:
    """Seeds 0 and 1 were fitted on fewer scans; of the newer data only seed 0 is there, with two grids."""
    store.append("fits", [fit("old0", data_hash="before"), fit("old1", 1, data_hash="before")], "job")
    store.append("fits", [fit("small grid", data_hash="after")], "job")
    store.append("fits", [fit("wide grid", data_hash="after")], "job")
    values = {"old0": 9.0, "old1": 9.0, "small grid": 6.0, "wide grid": 5.0}
    store.append("metrics", [metric(f, v, int(f == "old1")) for f, v in values.items()], "job")
    assert ask("select mean, n_seeds from results") == [{"mean": 5.0, "n_seeds": 1}]


def test_results_say_what_to_be_careful_of(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("fits", [fit("f0", seen_test_subjects=0), fit("f1", 1, seen_test_subjects=2, n_train=5)], "job")
    rows = [
        metric("f0", 0.5, smoke_test=False, synthetic=False, n_smallest_class=30),
        metric("f1", 0.5, 1, n_smallest_class=3),
    ]
    store.append("metrics", rows, "job")
    assert ask("select smoke_test, synthetic, seen_test_subjects, n_train, n_smallest_class from results") == [
        {"smoke_test": True, "synthetic": True, "seen_test_subjects": 2, "n_train": 5, "n_smallest_class": 3}
    ]


def test_fractions_heads_poolings_and_recipes_are_never_mixed(store: warehouse.Warehouse, ask: Ask) -> None:
    for n, more in enumerate([{}, {"fraction": 0.5}, {"head": "knn"}, {"pooling": "brain_mean"}, {"recipe_id": "q"}]):
        store.append("fits", [fit(f"f{n}", **more)], "job")
        store.append("metrics", [metric(f"f{n}", float(n), **more)], "job")
    assert ask("select count(*) as n, max(n_seeds) as seeds from results") == [{"n": 5, "seeds": 1}]


def test_a_fit_is_stale_when_what_it_was_judged_on_has_changed(store: warehouse.Warehouse, ask: Ask) -> None:
    scans = [scan(name) for name in "abcd"]
    store.append("scans", scans, "job")
    store.append("embeddings", [embedding(name, [1, 2]) for name in "abcd"], "job")
    store.append("predictions", [prediction("f0", name) for name in "abcd"], "job")
    store.append("fits", [fit("f0")], "job")
    assert ask("select * from stale_fits") == []
    store.append("scans", [scan("a", content_hash="a-v2"), scan("b", status="refused", reason="empty")], "job")
    store.append("embeddings", [embedding("c", [1, 3])], "job")
    assert ask("select fit_id, scan_id, fitted_on, now_stored, why from stale_fits order by scan_id") == [
        {
            "fit_id": "f0",
            "scan_id": "a",
            "fitted_on": "a-v1",
            "now_stored": "a-v2",
            "why": "scan was replaced",
        },
        {"fit_id": "f0", "scan_id": "b", "fitted_on": "b-v1", "now_stored": "b-v1", "why": "scan is gone"},
        {
            "fit_id": "f0",
            "scan_id": "c",
            "fitted_on": "c-v1",
            "now_stored": "c-v1",
            "why": "embedding was replaced",
        },
    ]


def test_vectors_of_another_encoder_or_pooling_make_no_fit_stale(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a")], "job")
    store.append("predictions", [prediction("f0", "a")], "job")
    store.append("fits", [fit("f0")], "job")
    store.append("embeddings", [embedding("a", [1], "other"), embedding("a", [1], pooling="brain_mean")], "job")
    assert ask("select * from stale_fits") == []


def test_lineage_leads_from_a_fit_back_to_the_files(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("datasets", [{"dataset": "d", "adapter": "bids", "licence": "CC0"}], "job")
    files = {"a": "1", "b": "2", "c": "3"}
    store.append("scans", [scan(s, subject, source_path=f"sub-{subject}.nii") for s, subject in files.items()], "job")
    training = {"training_id": "t", "status": "finished", "snapshot_id": "s0001", "recipe_id": "r"}
    store.append("trainings", [training], "job")
    store.append("training_subjects", [{"training_id": "t", "dataset": "d", "subject": "2", "n_scans": 1}], "job")
    store.append("encoders", [encoder("e", "checkpoint", training_id="t", weights_sha256="abc")], "job")
    store.append("fits", [fit("f0", snapshot_id="s0002"), fit("f1", encoder="floor:site")], "job")
    store.append("predictions", [prediction("f0", "a"), prediction("f1", "a")], "job")
    columns = "role, source_path, licence, weights_sha256, training_id, training_snapshot_id, snapshot_id"
    assert [tuple(row.values()) for row in ask(f"select fit_id, {columns} from lineage order by fit_id, role")] == [
        ("f0", "pretraining", "sub-2.nii", "CC0", "abc", "t", "s0001", "s0002"),
        ("f0", "test", "sub-1.nii", "CC0", "abc", "t", "s0001", "s0002"),
        ("f1", "test", "sub-1.nii", "CC0", None, None, None, "s0001"),
    ]
