"""ABIDE I: autism and controls of 17 institutions; one T1w each, a folder per site and one table for all."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from braindino.datasets.base import DatasetInfo, Discovery, Scan
from braindino.datasets.bids_cohort import agreed_cells
from braindino.datasets.bids_files import AnatFolder, entries
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.bids_sidecars import SidecarReader, acquisition_of
from braindino.datasets.bids_tree import Tree, TreeRules, coverage_notes, tables_above_subjects, unreadable
from braindino.datasets.fcp_trees import padded_id, read_sites
from braindino.datasets.label_columns import (
    LabelColumn,
    age_column,
    coded,
    handedness_column,
    read_labels,
    require_columns,
    sex_column,
)
from braindino.datasets.required import Missing, require_folder
from braindino.datasets.tables import SourceTable
from braindino.datasets.values import a_few

_HOME = "https://fcon_1000.projects.nitrc.org/indi/abide/abide_I.html"
_S3 = "s3://fcp-indi/data/Projects/ABIDE"
_GET_IMAGES = f"get the images with `aws s3 sync --no-sign-request {_S3}/RawDataBIDS RawDataBIDS`"
_GET_TABLE = f"get Phenotypic_V1_0b.csv with `aws s3 cp --no-sign-request {_S3}/Phenotypic_V1_0b.csv .`"
_TABLES = ("Phenotypic_V1_0b.csv", "Phenotypic_V1_0b_preprocessed1.csv", "participants.tsv")
_ID = ("SUB_ID", "participant_id")
_SITE = "SITE_ID"
_COLUMNS = (
    LabelColumn("diagnosis", ("DX_GROUP",), coded({"1": "autism", "2": "control"})),
    age_column("AGE_AT_SCAN"),
    sex_column("SEX", codes={"1": "male", "2": "female"}),
    handedness_column("HANDEDNESS_CATEGORY"),
    LabelColumn(
        "diagnosis_subtype",
        ("DSM_IV_TR",),
        coded({"1": "autism", "2": "asperger", "3": "pdd_nos", "4": "asperger_or_pdd_nos"}),
        silent=frozenset({"0"}),  # a control, or one of 20 people with autism whose subtype was not coded
    ),
)


@dataclass(frozen=True)
class Abide1Adapter:
    """Reads `RawDataBIDS/<site>`, one site's folder, the older `RawData` tree or NITRC's folders, and the table.

    The table is Phenotypic_V1_0b.csv, else its preprocessed copy, else the sites' participants.tsv. The diagnosis is
    DX_GROUP; DSM_IV_TR gives the subtype and no more, for 20 people with autism have a 0 there. The site is SITE_ID,
    and the folder's name for people without a row. `t1_names` are the T1 files of the trees that are not BIDS: UCLA's
    `hires.nii.gz` is no usable T1. `subject_form` is what the ids look like (0050002 to 0051607): other people beside
    them, without a row in the table, belong to another dataset. Everybody has one T1w but those `without_t1w`, so that
    it is missing from a folder that is empty, and from one whose T1w has a sidecar.
    """

    t1_names: tuple[str, ...] = ("mprage",)
    subject_form: str = r"005\d{4}"
    without_t1w: tuple[int, ...] = (51232, 51233, *range(51242, 51248), 51270, 51310)

    info = DatasetInfo(
        name="abide1",
        title="ABIDE I: Autism Brain Imaging Data Exchange",
        licence="CC BY-NC-SA 3.0",
        restrictions="Non-commercial; share alike. The owners ask users to register and to name the sites used.",
        homepage=_HOME,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """One T1w per subject; diagnosis and its subtype, age, sex and handedness.

        Raises:
            DatasetError: no T1w, no table, or no column of it that is needed; all at once.
        """
        root = root.absolute()
        require_folder(root, name)
        missing = Missing()
        sidecards = _sidecards(root)
        rules = TreeRules(frozenset({"T1w"}), due=lambda folder: self._due(folder, sidecards), get=_GET_IMAGES)
        found = read_sites(root, name, self.t1_names, rules)
        tables = _tables(root, missing)
        tree = self._own(found, tables)
        if not tree.scans:
            missing.say(f"{root} holds no T1w in a tree of {self.info.title}: {_GET_IMAGES}.")
        missing.images(tree.scans, tree.gaps, root)
        missing.raise_if_any(name)
        labels, notes = [], []
        for table in tables:
            stated, oddities = read_labels(table, name, padded_id(table, _ID), _COLUMNS)
            labels += stated
            notes += [*table.notes, *oddities]
        kept, conflicts = without_conflicts(labels)
        sites = agreed_cells(tables, (_SITE,), lambda table: padded_id(table, _ID))
        scans, unread = _described(tree.scans, sites.facts(), sidecards)
        # There is one session, which the older tree numbers and the BIDS tree leaves out.
        tree = replace(tree, scans=tuple(replace(scan, session=None, run=None) for scan in scans))
        notes += [*conflicts, *sites.notes(_SITE), *tree.notes, *unread]
        notes += coverage_notes(tree, kept, tables[0].path.name)
        return Discovery(tree.scans, tuple(kept), tuple(notes), gaps=tree.gaps)

    def _due(self, folder: AnatFolder, sidecards: Path | None) -> Iterator[str]:
        """The T1w of a folder that is empty, or of whose T1w there is a sidecar in the tree of sidecars."""
        if not folder.subject.isdigit() or int(folder.subject) in self.without_t1w:
            return
        has_one = any(file.name.suffix == "T1w" for file in folder.images)
        if folder.empty or (sidecards and not has_one and _sidecard(sidecards, folder.subject)):
            yield f"sub-{folder.subject}_T1w"

    def _own(self, tree: Tree, tables: Sequence[SourceTable]) -> Tree:
        """The scans of people of ABIDE I: by their id, or by a row of the table."""
        listed = {padded_id(table, _ID)(row) for table in tables for row in table.rows}
        others = {who for who in tree.subjects if not re.fullmatch(self.subject_form, who)} - listed
        if not others:
            return tree
        scans = tuple(scan for scan in tree.scans if scan.subject not in others)
        subjects = tuple(who for who in tree.subjects if who not in others)
        note = f"{len(tree.scans) - len(scans)} scan(s) of {len(others)} people of other datasets were left out"
        return Tree(scans, subjects, (*tree.notes, f"{note}: {a_few(sorted(others))}."), tree.gaps)


def _tables(root: Path, missing: Missing) -> list[SourceTable]:
    """The table of all sites, or those of the sites, with every column that is needed."""
    paths = next((found for file in _TABLES if (found := tables_above_subjects(root, file))), [])
    if not paths:
        missing.say(f"Neither {_TABLES[0]} nor a site's participants.tsv is in {root}: {_GET_TABLE}.")
    if paths and paths[0].suffix == ".csv":
        paths = paths[:1]  # copies further down say the same
    tables = [
        table
        for path in paths
        if (table := missing.table(path, "," if path.suffix == ".csv" else "\t", _GET_TABLE)) is not None
    ]
    for table in tables:
        of_all_sites = table.path.suffix == ".csv"
        require_columns(table, (_ID, _SITE) if of_all_sites else (_ID,), _COLUMNS, missing, _GET_TABLE)
    return tables


def _sidecards(root: Path) -> Path | None:
    """The folder of the subjects' sidecars, which lie in a tree of their own (`sidecards`, spelt so)."""
    return next((path for path in (root / "sidecards", root / "RawDataBIDS" / "sidecards") if path.is_dir()), None)


def _described(scans: Sequence[Scan], sites: Mapping[str, str], sidecards: Path | None) -> tuple[list[Scan], list[str]]:
    """The scans with what the table and their sidecards say of them."""
    reader, described = SidecarReader(), []
    for scan in scans:
        path = _sidecard(sidecards, scan.subject) if sidecards else None
        told = acquisition_of(reader.read(path) if path else {}, sites.get(scan.subject))
        # Of the site, the table's code counts, not the folder's name: MaxMun_a to _d are one site.
        described.append(replace(scan, acquisition=told.or_else(scan.acquisition)))
    return described, unreadable(reader)


def _sidecard(sidecards: Path, subject: str) -> Path | None:
    sessions = entries(sidecards / f"sub-{subject}")
    files = [Path(e.path) for session in sessions for e in entries(Path(session.path) / "anat")]
    return next((path for path in files if path.name.endswith("_T1w.json")), None)
