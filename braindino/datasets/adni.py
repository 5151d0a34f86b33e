"""ADNI (LONI IDA): ageing, mild impairment and Alzheimer's disease; the archive's tree and the study's visit tables."""

from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.adni_strengths import acquisition_facts
from braindino.datasets.adni_tables import SUBJECT, AdniTables, read_adni_tables
from braindino.datasets.base import Acquisition, DatasetInfo, Discovery, Label, Scan
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.label_columns import fill_in
from braindino.datasets.loni_descriptions import CONTRAST_RULES, ContrastRules, contrast_reader, require_patterns
from braindino.datasets.loni_scans import (
    IdaChoice,
    IdaFacts,
    imaged,
    make_scans,
    not_downloaded,
    raise_if_any,
    unlisted_gaps,
)
from braindino.datasets.loni_tables import parse_day, read_ida_lists
from braindino.datasets.loni_tree import read_tree
from braindino.datasets.required import Missing, require_folder
from braindino.datasets.values import a_few, parse_age

_HOME = "https://adni.loni.usc.edu"
_GET = "download an image collection of the project ADNI from https://ida.loni.usc.edu, and its list as CSV"
_DAYS_PER_YEAR = 365.25
_PREFERENCE = (
    r"\bmpr\b.*gradwarp.*b1.*n3.*scaled",
    r"gradwarp|b1 correction|\bn3m?\b|\bscaled\b",
    r"^(?!.*\b(accelerated|accel|grappa|sense)\b).*(mp ?rage|spgr|\b3d\b)",
    r"mp ?rage|spgr|\b3d\b",
)


@dataclass(frozen=True)
class AdniAdapter:
    """Reads `<PTID>/<description>/<time>/<id>` with XML sidecars, the collections' CSV, and ADNIMERGE or DXSUM.

    Diagnoses, MMSE and CDR are of dated visits; the one nearest to a scan counts for it. ADNIMERGE's AGE is that of the
    baseline visit, so that the age at a scan is computed from it and the days between; where the table is silent, the
    age of the list of images counts. Of several images of one session and contrast, fully processed ones come first,
    then others that are processed, then originals, plain before accelerated; repeats come last. `contrast_rules` says
    what descriptions mean; those of FLAIR are an assumption.
    """

    contrast_rules: ContrastRules = CONTRAST_RULES
    preference: tuple[str, ...] = _PREFERENCE
    one_per_session: bool = True
    dicom_headers: bool = True

    info = DatasetInfo(
        name="adni",
        title="ADNI: Alzheimer's Disease Neuroimaging Initiative",
        licence="ADNI Data Use Agreement",
        restrictions="Access on application; no redistribution.",
        homepage=_HOME,
    )

    def __post_init__(self) -> None:
        require_patterns(self.contrast_rules, self.preference)

    def discover(self, root: Path, name: str) -> Discovery:
        """T1w, T2w, FLAIR and PD scans, one per session and contrast; diagnosis, MMSE, CDR, APOE4, age, sex, education.

        Raises:
            DatasetError: no image, neither ADNIMERGE nor DXSUM, an empty table, or no column of one that is needed; all
                at once.
        """
        root, missing = root.absolute(), Missing()
        require_folder(root, name)
        contrast_of = contrast_reader(self.contrast_rules)
        tree = read_tree(root, SUBJECT, contrast_of, missing, _GET)
        listed = read_ida_lists(tree.found.tables, SUBJECT, missing, _GET)
        people = {folder.name for folder in tree.found.folders} | {row.subject for row in listed.rows}
        tables = read_adni_tables(tree.found.tables, name, people, missing, root)
        strengths, unknown = acquisition_facts(tree.found.tables, missing)
        choice = IdaChoice(self.preference, self.one_per_session, self.dicom_headers)
        absent = not_downloaded(root, tree, listed, contrast_of, "ADNI")
        raise_if_any(missing, name, tree, listed, choice, absent)
        scans, notes = make_scans(tree, listed, name, choice, absent, IdaFacts(strengths, _site))
        computed, absurd = _ages(tables, scans)
        ages = fill_in(computed, imaged(listed.ages(name), scans))
        labels, conflicts = without_conflicts([*fill_in(tables.labels, listed.sexes(name)), *ages])
        silent = sorted({scan.subject for scan in scans} - {x.subject for x in labels if x.label == "diagnosis"})
        if silent:
            notes.append(f"{len(silent)} imaged subject(s) have no diagnosis in the tables: {a_few(silent)}.")
        notes = [*listed.notes, *tables.notes, *unknown, *notes, *absurd, *conflicts]
        return Discovery(tuple(scans), tuple(labels), tuple(notes), gaps=unlisted_gaps(tree, absent))


def _site(subject: str) -> Acquisition:
    return Acquisition.of("path", site=subject.split("_")[0])


def _ages(tables: AdniTables, scans: list[Scan]) -> tuple[list[Label], list[str]]:
    """The age at every session of a subject whose baseline age and visit are known, in years; notes on others."""
    ages, absurd = [], []
    notes: list[str] = []
    for subject, session in {(scan.subject, scan.session): None for scan in scans}:
        day = parse_day(session or "")
        if day is not None and subject in tables.baselines:
            age, baseline = tables.baselines[subject]
            years = parse_age(str(age + (day - baseline).days / _DAYS_PER_YEAR))
            if years is None:
                absurd.append(f"{subject} {session}")
            else:
                ages.append(Label(scans[0].dataset, subject, "age", number=years, unit="years", session=session))
    if absurd:
        said = "By AGE and EXAMDATE of ADNIMERGE the age would not be one of 0 to 130 years, and was not computed, at"
        notes.append(f"{said} {len(absurd)} session(s): {a_few(absurd)}.")
    if without := sorted({scan.subject for scan in scans} - tables.baselines.keys()):
        said = "imaged subject(s) have no age and day of a visit bl in ADNIMERGE; ages are those of the list of images"
        notes.append(f"{len(without)} {said}: {a_few(without)}.")
    return ages, notes
