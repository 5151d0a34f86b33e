from braindino.datasets.base import Acquisition, Moment
from braindino.datasets.bids_tree import TreeRules, bids_roots, join_trees, read_tree, tables_above_subjects
from tests.datasets.helpers import bids, write

T1 = "sub-01/anat/sub-01_acq-a_T1w.nii.gz"
FLAIR = "sub-01/anat/sub-01_acq-a_FLAIR.nii.gz"


def test_contrasts_that_are_not_taken_are_noted(tmp_path):
    tree = read_tree(bids(tmp_path, {T1: b"x", FLAIR: b"x"}), "mine", TreeRules(contrasts=frozenset({"T1w"})))
    assert [scan.contrast for scan in tree.scans] == ["T1w"]
    assert tree.notes == ("1 anat/ file(s) with the suffix FLAIR are not taken as scans.",)


def test_the_run_may_be_another_entity(tmp_path):
    (scan,) = read_tree(bids(tmp_path, {T1: b"x"}), "mine", TreeRules(run="acq")).scans
    assert scan.run == "a"


def test_of_facts_the_sidecar_counts_then_the_table_then_what_is_known_of_all(tmp_path):
    root = bids(tmp_path, {T1: b"x", "T1w.json": {"Manufacturer": "GE"}})
    known = Acquisition.of("documentation", "Siemens", "Trio", site="everywhere")
    (scan,) = read_tree(root, "mine", TreeRules(facts=known), {"01": "here"}).scans
    assert (scan.acquisition.vendor, scan.acquisition.model, scan.acquisition.site) == ("GE", "Trio", "here")
    assert dict(scan.acquisition.sources) == {"vendor": "sidecar", "model": "documentation", "site": "table"}


def test_the_sidecar_may_tell_when_a_scan_was(tmp_path):
    root = bids(tmp_path, {T1: b"x", "T1w.json": {"Day": "1815-03-06"}})
    (scan,) = read_tree(root, "mine", TreeRules(), moment=lambda told: Moment(told["Day"], "shifted_date")).scans
    assert scan.when == Moment("1815-03-06", "shifted_date")


def test_a_lesion_mask_carries_the_meaning_of_its_codes(tmp_path):
    mask = "sub-01/anat/sub-01_label-L_desc-T1lesion_mask.nii.gz"
    rules = TreeRules(segmentation_codes=((1, "stroke lesion"),))
    t1, flair = reversed(read_tree(bids(tmp_path, {T1: b"x", FLAIR: b"x", mask: b"x"}), "mine", rules).scans)
    assert (t1.segmentation, t1.segmentation_codes) == (tmp_path / mask, ((1, "stroke lesion"),))
    assert (flair.segmentation, flair.segmentation_codes) == (None, ())


def test_trees_beside_each_other(tmp_path):
    files = {f"raw/{site}/{T1}": b"x" for site in ("a", "b")}
    root = write(tmp_path, {**files, f"derivatives/mriqc/{T1}": b"x", "raw/b/sub-02/func/x.nii": b"x"})
    folders = bids_roots(root)
    assert [folder.name for folder in folders] == ["a", "b"]
    tree = join_trees({folder: read_tree(folder, "mine", TreeRules()) for folder in folders})
    assert tree.subjects == ("01", "02")
    assert [scan.image for scan in tree.scans] == [root / "raw/a" / T1]
    assert any("taken once: sub-01/anat/sub-01_acq-a_T1w" in note for note in tree.notes)


def test_a_table_is_looked_for_above_the_subjects_the_nearest_first(tmp_path):
    names = ("TABLE_1.csv", "a/table_2.csv", "a/sub-01/table_3.csv", "derivatives/x/table_5.csv", "a/b/c/table_4.csv")
    found = tables_above_subjects(write(tmp_path, dict.fromkeys(names, "x\n")), "table_*.csv")
    assert [path.name for path in found] == ["TABLE_1.csv", "table_2.csv"]


def test_a_sidecar_with_facts_that_no_scan_has_is_noted_and_not_believed(tmp_path):
    root = bids(
        tmp_path, {T1: b"x", "T1w.json": {"MagneticFieldStrength": 300, "SliceThickness": -1, "Manufacturer": "GE"}}
    )
    tree = read_tree(root, "mine", TreeRules())
    facts = tree.scans[0].acquisition
    assert (facts.vendor, facts.field_strength, facts.slice_thickness) == ("GE", None, None)
    assert tree.notes == ("Sidecars that state a field strength or slice thickness that no scan has: T1w.json.",)


def test_a_field_strength_in_gauss(tmp_path):
    root = bids(tmp_path, {T1: b"x", "T1w.json": {"MagneticFieldStrength": 15000}})
    (scan,) = read_tree(root, "mine", TreeRules()).scans
    assert scan.acquisition.field_strength == 1.5
