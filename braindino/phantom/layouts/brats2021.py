"""The layout of BraTS 2021: a folder per case, and the table that tells under which name TCIA has it."""

from collections.abc import Sequence

from braindino.phantom.layouts.brats import CODES_2021, NAMES_2021, case_scans, split_label
from braindino.phantom.layouts.gliomas import TASK_2_ONLY, TCGA, UCSF, UPENN, Glioma, in_brats2021
from braindino.phantom.layouts.text import csv_text, xlsx_bytes
from braindino.phantom.plan import Plan, Reencoding, Told, ToldLabel

_HEADER = (
    "Data Collection (as on TCIA+additional)", "Site ID",
    "PatientID on TCIA Radiology Portal", "Study date (m/d/yyyy) per PatientID", "BraTS2021 ID",
    "Segmentation (Task 1) Cohort", "MGMT (Task 2) Cohort", "MGMT value",
)  # fmt: skip
_SITES = {UPENN: 18, UCSF: 12, TCGA: 3}
_AGAIN = Reencoding(factor=0.83, trim_mm=1.0, compression=9)  # as the challenge stored what it was given
_TASK_2_ONLY = ("Collection 1", 5, None, None, f"{TASK_2_ONLY:05d}", None, "Training", 1)  # a case without images here


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Gliomas of UPENN-GBM, UCSF-PDGM and others, stored again; the validation set has no segmentations.

    The mapping writes UCSF's ids as bare numbers and UPENN's with their time point.

    Raises:
        ConfigError: more people than ids.
    """
    cases = in_brats2021(seed, n_subjects)
    scans = [
        scan
        for case in cases
        for scan in case_scans(
            case.subject, _stem(case), NAMES_2021, CODES_2021, Told(_id(case), facts={"site": str(_SITES[case.home])}),
            segmentation=f"{_stem(case)}_seg.nii.gz" if case.brats_cohort == "Training" else None, reencoding=_AGAIN,
        )
    ]  # fmt: skip
    files: dict[str, str | bytes] = {
        "BraTS2021_MappingToTCIA.xlsx": xlsx_bytes(
            {"BraTS2021_MappingToTCIA": [_HEADER, *(_row(case) for case in cases), _TASK_2_ONLY]}
        ),
        "train_labels.csv": csv_text(("BraTS21ID", "MGMT_value"), _task_2(cases)),
    }
    links = [(_id(case), _other(case)) for case in cases if case.home != TCGA]
    labels = [label for case in cases for label in _labels(case)]
    return Plan([case.subject for case in cases], scans, files, labels, links)


def _id(case: Glioma) -> str:
    return str(case.brats_id)


def _stem(case: Glioma) -> str:
    return f"RSNA_ASNR_MICCAI_BraTS2021_{case.brats_cohort}Data/{_id(case)}/{_id(case)}"


def _other(case: Glioma) -> tuple[str, str]:
    if case.home == UPENN:
        return "upenn_gbm", f"UPENN-GBM-{case.home_number:05d}"
    return "ucsf_pdgm", f"UCSF-PDGM-{case.home_number:04d}"


def _labels(case: Glioma) -> list[ToldLabel]:
    labels = [split_label(_id(case), case.brats_cohort)]
    if case.methylated is not None:
        labels.append(ToldLabel(_id(case), "mgmt", "methylated" if case.methylated else "unmethylated"))
    return labels


def _row(case: Glioma) -> list[object]:
    patient: object = {
        UPENN: f"UPENN-GBM-{case.home_number:05d}_11",
        UCSF: case.home_number,
        TCGA: f"TCGA-02-{case.home_number:04d}",
    }[case.home]
    tested = case.brats_cohort if case.methylated is not None else None
    value = None if case.methylated is None else int(case.methylated)
    return [case.home, _SITES[case.home], patient, None, _id(case), case.brats_cohort, tested, value]


def _task_2(cases: Sequence[Glioma]) -> list[list[object]]:
    """The table of the second task: training cases with a known MGMT status, ids with their zeros."""
    known = [case for case in cases if case.methylated is not None and case.brats_cohort == "Training"]
    return [[_id(case).removeprefix("BraTS2021_"), int(bool(case.methylated))] for case in known]
