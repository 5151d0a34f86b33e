"""What the files of a phantom say, an adapter must find: scans, contrasts, times, facts, labels and links, per dataset.

The two sides share no constant and no helper: each is written from what is known of the dataset's download.
"""

from pathlib import Path
from typing import Any

import pytest

from braindino.datasets import FACTS, Discovery, get_adapter
from braindino.phantom import Plan, plan_cohort, write_cohort

TWENTY = (
    "abide1", "adhd200", "adni", "aomic_id1000", "atlas", "brats2021", "brats2023_men", "brats2023_met",
    "brats2024_goat", "dlbs", "hcp_ya", "icbm", "ixi", "long579", "nki_rockland", "oasis1", "pixar", "ppmi",
    "ucsf_pdgm", "upenn_gbm",
)  # fmt: skip
SUBJECTS, SEED = 6, 11

Pair = tuple[Path, Plan, Discovery]


@pytest.fixture(scope="module", params=TWENTY)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A phantom's folder, the plan it was written from, and what the adapter of the same name found in it."""
    name = request.param
    root = tmp_path_factory.mktemp(name) / "download"
    write_cohort(name, root, SUBJECTS, SEED, spacing_mm=8.0, heads=False)
    return root, plan_cohort(name, SUBJECTS, SEED, heads=False), get_adapter(name).discover(root, "mine")


def when_of(moment: Any) -> tuple[str, str] | None:
    return None if moment is None else (moment.kind, moment.value)


def test_every_scan_is_found_and_nothing_else(pair: Pair) -> None:
    root, plan, found = pair
    assert {scan.image.relative_to(root).as_posix() for scan in found.scans} == {scan.image for scan in plan.scans}
    assert len({scan.source_key for scan in found.scans}) == len(found.scans) > 0
    assert all(scan.image_present and scan.dataset == "mine" for scan in found.scans)


def test_a_scan_is_described_as_its_dataset_tells(pair: Pair) -> None:
    root, plan, found = pair
    meant = {scan.image: scan for scan in plan.scans}
    for scan in found.scans:
        written = meant[scan.image.relative_to(root).as_posix()]
        told = written.told
        assert told is not None
        assert (scan.subject, scan.session, scan.run) == (told.subject, told.session, told.run), written.image
        assert scan.contrast == written.contrast, written.image
        assert when_of(scan.when) == told.when, written.image
        facts = {fact: getattr(scan.acquisition, fact) for fact in FACTS}
        assert facts == {fact: told.facts.get(fact) for fact in FACTS}, written.image
        assert {fact for fact, _ in scan.acquisition.sources} == set(told.facts), "every known fact has a source"
        for path, meant_path in ((scan.segmentation, written.segmentation), (scan.brain_mask, written.brain_mask)):
            assert path == (root / meant_path if meant_path else None), written.image
        if scan.segmentation is not None:
            assert {code for code, _ in scan.segmentation_codes} == set(written.lesion_codes)


def test_labels_are_what_the_tables_say(pair: Pair) -> None:
    _, plan, found = pair
    read = {
        (item.subject, item.session, item.label, item.value if item.number is None else item.number, item.unit,
         when_of(item.when))
        for item in found.labels
    }  # fmt: skip
    told = {(item.subject, item.session, item.label, item.value, item.unit, item.when) for item in plan.labels}
    assert read == told


def test_links_are_what_the_tables_say(pair: Pair) -> None:
    _, plan, found = pair
    assert {(link.subject, (link.other_dataset, link.other_subject)) for link in found.links} == set(plan.links)
