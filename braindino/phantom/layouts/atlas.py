"""The layouts of ATLAS: R2.1 and v3.0 with a table per session, and v2.0, registered, without days since stroke."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from braindino.phantom.cohort import Subject, make_cohort
from braindino.phantom.layouts.bids_text import description
from braindino.phantom.layouts.people import pick
from braindino.phantom.layouts.text import csv_text, xlsx_bytes
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_ROOT = "ATLAS3_Training_Raw"
_SITES = ("R001", "R005", "R015", "R039", "R049")
_GAINS = {"R001": 1e-3, "R015": 100.0}  # the scales of intensities span five orders of magnitude
_SPLITS = {"Training": "training", "Testing": "test"}
_COLUMNS = ("SESSION_ID", "ATLAS2_DATASET", "DAYS_POST_STROKE", "CHRONICITY", "SITE")
_OTHER_ORDER = ("SITE", "SESSION_ID", "DAYS_POST_STROKE", "CHRONICITY", "ATLAS2_DATASET")  # of some centres
_CHRONIC = 180  # days
_MAKERS = ("Siemens", "Philips", "GE")
_SPACE = "space-MNI152NLin2009aSym"
_V2_HEADER = (
    "Subject ID", "Session", "Site", "Scanner", "# Lesions LH Cortical and White Matter", "# Lesions LH Subcortical",
    "# Lesions RH Cortical and White Matter", "# Lesions RH Subcortical", "# Lesions Other Location",
)  # fmt: skip


@dataclass(frozen=True)
class _Session:
    """A session: the person at that time, and what its table states (nothing in `cells`: a table without a row)."""

    subject: Subject
    id: str
    site: str
    label: str
    cells: Mapping[str, str]

    @property
    def stem(self) -> str:
        folder = f"{_ROOT}/{self.site}/sub-{self.id}/ses-{self.label}/anat"
        return f"{folder}/sub-{self.id}_ses-{self.label}"


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """People after a stroke, stripped T1w in native space with a lesion mask, in the raw tree of v3.0.

    Days since stroke are missing, 0 or -4 for some, the order of columns differs by centre, the last person's table
    has a header only, the masks of R039 hold 0.9999, and every centre has its own scale of intensities.
    """
    subjects = make_cohort(n_subjects, seed, patients=0.0, lesions=1.0, ages=(30.0, 85.0))
    rng = np.random.default_rng((*seed, 1))
    sessions = [session for subject in subjects for session in _sessions(subject, n_subjects, rng)]
    scans = [_scan(session) for session in sessions]
    files = {f"{session.stem}_metadata.csv": _table(session) for session in sessions}
    return Plan(subjects, scans, files, [label for session in sessions for label in _labels(session)])


def _sessions(subject: Subject, n_subjects: int, rng: np.random.Generator) -> list[_Session]:
    site = _SITES[(subject.number - 1) % len(_SITES)]
    name = f"r{site[1:]}s{subject.number:03d}"
    days = float(rng.choice([12.0, 90.5, 182.5, 400.0, 1825.0]))
    former = pick(rng, tuple(_SPLITS))
    sessions = []
    for label in ("1", "2") if subject.number % 4 == 0 else ("1",):
        cells = {
            "SESSION_ID": f"sub-{name}_ses-{label}",
            "ATLAS2_DATASET": former,
            "DAYS_POST_STROKE": pick(rng, ("0", "-4")) if site == "R049" else str(days),
            "CHRONICITY": "" if site == "R049" else ("ge180" if days >= _CHRONIC else "lt180"),
            "SITE": site,
        }
        if site == "R005":
            cells |= {"DAYS_POST_STROKE": "", "CHRONICITY": "unknown"}
        known = {} if subject.number == n_subjects > 1 else cells
        sessions.append(_Session(subject, name, site, label, known))
        days, subject = days + 365, replace(subject, age=round(subject.age + 1, 2))
    return sessions


def _scan(session: _Session) -> ScanFile:
    return ScanFile(
        session.subject,
        "T1w",
        f"{session.stem}_space-orig_desc-brain_T1w.nii.gz",
        axes="LAS" if session.subject.number % 2 else "RAS",
        lesion_mask=f"{session.stem}_space-orig_label-lesion_desc-T1lesion_mask.nii.gz",
        lesion_slope=0.9999 if session.site == "R039" else None,
        slope=0.04,
        gain=_GAINS.get(session.site, 1.0),
        told=Told(session.id, session.label, facts={"site": session.site}),
    )


def _table(session: _Session) -> str:
    columns = _OTHER_ORDER if session.site == "R015" else _COLUMNS
    return csv_text(columns, [[session.cells[column] for column in columns]] if session.cells else [])


def _labels(session: _Session) -> list[ToldLabel]:
    cells, labels = session.cells, []
    if cells and cells["DAYS_POST_STROKE"] and float(cells["DAYS_POST_STROKE"]) > 0:
        days = float(cells["DAYS_POST_STROKE"])
        labels.append(ToldLabel(session.id, "days_since_stroke", days, "days", session.label))
    if cells and cells["CHRONICITY"] not in ("", "unknown"):
        labels.append(ToldLabel(session.id, "stroke_chronicity", cells["CHRONICITY"], None, session.label))
    return [*labels, ToldLabel(session.id, "split", "training")]  # of v3.0: its folder; v2.0's was another one


def plan_v2(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """The same in the tree of v2.0: registered whole heads, masks for the training part only, one workbook."""
    subjects = make_cohort(n_subjects, seed, patients=0.0, lesions=1.0, ages=(30.0, 85.0))
    scans: list[ScanFile] = []
    rows: list[Sequence[object]] = [_V2_HEADER]
    files: dict[str, str | bytes] = {}
    labels: list[ToldLabel] = []
    for subject in subjects:
        site, part = _SITES[subject.number % len(_SITES)], "Testing" if subject.number % 3 == 0 else "Training"
        name = f"r{site[1:]}s{subject.number:03d}"
        stem = f"ATLAS_2/{part}/{site}/sub-{name}/ses-1/anat/sub-{name}_ses-1_{_SPACE}"
        mask = f"{stem}_label-L_desc-T1lesion_mask.nii.gz" if part == "Training" else None
        maker = _MAKERS[subject.number % len(_MAKERS)]
        told = Told(name, "1", facts={"site": site, "vendor": maker})
        scans.append(ScanFile(subject, "T1w", f"{stem}_T1w.nii.gz", with_skull=True, lesion_mask=mask, told=told))
        rows.append([f"sub-{name}", "ses-1", site, maker, 0, 1, 0, 0, 0])
        labels.append(ToldLabel(name, "split", _SPLITS[part]))
        files[f"ATLAS_2/{part}/{site}/dataset_description.json"] = description("ATLAS", "free after a signed form")
    files["ATLAS_2/20220425_ATLAS_2.0_MetaData.xlsx"] = xlsx_bytes({"MetaData": rows})
    return Plan(subjects, scans, files, labels)
