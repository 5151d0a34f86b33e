"""ADHD-200: children with ADHD and controls of eight sites; a folder and a table per site, a list of the test part."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.base import DatasetInfo, Discovery, Label
from braindino.datasets.bids_files import is_file
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.bids_missing import earlier_runs
from braindino.datasets.bids_tree import TreeRules, bids_roots, coverage_notes, tables_above_subjects
from braindino.datasets.fcp_trees import padded_id, read_sites
from braindino.datasets.label_columns import (
    LabelColumn,
    age_column,
    coded,
    fill_in,
    handedness_column,
    read_labels,
    require_columns,
    sex_column,
)
from braindino.datasets.required import Missing, require_folder
from braindino.datasets.tables import SourceTable
from braindino.datasets.values import a_few, parse_number

_HOME = "https://fcon_1000.projects.nitrc.org/indi/adhd200/"
_S3 = "s3://fcp-indi/data/Projects/ADHD200/RawDataBIDS"
_SYNC = f"aws s3 sync --no-sign-request {_S3} RawDataBIDS"
_GET = f"get it with `{_SYNC}`"
_GET_TEST = f"get it from the project page, {_HOME}"
_ID = ("participant_id", "ScanDir ID")
_TEST_ID = ("ID", "ScanDir ID")
_TEST_LIST = "allSubs_testSet_phenotypic_dx.csv"

_DIAGNOSES = coded(
    {
        "0": "control", "Typically Developing Children": "control",
        "1": "adhd_combined", "ADHD-Combined": "adhd_combined",
        "2": "adhd_hyperactive_impulsive", "ADHD-Hyperactive/Impulsive": "adhd_hyperactive_impulsive",
        "3": "adhd_inattentive", "ADHD-Inattentive": "adhd_inattentive",
    }
)  # fmt: skip
# A score between -1 and 1 (NYU) is no hand, and gives no label.
_HAND = handedness_column("handedness")
_TEST_COLUMNS = (LabelColumn("diagnosis", ("DX",), _DIAGNOSES),)


@dataclass(frozen=True)
class Adhd200Adapter:
    """Reads `RawDataBIDS/<site>`, one site's folder, the older `RawData` tree or NITRC's folders, and the tables.

    A site's participants.tsv is trusted most, then `*_phenotypic.csv`, whose codes for sex are an assumption and thus
    a field here, then the list of the competition's test part, which also tells the split. The sites in
    `without_diagnosis` never released any. `t1_names` are the T1 files of the trees that are not BIDS; in NITRC's
    folders they are really called rest.nii.gz. Who is not in that list was in the training part only if the list is
    whole, with `test_part` subjects, or if a phenotypic table of the training part has a row.
    """

    t1_names: tuple[str, ...] = ("mprage", "rest")
    sex_codes: tuple[tuple[str, str], ...] = (("0", "female"), ("1", "male"))
    without_diagnosis: tuple[str, ...] = ("Brown",)
    test_part: int = 197

    info = DatasetInfo(
        name="adhd200",
        title="ADHD-200",
        licence="CC BY-NC",
        restrictions="Non-commercial; the owners ask users to register with NITRC and to name the sites used.",
        homepage=_HOME,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """Every T1w; diagnosis, age, sex, handedness, quality as the site states it, and the competition's split.

        Raises:
            DatasetError: no T1w, a site without a table, or no column of one that is needed; all at once.
        """
        root = root.absolute()
        require_folder(root, name)
        missing = Missing()
        rules = TreeRules(frozenset({"T1w"}), due=earlier_runs, get=f"get the images with `{_SYNC}`")
        tree = read_sites(root, name, self.t1_names, rules)
        if not tree.scans:
            missing.say(f"{root} holds no T1w in a tree of ADHD-200: {rules.get}.")
        missing.images(tree.scans, tree.gaps, root)
        tables = self._tables(root, missing)
        test = _test_list(root, missing)
        missing.raise_if_any(name)
        labels: list[Label] = []
        notes: list[str] = []
        for kind in tables:
            stated, oddities = self._labels(kind, name)
            labels = fill_in(labels, stated)
            notes += oddities
        labels, more = _with_diagnoses(labels, test, name)
        everyone = dict.fromkeys((*(label.subject for label in labels), *tree.subjects))
        split, unsure = self._split(everyone, test, tables[1], name)
        labels += split
        notes += [*more, *unsure, *tree.notes, *coverage_notes(tree, labels, "the sites' tables")]
        return Discovery(tree.scans, tuple(labels), tuple(dict.fromkeys(notes)), gaps=tree.gaps)

    def _columns(self, site: str) -> tuple[LabelColumn, ...]:
        diagnosis = LabelColumn("diagnosis", ("dx",), _DIAGNOSES, optional=site in self.without_diagnosis)
        sex = sex_column("gender", codes={"male": "male", "female": "female", **dict(self.sex_codes)})
        quality = LabelColumn("qc", ("qc_anatomical_1", "qc_s1_anat"), _as_stated, optional=True)
        return diagnosis, age_column("age"), sex, _HAND, quality

    def _tables(self, root: Path, missing: Missing) -> tuple[list[SourceTable], list[SourceTable]]:
        """The sites' BIDS tables, and the phenotypic ones; a site with BIDS folders needs one of them."""
        phenotypic = tables_above_subjects(root, "*_phenotypic.csv", 3)
        wanted = [folder / "participants.tsv" for folder in bids_roots(root)]
        wanted = [path for path in wanted if is_file(path) or not phenotypic]
        if not wanted and not phenotypic:
            missing.say(f"{root} has neither a site's participants.tsv nor a *_phenotypic.csv: {_GET}.")
        read = ([missing.table(path, "\t", _GET) for path in wanted], [missing.table(p, ",", _GET) for p in phenotypic])
        bids, csv = ([table for table in tables if table is not None] for tables in read)
        for table in (*bids, *csv):
            require_columns(table, (_ID,), self._columns(_site(table)), missing, _GET)
        return bids, csv

    def _labels(self, tables: Sequence[SourceTable], name: str) -> tuple[list[Label], list[str]]:
        labels: list[Label] = []
        notes: list[str] = []
        for table in tables:
            stated, oddities = read_labels(table, name, padded_id(table, _ID), self._columns(_site(table)))
            labels += stated
            notes += [f"{_site(table)}: {note}" for note in (*table.notes, *oddities)]
        kept, conflicts = without_conflicts(labels)
        return kept, notes + conflicts

    def _split(
        self, people: Iterable[str], test: SourceTable | None, phenotypic: Sequence[SourceTable], name: str
    ) -> tuple[list[Label], list[str]]:
        """Who was in which part of the competition, as far as that is certain."""
        if test is None:
            return [], [f"{_TEST_LIST} is not here: who was in the competition's test part is unknown."]
        tested, trained = _subjects(test, _TEST_ID), _trained(phenotypic)
        whole = len(tested) >= self.test_part
        parts = {who: "test" if who in tested else "training" if whole or who in trained else None for who in people}
        unsure = [who for who, part in parts.items() if part is None]
        notes = [
            f"{_TEST_LIST} has {len(tested)} subjects of {self.test_part}: the part of {len(unsure)} other subject(s), "
            f"who are in no phenotypic table of the training part, is unknown: {a_few(unsure)}."
        ]
        return [Label(name, who, "split", part) for who, part in parts.items() if part], notes if unsure else []


