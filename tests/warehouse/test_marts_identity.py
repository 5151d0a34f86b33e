"""Who is who: names of one person over all datasets, copies of one scan, families, and what pretraining saw of them."""

import warehouse
from tests.warehouse.conftest import Ask, Row, label, scan


def link(dataset: str, subject: str, other_dataset: str, other_subject: str) -> Row:
    return {
        "dataset": dataset, "subject": subject, "other_dataset": other_dataset,
        "other_subject": other_subject, "evidence": "a table",
    }  # fmt: skip


def test_names_linked_in_a_chain_are_one_person(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append(
        "scans",
        [scan("a", "1"), scan("b", "2", dataset="e"), scan("c", "3", dataset="f"), scan("d", "4")],
        "job",
    )
    store.append("subject_links", [link("f", "3", "e", "2"), link("d", "1", "f", "3")], "job")
    assert ask("select dataset, subject, subject_uid, n_names from subjects order by all") == [
        {"dataset": "d", "subject": "1", "subject_uid": "d/1", "n_names": 3},
        {"dataset": "d", "subject": "4", "subject_uid": "d/4", "n_names": 1},
        {"dataset": "e", "subject": "2", "subject_uid": "d/1", "n_names": 3},
        {"dataset": "f", "subject": "3", "subject_uid": "d/1", "n_names": 3},
    ]


def test_a_circle_of_links_ends(store: warehouse.Warehouse, ask: Ask) -> None:
    links = [
        link("d", "1", "d", "2"),
        link("d", "2", "d", "3"),
        link("d", "3", "d", "1"),
        link("d", "1", "d", "1"),
    ]
    store.append("subject_links", links, "job")
    assert ask("select distinct subject_uid, n_names from subjects") == [{"subject_uid": "d/1", "n_names": 3}]


def test_subjects_are_known_from_labels_and_links_alone(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("labels", [label("7", "age", number=1.0)], "job")
    store.append("subject_links", [link("d", "8", "e", "8")], "job")
    assert [row["subject_uid"] for row in ask("select subject_uid from subjects order by all")] == ["d/7", "d/8"]


def test_a_link_learned_later_changes_rows_already_stored(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", "1"), scan("b", "2")], "job")
    store.append("labels", [label("2", "age", number=40.0)], "job")
    assert len(ask("select distinct subject_uid from scans")) == 2
    store.append("subject_links", [link("d", "2", "d", "1")], "job")
    assert ask("select distinct subject_uid from scans") == [{"subject_uid": "d/1"}]
    assert ask("select subject_uid from labels") == [{"subject_uid": "d/1"}]


def dataset(name: str, adapter: str, synthetic: bool = False) -> Row:
    return {"dataset": name, "adapter": adapter, "synthetic": synthetic}


def test_links_name_the_other_dataset_by_its_adapter_whatever_it_is_called_here(
    store: warehouse.Warehouse, ask: Ask
) -> None:
    store.append("datasets", [dataset("glioma", "brats2021"), dataset("penn", "upenn_gbm")], "job")
    store.append("scans", [scan("a", "B1", dataset="glioma"), scan("b", "U1", dataset="penn")], "job")
    assert len(ask("select distinct subject_uid from subjects")) == 2
    store.append("subject_links", [{**link("glioma", "B1", "upenn_gbm", "U1"), "evidence": "Mapping.xlsx"}], "job")
    assert ask("select distinct subject_uid from scans") == [{"subject_uid": "glioma/B1"}]
    store.append("subject_links", [{**link("glioma", "B1", "upenn_gbm", "U1"), "withdrawn": True}], "job")
    assert len(ask("select distinct subject_uid from subjects")) == 2


def test_two_copies_of_one_dataset_name_the_same_people(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("datasets", [dataset("ixi", "ixi"), dataset("ixi_again", "ixi"), dataset("mine", "bids")], "job")
    rows = [scan("a", "IXI002", dataset="ixi"), scan("b", "IXI002", dataset="ixi_again")]
    store.append("scans", [*rows, scan("c", "IXI002", dataset="mine")], "job")
    assert ask("select dataset, subject_uid from subjects order by all") == [
        {"dataset": "ixi", "subject_uid": "ixi/IXI002"},
        {"dataset": "ixi_again", "subject_uid": "ixi/IXI002"},
        {"dataset": "mine", "subject_uid": "mine/IXI002"},
    ]


def test_synthetic_people_are_never_real_ones(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("datasets", [dataset("ixi", "ixi"), dataset("made_up", "ixi", synthetic=True)], "job")
    store.append("scans", [scan("a", "IXI002", dataset="ixi"), scan("b", "IXI002", dataset="made_up")], "job")
    assert len(ask("select distinct subject_uid from subjects")) == 2


def test_two_people_linked_to_a_third_who_is_not_here_are_one(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", "1"), scan("b", "2")], "job")
    store.append("subject_links", [link("d", "1", "elsewhere", "x"), link("d", "2", "elsewhere", "x")], "job")
    assert ask("select distinct subject_uid, n_names from subjects") == [{"subject_uid": "d/1", "n_names": 2}]


def copy(a: str, b: str, grade: str = "copy", **more: object) -> Row:
    base = {"scan_id": a, "content_hash": f"{a}-v1", "other_scan_id": b, "other_content_hash": f"{b}-v1"}
    return {**base, "fingerprint_version": 1, "grade": grade, "score": 0.99, **more}


def test_copies_of_a_scan_make_one_person_and_likeness_does_not(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", "1"), scan("b", "2", dataset="e"), scan("c", "3")], "job")
    store.append("scan_copies", [copy("a", "b"), copy("a", "c", "same_person")], "job")
    assert ask("select subject, subject_uid from subjects order by all") == [
        {"subject": "1", "subject_uid": "d/1"},
        {"subject": "2", "subject_uid": "d/1"},
        {"subject": "3", "subject_uid": "d/3"},
    ]
    assert ask("select grade, subject, other_subject from scan_copies order by all") == [
        {"grade": "copy", "subject": "1", "other_subject": "2"},
        {"grade": "same_person", "subject": "1", "other_subject": "3"},
    ]


def test_a_scan_that_changed_is_no_longer_a_copy(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", "1"), scan("b", "2")], "job")
    store.append("scan_copies", [copy("a", "b")], "job")
    store.append("scans", [scan("b", "2", content_hash="b-v2")], "job")
    assert len(ask("select distinct subject_uid from subjects")) == 2
    assert ask("from scan_copies") == []


def test_a_family_is_one_group_of_several_people(store: warehouse.Warehouse, ask: Ask) -> None:
    families = {"1": "F1", "2": "F1", "3": "F2", "4": "F3"}
    store.append("labels", [label(person, "family", value=name) for person, name in families.items()], "job")
    store.append("labels", [label("9", "age", number=30.0)], "job")
    assert ask("select subject_uid, split_group from subjects order by all") == [
        {"subject_uid": "d/1", "split_group": "d/1"},
        {"subject_uid": "d/2", "split_group": "d/1"},
        {"subject_uid": "d/3", "split_group": "d/3"},
        {"subject_uid": "d/4", "split_group": "d/4"},
        {"subject_uid": "d/9", "split_group": "d/9"},
    ]


def frozen(task: str, subject: str) -> Row:
    return {"task": task, "dataset": "d", "subject": subject, "seed": 0, "test_fraction": 0.3}


def test_with_a_person_their_relatives_are_held_out(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("labels", [label(person, "family", value="F1") for person in ("1", "2")], "job")
    store.append("holdouts", [frozen("age", "2")], "job")
    assert ask("select task, subject from holdouts order by all") == [
        {"task": "age", "subject": "1"},
        {"task": "age", "subject": "2"},
    ]


def test_everybody_of_an_external_dataset_is_held_out_under_all_names(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", "1"), scan("b", "2", dataset="out"), scan("c", "3")], "job")
    store.append("subject_links", [link("d", "1", "out", "2")], "job")
    store.append("external_datasets", [{"dataset": "out"}], "job")
    assert ask("select task, dataset, subject from holdouts order by all") == [
        {"task": "external:out", "dataset": "d", "subject": "1"},
        {"task": "external:out", "dataset": "out", "subject": "2"},
    ]


def test_a_leak_is_what_a_training_saw_of_a_test_subject_by_any_name(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [scan("a", "1"), scan("b", "2", dataset="e"), scan("c", "3")], "job")
    store.append("holdouts", [frozen("age", "1")], "job")
    store.append("trainings", [{"training_id": "t", "status": "finished", "encoder_id": "enc"}], "job")
    given = [{"training_id": "t", "dataset": d, "subject": s, "n_scans": 1} for d, s in (("e", "2"), ("d", "3"))]
    store.append("training_subjects", given, "job")
    assert ask("from leaks") == []
    store.append("scan_copies", [copy("a", "b")], "job")
    (leak,) = ask("select encoder_id, task, subject, seen_dataset, seen_subject, relation from leaks")
    assert leak.pop("relation") == "another name of the same person"
    assert leak == {"encoder_id": "enc", "task": "age", "subject": "1", "seen_dataset": "e", "seen_subject": "2"}
