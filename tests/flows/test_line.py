"""The whole line on a small synthetic home: pretrain, embed, fit, ask in SQL; each step twice."""

from pathlib import Path

import pytest

import warehouse
from braindino import phantom
from braindino.imaging import get_recipe
from flows.embed import embed
from flows.fit_heads import fit_heads
from flows.holdout import keep_external
from flows.ingest import ingest
from flows.pretrain import pretrain, training_scans

RECIPE = "isotropic_2mm"
SMALL = ["run.images=64", "data.batch_size=16", "run.log_every=1"]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which every step has run once on 24 synthetic subjects."""
    base = tmp_path_factory.mktemp("line")
    phantom.write_cohort("bids", base / "raw", 24, seed=3, spacing_mm=4.0)
    home = base / "home"
    ingest("bids", str(base / "raw"), "tiny", RECIPE, str(home), 1)
    pretrain("vit_tiny_cpu", SMALL, RECIPE, str(home))
    embed(recipe=RECIPE, home=str(home))
    fit_heads(["age", "sex", "contrast"], recipe=RECIPE, fractions=[0.5, 1.0], seeds=[0], home=str(home))
    return home


def ask(home: Path, query: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = warehouse.open(home).query(query).to_pylist()
    return rows


def test_no_test_subject_of_any_task_was_seen_in_pretraining(line: Path) -> None:
    shared = "select count(*) as n from staging.stg_training_subjects join holdouts using (dataset, subject)"
    assert ask(line, shared) == [{"n": 0}]
    assert ask(line, "select count(*) > 0 as some from holdouts") == [{"some": True}]
    assert ask(line, "select max(seen_test_subjects) as n from fits") == [{"n": 0}]


def test_everything_run_again_does_nothing(line: Path) -> None:
    before = warehouse.open(line).snapshots()
    assert pretrain("vit_tiny_cpu", SMALL, RECIPE, str(line)).already_done
    assert embed(recipe=RECIPE, home=str(line)).computed == 0
    again = fit_heads(["age", "sex", "contrast"], recipe=RECIPE, fractions=[0.5, 1.0], seeds=[0], home=str(line))
    assert (again.fitted, again.up_to_date > 0) == (0, True)
    assert warehouse.open(line).snapshots() == before


def test_embeddings_join_to_labels(line: Path) -> None:
    (row,) = ask(
        line,
        "select count(*) as n, min(len(embedding)) as width from embeddings e "
        "join labelled_scans l using (scan_id, recipe_id) where l.label = 'age' and e.pooling = 'cls_mean'",
    )
    assert int(str(row["n"])) > 0
    assert row["width"] == 128


def test_every_metric_has_its_pedigree_and_floors_stand_beside(line: Path) -> None:
    rows = ask(
        line,
        "select encoder_id, task, fraction, seed, value, ci_low, ci_high, n, snapshot_id, synthetic, smoke_test "
        "from metrics",
    )
    assert rows
    assert all(row[column] is not None for row in rows for column in row if not column.startswith("ci_"))
    assert all(row["synthetic"] and row["smoke_test"] for row in rows), "few subjects, and none of them real"
    encoders = {str(row["encoder_id"]) for row in rows}
    assert {"floor:age_sex", "floor:site", "floor:geometry"} <= encoders
    kinds = ask(line, "select distinct kind from encoders join metrics using (encoder_id) order by kind")
    assert [row["kind"] for row in kinds] == ["checkpoint", "random"]


def test_predictions_are_of_frozen_subjects_only(line: Path) -> None:
    stray = (
        "select count(*) as n from predictions p join fits f using (fit_id) "
        "left join holdouts h on h.task = f.task and h.subject_uid = p.subject_uid where h.task is null"
    )
    assert ask(line, stray) == [{"n": 0}]


def test_a_snapshot_keeps_answering_as_it_did(line: Path) -> None:
    store = warehouse.open(line)
    first = store.snapshots()[0].id
    assert store.query("select count(*) as n from fits", snapshot=first).to_pylist() == [{"n": 0}]
    assert store.query("select count(*) as n from fits").to_pylist() != [{"n": 0}]


def test_a_new_scan_is_the_only_one_embedded(line: Path, tmp_path: Path) -> None:
    phantom.write_cohort("bids", tmp_path / "more", 1, seed=9, spacing_mm=4.0)
    added = ingest("bids", str(tmp_path / "more"), "more", RECIPE, str(line), 1)
    encoder = str(ask(line, "select encoder_id from encoders where kind = 'random'")[0]["encoder_id"])
    assert embed([encoder], RECIPE, str(line)).computed == added.stored


def test_an_external_dataset_is_judged_apart_and_trains_nobody(line: Path, tmp_path: Path) -> None:
    phantom.write_cohort("bids", tmp_path / "outside", 6, seed=21, spacing_mm=4.0)
    ingest("bids", str(tmp_path / "outside"), "outside", RECIPE, str(line), 1)
    store = warehouse.open(line)
    keep_external(store, ["outside"], "job")
    encoder = str(ask(line, "select encoder_id from encoders where kind = 'random'")[0]["encoder_id"])
    embed([encoder], RECIPE, str(line))
    fit_heads(["contrast"], [encoder], RECIPE, [1.0], [0], str(line))
    judged = ask(line, "select split, max(n) as n from metrics where task = 'contrast' group by all order by all")
    assert [row["split"] for row in judged] == ["external:outside", "test"]
    assert judged[0]["n"] == 6
    free, _ = training_scans(store, get_recipe(RECIPE).recipe_id, store.publish_snapshot("external"))
    assert "outside" not in {scan["dataset"] for scan in free}
    frozen_there = "select count(*) as n from staging.stg_holdouts where dataset = 'outside'"
    assert ask(line, frozen_there) == [{"n": 0}], "an external subject is not drawn for a task's own test"