def _with_diagnoses(labels: list[Label], test: SourceTable | None, name: str) -> tuple[list[Label], list[str]]:
    """The labels, with the diagnoses of the test list where the sites give none."""
    if test is None:
        return labels, []
    stated, notes = read_labels(test, name, padded_id(test, _TEST_ID), _TEST_COLUMNS)
    return fill_in(labels, stated), notes


def _site(table: SourceTable) -> str:
    """The site a table is about: `Brown/participants.tsv`, `Brown_TestRelease_phenotypic.csv`."""
    path = table.path
    return path.parent.name if path.suffix == ".tsv" else path.name.split("_TestRelease")[0].split("_phenotypic")[0]


def _as_stated(cell: str) -> str | float:
    number = parse_number(cell)
    return cell if number is None else number


def _test_list(root: Path, missing: Missing) -> SourceTable | None:
    """The list of the competition's test part, where it was downloaded."""
    path = next(iter(tables_above_subjects(root, _TEST_LIST, 3)), None)
    table = missing.table(path, ",", _GET_TEST) if path else None
    if table is not None:
        require_columns(table, (_TEST_ID,), _TEST_COLUMNS, missing, _GET_TEST)
    return table


def _subjects(table: SourceTable, id_names: Sequence[str]) -> set[str]:
    subject = padded_id(table, id_names)
    return {who for row in table.rows if (who := subject(row)) is not None}


def _trained(phenotypic: Sequence[SourceTable]) -> set[str]:
    """Who is in a phenotypic table of the training part; those of the test part are called `_TestRelease_`."""
    tables = [table for table in phenotypic if "_testrelease" not in table.path.name.lower()]
    return {who for table in tables for who in _subjects(table, _ID)}
