"""Coverage: whose scans a store holds, what is unknown of them, and who is lost; answers counted by hand."""

import pytest

import warehouse
from tests.warehouse.conftest import Ask, Row, label, scan

DIMENSIONS = {
    "contrast", "vendor", "model", "field_strength", "slice_thickness", "through_plane_spacing", "orientation",
    "age_band", "sex", "diagnosis",
}  # fmt: skip
REFUSED = {"status": "refused", "reason": "empty"}


def strata(ask: Ask, dimension: str, columns: str = "n_scans", dataset: str = "d") -> dict[str, object]:
    """One figure (or several, as a tuple) per stratum of a dimension, in the mart's order."""
    rows = ask(
        f"select stratum, {columns} from coverage where dimension = '{dimension}' and dataset = '{dataset}' "
        "order by position"
    )
    values = {row.pop("stratum"): tuple(row.values()) for row in rows}
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


def test_every_dimension_counts_every_scan(store: warehouse.Warehouse, ask: Ask) -> None:
    rows = [scan("a"), scan("b", "2", **REFUSED), scan("c", "2", status="absent"), scan("d", dataset="e")]
    store.append("scans", rows, "job")
    totals = ask("select dimension, dataset, sum(n_scans) as n from coverage group by all")
    assert {row["dimension"] for row in totals} == DIMENSIONS
    assert {(row["dataset"], row["n"]) for row in totals} == {("all", 4), ("d", 3), ("e", 1)}


def test_who_is_lost_stands_beside_every_stratum(store: warehouse.Warehouse, ask: Ask) -> None:
    rows = [
        scan("a", vendor="GE"),
        scan("b", "2", vendor="GE", **REFUSED),
        scan("c", "2", vendor="GE", status="absent"),
        scan("d", "3", vendor="Philips", status="absent"),
        scan("e", "4", **REFUSED),
    ]
    store.append("scans", rows, "job")
    columns = "n_scans, n_subjects, n_stored, n_refused, n_absent, refused_share"
    assert strata(ask, "vendor", columns) == {
        "GE": (3, 2, 1, 1, 1, 0.5),
        "Philips": (1, 1, 0, 0, 1, None),  # none was read
        "unknown": (1, 1, 0, 1, 0, 1.0),
    }
    assert strata(ask, "vendor", "share_of_scans, share_of_stored, unknown_share") == {
        "GE": (0.6, 1.0, 0.2),
        "Philips": (0.2, 0.0, 0.2),
        "unknown": (0.2, 0.0, 0.2),
    }


