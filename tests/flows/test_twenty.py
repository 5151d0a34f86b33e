"""All twenty datasets, written as their downloads look, ingested through their own adapters in one single run."""

from pathlib import Path

import pytest

import warehouse
from braindino import phantom
from braindino.evaluation import TASKS
from flows.datasets_file import load, remember
from flows.holdout import labelled_groups
from flows.ingest import ingest_all

RECIPE = "isotropic_2mm"
TWENTY = (
    "abide1", "adhd200", "adni", "aomic_id1000", "atlas", "brats2021", "brats2023_men", "brats2023_met",
    "brats2024_goat", "dlbs", "hcp_ya", "icbm", "ixi", "long579", "nki_rockland", "oasis1", "pixar", "ppmi",
    "ucsf_pdgm", "upenn_gbm",
)  # fmt: skip
SUBJECTS, SEED, SPACING = 1, 7, 4.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose datasets.toml names all twenty, after one `ingest --all`."""
    base = tmp_path_factory.mktemp("twenty")
    where = base / "home"
    warehouse.open(where)
    for name in TWENTY:
        phantom.write_cohort(name, base / name, SUBJECTS, SEED, spacing_mm=SPACING, heads=False)
        remember(where, name, name, base / name, RECIPE)
    assert [entry.name for entry in load(where)] == list(TWENTY)
    ingest_all(str(where), 1)
    return where


def ask(home: Path, query: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = warehouse.open(home).query(query).to_pylist()
    return rows


def test_every_scan_of_every_dataset_is_stored(home: Path) -> None:
    meant = {name: len(phantom.plan_cohort(name, SUBJECTS, SEED, heads=False).scans) for name in TWENTY}
    counted = ask(home, "select dataset, status, reason, count(*) as n from scans group by all order by all")
    assert counted == [{"dataset": name, "status": "stored", "reason": None, "n": meant[name]} for name in TWENTY]


def test_contrasts_and_facts_arrive_in_the_tables(home: Path) -> None:
    for name in TWENTY:
        written: dict[str, int] = {}
        for scan in phantom.plan_cohort(name, SUBJECTS, SEED, heads=False).scans:
            written[scan.contrast] = written.get(scan.contrast, 0) + 1
        found = ask(home, f"select contrast, count(*) as n from scans where dataset = '{name}' group by all")
        assert {row["contrast"]: row["n"] for row in found} == written, name
    sourceless = "select dataset, vendor from scans where (vendor is null) <> (vendor_source is null)"
    assert ask(home, sourceless) == []


def test_every_dataset_says_its_licence_and_that_it_is_synthetic(home: Path) -> None:
    rows = ask(home, "select dataset, licence, synthetic from datasets order by all")
    assert [row["dataset"] for row in rows] == list(TWENTY)
    assert all(row["licence"] and row["synthetic"] for row in rows)


def test_segmented_tumours_can_be_fitted_and_nobody_without_a_segmentation_is_called_well(home: Path) -> None:
    told = ask(home, "select dataset, scan_id, value from labelled_scans where label = 'lesion' order by all")
    outlined = ask(home, "select dataset, scan_id, 'present' as value from scans where has_segmentation order by all")
    assert told == outlined
    assert {"atlas", "brats2021", "brats2023_men", "ucsf_pdgm", "upenn_gbm"} <= {row["dataset"] for row in told}
    people = labelled_groups(warehouse.open(home), TASKS["lesion"])
    assert set(people.values()) == {"present"}
    volumes = ask(home, "select lesion_ml from lesions")
    assert all(0 < float(str(row["lesion_ml"])) < 400 for row in volumes)


def test_the_glioma_sets_share_their_people_by_table(home: Path) -> None:
    """The phantom of BraTS 2021 holds people of UPENN-GBM and UCSF-PDGM, and its mapping table says so."""
    shared = ask(
        home,
        "select count(distinct a.subject_uid) as n from subjects a join subjects b using (subject_uid) "
        "where a.dataset = 'brats2021' and b.dataset in ('upenn_gbm', 'ucsf_pdgm')",
    )
    assert int(str(shared[0]["n"])) > 0
