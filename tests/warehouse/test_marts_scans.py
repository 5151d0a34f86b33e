"""Marts about scans, people and labels: rows made by hand, answers counted by hand."""

import pytest

import warehouse
from tests.warehouse.conftest import Ask, Row, embedding, label, scan


def slice_row(scan_id: str, index: int, content: str = "v1") -> Row:
    return {
        "recipe_id": "r",
        "scan_id": scan_id,
        "content_hash": f"{scan_id}-{content}",
        "slice_index": index,
    }


def test_scans_show_the_latest_event_of_each(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", status="refused", reason="truncated"), scan("b")], "one")
    store.append("scans", [scan("a", brain_ml=1400.0)], "two")
    assert ask("select scan_id, status, reason, brain_ml, subject_uid, job_id from scans order by scan_id") == [
        {
            "scan_id": "a",
            "status": "stored",
            "reason": None,
            "brain_ml": 1400.0,
            "subject_uid": "d/1",
            "job_id": "two",
        },
        {
            "scan_id": "b",
            "status": "stored",
            "reason": None,
            "brain_ml": None,
            "subject_uid": "d/1",
            "job_id": "one",
        },
    ]


def test_one_scan_has_a_row_per_recipe(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a"), scan("a", recipe_id="other")], "job")
    assert ask("select recipe_id from scans order by all") == [{"recipe_id": "other"}, {"recipe_id": "r"}]


def test_refusals_hold_what_cannot_be_used_and_what_no_longer_can(store: warehouse.Warehouse, ask: Ask) -> None:
    rows = [
        scan("a"),
        scan("b", status="refused", reason="empty", message="All zero."),
        scan("c", reason="truncated", message="Cut off. The slices stored earlier are kept."),
        scan("d", status="absent"),
    ]
    store.append("scans", rows, "job")
    assert ask("select scan_id, status, reason from refusals order by all") == [
        {"scan_id": "b", "status": "refused", "reason": "empty"},
        {"scan_id": "c", "status": "stored", "reason": "truncated"},
    ]


def test_slices_are_those_of_the_present_content(store: warehouse.Warehouse, ask: Ask) -> None:
    rows = [{**slice_row("a", i), "brain_mm2": 10.0 * i} for i in range(3)]
    store.append("slices", [*rows, slice_row("a", 0, "v0"), slice_row("never", 0)], "job")
    store.append("slices", rows, "a batch that was killed before its scans, and run again")
    store.append("scans", [scan("a")], "job")
    assert ask("select count(*) as n, sum(brain_mm2) as mm2, any_value(contrast) as contrast from slices") == [
        {"n": 3, "mm2": 30.0, "contrast": "T1w"}
    ]


def test_labels_drop_what_the_source_no_longer_states(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("labels", [label("1", "age", number=40.0), label("1", "sex", value="F")], "job")
    store.append("labels", [label("1", "age")], "job")
    assert ask("select label, value from labels") == [{"label": "sex", "value": "F"}]


def numbers(ask: Ask, name: str) -> dict[str, float]:
    rows = ask(f"select scan_id, number from labelled_scans where label = '{name}'")
    assert len({row["scan_id"] for row in rows}) == len(rows), "one row per scan and label"
    return {row["scan_id"]: row["number"] for row in rows}


def test_a_label_of_the_session_beats_one_of_the_subject(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", session="1"), scan("b", session="2"), scan("c")], "job")
    store.append("labels", [label("1", "age", number=40.0), label("1", "age", "2", number=45.0)], "job")
    assert numbers(ask, "age") == {"a": 40.0, "b": 45.0, "c": 40.0}


def test_a_label_of_another_session_or_person_is_never_taken(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append(
        "scans",
        [scan("a", session="1"), scan("b", session="2"), scan("c"), scan("d", "2", session="1")],
        "job",
    )
    store.append("labels", [label("1", "cdr", "1", number=0.5)], "job")
    store.append("labels", [{**label("1", "cdr", number=3.0), "dataset": "other"}], "job")
    assert numbers(ask, "cdr") == {"a": 0.5}


def test_only_stored_scans_are_labelled(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a"), scan("b", status="refused", reason="empty"), scan("c", status="absent")], "job")
    store.append("labels", [label("1", "age", number=40.0)], "job")
    assert ask("select distinct scan_id from labelled_scans") == [{"scan_id": "a"}]


def test_of_several_moments_the_nearest_counts(store: warehouse.Warehouse, ask: Ask) -> None:
    """Session 2 was at 70 years: of scores at 69, 70.5 and 73 years that of 70.5 is 183 days away."""
    store.append("scans", [scan("a", session="2"), scan("b", session="3")], "job")
    store.append("labels", [label("1", "age", "2", number=70.0)], "job")
    scores = [("69", 30.0), ("70.5", 28.0), ("73", 20.0)]
    rows = [label("1", "mmse", number=n, when=when, when_kind="age_years") for when, n in scores]
    store.append("labels", rows, "job")
    assert ask("select scan_id, number, gap_days from labelled_scans where label = 'mmse' order by all") == [
        {"scan_id": "a", "number": 28.0, "gap_days": 183.0},
        {"scan_id": "b", "number": 30.0, "gap_days": None},  # its age is unknown: the earliest counts
    ]


@pytest.mark.parametrize(
    ("moments", "chosen"),
    [
        ({"": 1.0, "0": 2.0}, 1.0),  # the undated statement holds of the subject
        ({"10": 1.0, "9": 2.0, "-30": 3.0}, 3.0),  # numbers are compared as numbers
        ({"2021-05-01": 1.0, "2019-01-31": 2.0}, 2.0),
    ],
)
def test_without_a_known_gap_the_undated_then_the_earliest_counts(
    store: warehouse.Warehouse, ask: Ask, moments: dict[str, float], chosen: float
) -> None:
    store.append("scans", [scan("a")], "job")
    store.append("labels", [label("1", "score", number=number, when=when) for when, number in moments.items()], "job")
    assert numbers(ask, "score") == {"a": chosen}


def test_the_contrast_of_a_scan_is_a_label_of_it(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a"), scan("b", contrast="FLAIR"), scan("c", contrast=None)], "job")
    store.append("labels", [label("1", "contrast", value="what a table says")], "job")
    assert ask("select scan_id, value from labelled_scans where label = 'contrast' order by all") == [
        {"scan_id": "a", "value": "T1w"},
        {"scan_id": "b", "value": "FLAIR"},
    ]


def test_labelled_scans_carry_what_a_head_needs(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a")], "job")
    store.append("labels", [label("1", "sex", value="F")], "job")
    assert ask("select * from labelled_scans where label = 'sex'") == [
        {
            "scan_id": "a", "recipe_id": "r", "content_hash": "a-v1", "dataset": "d", "subject": "1",
            "subject_uid": "d/1", "session": None, "contrast": "T1w", "label": "sex", "value": "F",
            "number": None, "unit": None, "gap_days": None, "label_source": "dataset", "synthetic": True,
        }
    ]  # fmt: skip


def outlined(store: warehouse.Warehouse, areas: dict[str, list[float]]) -> None:
    """Stored scans with a segmentation, of one person each; slices 5 mm apart with these areas of lesion, mm^2."""
    more = {"has_segmentation": True, "through_plane_mm": 5.0, "contrast": "FLAIR"}
    store.append("scans", [scan(name, name, **more) for name in areas], "job")
    slices = [
        {"recipe_id": "r", "scan_id": name, "content_hash": f"{name}-v1", "slice_index": i, "lesion_mm2": area}
        for name, per_slice in areas.items()
        for i, area in enumerate(per_slice)
    ]
    store.append("slices", slices, "job")


def test_the_volume_of_a_lesion_is_that_of_its_outline(store: warehouse.Warehouse, ask: Ask) -> None:
    outlined(store, {"ill": [0.0, 100.0, 300.0], "well": [0.0, 0.0, 0.0]})
    assert ask("select scan_id, lesion_ml, n_lesion_slices from lesions order by all") == [
        {"scan_id": "ill", "lesion_ml": 2.0, "n_lesion_slices": 2},
        {"scan_id": "well", "lesion_ml": 0.0, "n_lesion_slices": 0},
    ]


def test_a_segmentation_tells_of_a_lesion_and_no_segmentation_of_nothing(store: warehouse.Warehouse, ask: Ask) -> None:
    outlined(store, {"ill": [10.0], "well": [0.0]})
    store.append("scans", [scan("nobody looked", "3", contrast="FLAIR")], "job")
    told = ask(
        "select scan_id, label, value, number, unit, label_source from labelled_scans where label like 'lesion%' "
        "order by all"
    )
    assert [tuple(row.values()) for row in told] == [
        ("ill", "lesion", "present", None, None, "segmentation"),
        ("ill", "lesion_ml", None, 0.05, "ml", "segmentation"),
        ("well", "lesion", "absent", None, None, "segmentation"),
        ("well", "lesion_ml", None, 0.0, "ml", "segmentation"),
    ]


def test_what_a_dataset_says_of_a_lesion_stands_above_its_segmentation(store: warehouse.Warehouse, ask: Ask) -> None:
    outlined(store, {"ill": [10.0]})
    store.append("labels", [label("ill", "lesion", value="stroke")], "job")
    assert ask("select value, label_source from labelled_scans where label = 'lesion'") == [
        {"value": "stroke", "label_source": "dataset"}
    ]


def test_datasets_count_what_became_of_their_scans(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append(
        "datasets",
        [{"dataset": "d", "adapter": "bids", "licence": "CC0", "n_scans": 9, "synthetic": False}],
        "job",
    )
    rows = [scan("a"), scan("a", recipe_id="other"), scan("b", "2", status="refused", reason="empty")]
    store.append("scans", [*rows, scan("c", status="absent"), scan("x", dataset="named in a manifest")], "job")
    columns = "dataset, licence, n_listed, n_scans, n_stored, n_refused, n_absent, n_subjects, synthetic"
    assert ask(f"select {columns} from datasets order by all") == [
        {
            "dataset": "d", "licence": "CC0", "n_listed": 9, "n_scans": 3, "n_stored": 1, "n_refused": 1,
            "n_absent": 1, "n_subjects": 2, "synthetic": False,
        },
        {
            "dataset": "named in a manifest", "licence": None, "n_listed": None, "n_scans": 1, "n_stored": 1,
            "n_refused": 0, "n_absent": 0, "n_subjects": 1, "synthetic": True,
        },
    ]  # fmt: skip


def test_recipes_say_what_was_stored_under_them(store: warehouse.Warehouse, ask: Ask) -> None:
    for _ in range(2):
        store.append("recipes", [{"recipe_id": "r", "name": "isotropic"}, {"recipe_id": "q", "name": "other"}], "job")
    store.append("scans", [scan("a", n_slices=3), scan("b", n_slices=4), scan("c", status="absent")], "job")
    assert ask("select name, n_stored, n_slices from recipes order by all") == [
        {"name": "isotropic", "n_stored": 2, "n_slices": 7},
        {"name": "other", "n_stored": 0, "n_slices": 0},
    ]


def test_embeddings_are_those_of_the_present_content(store: warehouse.Warehouse, ask: Ask) -> None:
    rows = [embedding("a", [1, 2]), embedding("a", [3, 4], content_hash="a-v2"), embedding("unknown", [5, 6])]
    store.append("embeddings", rows, "job")
    store.append("scans", [scan("a")], "job")
    assert ask("select embedding from embeddings") == [{"embedding": [1.0, 2.0]}]
    store.append("scans", [scan("a", content_hash="a-v2")], "job")
    assert ask("select embedding from embeddings") == [{"embedding": [3.0, 4.0]}]


def test_encoders_count_the_scans_they_were_run_on(store: warehouse.Warehouse, ask: Ask) -> None:
    encoders = [
        {"encoder_id": "e", "kind": "random", "width": 2},
        {"encoder_id": "f", "kind": "timm", "width": 2},
    ]
    for _ in range(2):
        store.append("encoders", encoders, "job")
    store.append("scans", [scan("a"), scan("b")], "job")
    rows = [embedding("a", [1, 2]), embedding("a", [1, 2], pooling="brain_mean"), embedding("b", [1, 2])]
    store.append("embeddings", rows, "job")
    assert ask("select encoder_id, kind, n_scans from encoders order by all") == [
        {"encoder_id": "e", "kind": "random", "n_scans": 2},
        {"encoder_id": "f", "kind": "timm", "n_scans": 0},
    ]