def test_a_scan_that_a_person_excluded_is_neither_stored_nor_refused(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a"), scan("b", "2")], "job")
    store.append("overrules", [{"scan_id": "b", "dataset": "d", "verdict": "exclude", "why": "moved"}], "job")
    columns = "n_scans, n_stored, n_refused, n_excluded, n_absent, refused_share"
    assert strata(ask, "contrast", columns) == {"T1w": (2, 1, 0, 1, 0, 0.0)}
    assert ask(f"select {columns} from coverage_table where not pooled")[0] == {
        "n_scans": 2, "n_stored": 1, "n_refused": 0, "n_excluded": 1, "n_absent": 0, "refused_share": 0.0,
    }  # fmt: skip


def test_refused_scans_count_under_their_peoples_labels(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a"), scan("b", "2", **REFUSED), scan("c", "3", **REFUSED)], "job")
    people = [("1", "male", "control", 30.0), ("2", "female", "autism", 8.5)]
    for subject, sex, diagnosis, age in people:
        said = [label(subject, "sex", value=sex), label(subject, "diagnosis", value=diagnosis)]
        store.append("labels", [*said, label(subject, "age", number=age, unit="years")], "job")
    share = "refused_share"
    assert strata(ask, "sex", share) == {"female": 1.0, "male": 0.0, "unknown": 1.0}
    assert strata(ask, "diagnosis", share) == {"autism": 1.0, "control": 0.0, "unknown": 1.0}
    assert strata(ask, "age_band", share) == {"6-12": 1.0, "30-39": 0.0, "unknown": 1.0}


def test_what_only_an_image_tells_has_no_refused_share(store: warehouse.Warehouse, ask: Ask) -> None:
    """A refused scan has no orientation, so `LPI` would seem never to be refused and `unknown` always."""
    rows = [scan("a", orientation="LPI", spacing_x=1.0, spacing_y=1.0, spacing_z=5.5), scan("b", **REFUSED)]
    store.append("scans", rows, "job")
    columns = "n_stored, n_refused, refused_share"
    assert strata(ask, "orientation", columns) == {"LPI": (1, 0, None), "unknown": (0, 1, None)}
    assert strata(ask, "through_plane_spacing", columns) == {"over 5 mm": (1, 0, None), "unknown": (0, 1, None)}


@pytest.mark.parametrize(
    ("age", "band"),
    [(0.2, "0-5"), (5.9, "0-5"), (6.0, "6-12"), (17.99, "13-17"), (18.0, "18-29"), (79.5, "70-79"), (90.0, "80+")],
)
def test_age_bands_are_completed_years(store: warehouse.Warehouse, ask: Ask, age: float, band: str) -> None:
    store.append("scans", [scan("a")], "job")
    store.append("labels", [label("1", "age", number=age, unit="years")], "job")
    assert strata(ask, "age_band") == {band: 1}


def test_ages_are_those_of_the_scans_session(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", session="1"), scan("b", session="2", **REFUSED)], "job")
    store.append("labels", [label("1", "age", "1", number=12.0), label("1", "age", "2", number=14.0)], "job")
    assert strata(ask, "age_band", "n_scans, refused_share") == {"6-12": (1, 0.0), "13-17": (1, 1.0)}


def test_bands_of_a_source_that_states_no_years_stay_as_they_are(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a"), scan("b", "2")], "job")
    store.append("labels", [label("1", "age_band", value="22-25"), label("2", "age_band", value="36+")], "job")
    assert strata(ask, "age_band") == {"22-25 as stated": 1, "36+ as stated": 1}


@pytest.mark.parametrize(
    ("thickness", "stratum"),
    [
        (0.7, "up to 0.8 mm"), (1.0000001, "over 0.8 to 1 mm"), (1.2, "over 1 to 1.25 mm"),
        (5.0, "over 3 to 5 mm"), (6.5, "over 5 mm"), (None, "unknown"), (0.0, "unknown"),
    ],
)  # fmt: skip
def test_slice_thickness_is_binned(store: warehouse.Warehouse, ask: Ask, thickness: float | None, stratum: str) -> None:
    store.append("scans", [scan("a", slice_thickness=thickness)], "job")
    assert strata(ask, "slice_thickness") == {stratum: 1}


def test_field_strengths_are_nominal(store: warehouse.Warehouse, ask: Ask) -> None:
    teslas = [2.89362, 3.0, 1.494, 7.0, 0.064]
    store.append("scans", [scan(str(t), field_strength=t) for t in teslas], "job")
    assert strata(ask, "field_strength") == {"3 T": 2, "0.064 T": 1, "1.5 T": 1, "7 T": 1}


def test_a_person_of_two_datasets_is_counted_once_over_all(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a"), scan("b", "7", dataset="e")], "job")
    link = {"dataset": "d", "subject": "1", "other_dataset": "e", "other_subject": "7", "evidence": "a table"}
    store.append("subject_links", [link], "job")
    assert ask("select dataset, pooled, n_scans, n_subjects from coverage where dimension = 'sex' order by all") == [
        {"dataset": "all", "pooled": True, "n_scans": 2, "n_subjects": 1},
        {"dataset": "d", "pooled": False, "n_scans": 1, "n_subjects": 1},
        {"dataset": "e", "pooled": False, "n_scans": 1, "n_subjects": 1},
    ]


def pooled_and_single(ask: Ask) -> dict[str, tuple[int, ...]]:
    """Scans, persons, stored and refused scans of every dataset and of all, counted by a dimension of one stratum."""
    columns = "dataset, n_scans, n_subjects, n_stored, n_refused"
    rows = ask(f"select {columns} from coverage where dimension = 'contrast' order by dataset")
    (overall,) = ask("select n_scans, n_subjects, n_stored, n_refused from coverage_table where pooled")
    counts = {row.pop("dataset"): tuple(row.values()) for row in rows}
    assert tuple(overall.values()) == counts["all"], "both marts say the same"
    return counts


def test_a_published_dataset_under_two_names_counts_once_over_all(store: warehouse.Warehouse, ask: Ask) -> None:
    """A refused and an absent scan have no content: the key by which their source knows them tells."""
    store.append("datasets", [{"dataset": name, "adapter": "ixi"} for name in ("d", "e")], "job")
    for name in ("d", "e"):
        rows = [
            scan(f"{name}1", source_key="1/T1", dataset=name, content_hash="h1"),
            scan(f"{name}2", "2", source_key="2/T1", dataset=name, content_hash=None, **REFUSED),
            scan(f"{name}3", "3", source_key="3/T1", dataset=name, content_hash=None, status="absent"),
        ]
        store.append("scans", rows, "job")
    assert pooled_and_single(ask) == {"all": (3, 3, 1, 1), "d": (3, 3, 1, 1), "e": (3, 3, 1, 1)}


def test_a_scan_that_one_of_two_names_could_store_is_not_lost(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("datasets", [{"dataset": name, "adapter": "ixi"} for name in ("d", "e")], "job")
    rows = [scan("a", source_key="1/T1", **REFUSED), scan("b", source_key="1/T1", dataset="e")]
    store.append("scans", rows, "job")
    assert pooled_and_single(ask) == {"all": (1, 1, 1, 0), "d": (1, 1, 0, 1), "e": (1, 1, 1, 0)}


def test_one_folder_under_two_names_counts_once_over_all(store: warehouse.Warehouse, ask: Ask) -> None:
    """Of a BIDS folder only the home knows that both names mean it."""
    known = [{"dataset": "d", "adapter": "bids"}, {"dataset": "e", "adapter": "bids", "same_as": "d"}]
    store.append("datasets", known, "job")
    for name in ("d", "e"):
        rows = [scan(f"{name}1", source_key="1", dataset=name, **REFUSED)]
        store.append("scans", rows, "job")
    assert pooled_and_single(ask) == {"all": (1, 1, 0, 1), "d": (1, 1, 0, 1), "e": (1, 1, 0, 1)}
    assert ask("select distinct subject_uid from subjects") == [{"subject_uid": "d/1"}]


def test_two_bids_folders_with_the_same_file_names_are_two(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("datasets", [{"dataset": name, "adapter": "bids"} for name in ("d", "e")], "job")
    store.append("scans", [scan("a", source_key="1"), scan("b", source_key="1", dataset="e")], "job")
    assert pooled_and_single(ask) == {"all": (2, 2, 2, 0), "d": (1, 1, 1, 0), "e": (1, 1, 1, 0)}


def test_the_same_voxels_in_two_datasets_count_once_over_all(store: warehouse.Warehouse, ask: Ask) -> None:
    """Each dataset counts all of its own, two copies within it as well."""
    rows = [
        scan("a", content_hash="h", vendor="GE"), scan("b", content_hash="h"),
        scan("c", "7", dataset="e", content_hash="h"),
    ]  # fmt: skip
    store.append("scans", rows, "job")
    assert pooled_and_single(ask) == {"all": (2, 1, 2, 0), "d": (2, 1, 2, 0), "e": (1, 1, 1, 0)}
    assert strata(ask, "vendor", dataset="all") == {"GE": 1, "unknown": 1}, "as the one dataset tells it"


def test_words_for_one_diagnosis_are_one_stratum_and_labels_keep_theirs(store: warehouse.Warehouse, ask: Ask) -> None:
    words = ["CN", "control", "hc", "Healthy_Control ", "adhd_combined", "Glioblastoma, IDH-wildtype"]
    store.append("scans", [scan(str(i), str(i)) for i in range(len(words))], "job")
    store.append("labels", [label(str(i), "diagnosis", value=word) for i, word in enumerate(words)], "job")
    assert strata(ask, "diagnosis") == {"control": 4, "Glioblastoma, IDH-wildtype": 1, "adhd_combined": 1}
    kept = ask("select value from labelled_scans where label = 'diagnosis' order by subject")
    assert [row["value"] for row in kept] == words


def test_recipes_are_covered_one_by_one(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a"), scan("a", recipe_id="q", **REFUSED)], "job")
    assert ask("select recipe_id, refused_share from coverage where dimension = 'sex' and pooled order by all") == [
        {"recipe_id": "q", "refused_share": 1.0},
        {"recipe_id": "r", "refused_share": 0.0},
    ]


def people() -> list[Row]:
    """Three people: a woman of 70 (72 at her second session), a man of 40, and one of whom nothing is known."""
    return [
        label("1", "age", "1", number=70.0), label("1", "age", "2", number=72.0), label("1", "sex", value="female"),
        label("2", "age", number=40.0), label("2", "sex", value="male"), label("2", "diagnosis", value="control"),
    ]  # fmt: skip


def test_the_table_of_data_describes_people_and_stored_scans(store: warehouse.Warehouse, ask: Ask) -> None:
    rows = [
        scan("a", session="1", vendor="GE", field_strength=3.0),
        scan("b", session="2", vendor="GE"),
        scan("c", "2", contrast="FLAIR", vendor="Siemens"),
        scan("d", "3"),
        scan("e", "4", vendor="Philips", **REFUSED),  # nobody of this person is stored
    ]
    store.append("scans", rows, "job")
    store.append("labels", people(), "job")
    (row,) = ask("select * from coverage_table where not pooled")
    facts = "n_subjects, n_scans, n_stored, n_refused, n_absent, refused_share, n_people"
    assert [row[name] for name in facts.split(", ")] == [4, 5, 4, 1, 0, 0.2, 3]
    assert (row["female_share"], row["age_median"], row["age_min"], row["age_max"]) == (0.5, 55.0, 40.0, 70.0)
    assert (row["sex_unknown_share"], row["age_unknown_share"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert (row["contrasts"], row["vendors"]) == ("T1w (3), FLAIR (1)", "GE (2), Siemens (1), unknown (1)")
    assert (row["vendor_unknown_share"], row["field_strength_unknown_share"]) == (0.25, 0.75)
    assert (row["diagnoses"], row["diagnosis_unknown_share"]) == ("control (1), unknown (3)", 0.75)
    assert row["synthetic"] is True
    (pooled,) = ask("select * from coverage_table where pooled")
    assert {**pooled, "dataset": "d", "pooled": False} == row, "of one dataset, all is the same"


def test_a_dataset_without_a_stored_scan_is_in_the_table(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", status="absent"), scan("b", **REFUSED)], "job")
    columns = "n_scans, n_stored, n_people, age_median, vendors"
    assert ask(f"select {columns} from coverage_table where dataset = 'd'") == [
        {"n_scans": 2, "n_stored": 0, "n_people": 0, "age_median": None, "vendors": None}
    ]
