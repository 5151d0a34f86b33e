"""A person's word stands above the rules: through the ingest, again, with another file, and in all that comes after."""

import json
import shutil
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

import warehouse
from braindino.errors import ConfigError
from flows.embed import missing_scans
from flows.ingest import ingest
from flows.overrule import accept, exclude
from tests.flows.test_cli import braindino

RECIPE = "isotropic_2mm"


@pytest.fixture
def root(bids_root: Path, tmp_path: Path) -> Path:
    """Good scans, and one of a person whose brain is a fifth of its size: refused, and perhaps not rightly so."""
    root = Path(shutil.copytree(bids_root, tmp_path / "raw"))
    write_small(root, 0.6)
    return root


def write_small(root: Path, scale: float) -> Path:
    good = nib.load(sorted(root.glob("sub-*/**/*_T1w.nii.gz"))[0])
    image = root / "sub-small" / "anat" / "sub-small_T1w.nii.gz"
    image.parent.mkdir(parents=True, exist_ok=True)
    affine = good.affine @ np.diag([scale, scale, scale, 1.0])
    nib.save(nib.Nifti1Image(np.asarray(good.dataobj), affine), image)
    return image


@pytest.fixture
def store(root: Path, home: Path) -> warehouse.Warehouse:
    read(root, home)
    return warehouse.open(home)


def read(root: Path, home: Path) -> int:
    return ingest("bids", str(root), "tiny", RECIPE, str(home), 1).read


def scan(store: warehouse.Warehouse, where: str) -> dict[str, Any]:
    rows = store.query(f"select * from scans where {where} order by scan_id limit 1").to_pylist()
    return dict(rows[0])


def touch(image: Path) -> None:
    """Another modification time: the file is read again."""
    volume = nib.load(image)
    nib.save(nib.Nifti1Image(np.asarray(volume.dataobj), volume.affine), image)


def test_an_excluded_scan_is_used_nowhere_and_survives_a_new_file(
    store: warehouse.Warehouse, root: Path, home: Path
) -> None:
    one = scan(store, "status = 'stored' and contrast = 'T1w'")
    stored = store.query("select count(*) as n from scans where status = 'stored'").to_pylist()[0]["n"]
    (row,) = exclude(store, [one["scan_id"]], "metal artefact")
    assert (row["status"], row["why"]) == ("excluded", "metal artefact")

    used_in = {
        "slices": "select count(*) as n from slices where scan_id = ?",
        "labelled_scans": "select count(*) as n from labelled_scans where scan_id = ?",
    }
    for mart, query in used_in.items():
        assert store.query(query, [one["scan_id"]]).to_pylist() == [{"n": 0}], mart
    todo, _ = missing_scans(store, "any", one["recipe_id"])
    assert len(todo) == stored - 1
    assert one["scan_id"] not in {row["scan_id"] for row in todo}

    image = root / one["source_path"]
    touch(image)
    assert read(root, home) == 1
    now = scan(store, f"scan_id = '{one['scan_id']}'")
    assert (now["status"], now["excluded_why"], now["content_hash"]) == (
        "excluded",
        "metal artefact",
        one["content_hash"],
    )
    volume = nib.load(image)
    nib.save(nib.Nifti1Image(np.asarray(volume.dataobj) * np.float32(1.5), volume.affine), image)
    read(root, home)
    told = store.query("select verdict, status, changed_since, who from overrules").to_pylist()[0]
    assert (told["verdict"], told["status"], told["changed_since"]) == ("exclude", "excluded", True)
    assert told["who"]


def test_accept_takes_an_exclusion_back(store: warehouse.Warehouse) -> None:
    one = scan(store, "status = 'stored'")
    exclude(store, [one["scan_id"][:8]], "the wrong one")
    (row,) = accept(store, [one["source_path"]], "meant another")
    assert row["status"] == "stored"
    told = store.query("select verdict, reasons, why from overrules").to_pylist()
    assert told == [{"verdict": "accept", "reasons": None, "why": "meant another"}]
    assert store.query("select count(*) as n from events.overrules").to_pylist() == [{"n": 2}], "nothing is forgotten"


def test_an_older_snapshot_still_has_the_excluded_scan(store: warehouse.Warehouse) -> None:
    before = store.snapshots()[-1].id
    one = scan(store, "status = 'stored'")
    exclude(store, [one["scan_id"]], "artefact")
    query = "select status from scans where scan_id = ?"
    assert store.query(query, [one["scan_id"]], snapshot=before).to_pylist() == [{"status": "stored"}]
    assert store.query(query, [one["scan_id"]], snapshot=store.snapshots()[-1].id).to_pylist() == [
        {"status": "excluded"}
    ]


def test_a_refused_scan_is_accepted_and_stays_so_until_another_image_lies_there(
    store: warehouse.Warehouse, root: Path, home: Path
) -> None:
    small = scan(store, "subject = 'small'")
    assert (small["status"], small["reason"]) == ("refused", "brain_too_small")
    (row,) = accept(store, [small["scan_id"]], "microcephaly, confirmed")
    assert (row["status"], row["reasons"]) == ("stored", "brain_too_small")
    assert scan(store, "subject = 'small'")["overruled"].startswith("brain_too_small: The brain mask of ")
    assert store.query("select count(*) > 0 as some from slices where scan_id = ?", [small["scan_id"]]).to_pylist() == [
        {"some": True}
    ]
    assert read(root, home) == 0, "nothing is new"

    touch(root / small["source_path"])
    assert read(root, home) == 1
    again = scan(store, "subject = 'small'")
    assert (again["status"], again["reason"]) == ("stored", None)

    write_small(root, 0.55)
    read(root, home)
    changed = scan(store, "subject = 'small'")
    assert changed["reason"] == "brain_too_small"
    assert (changed["status"], "kept" in changed["message"]) == ("stored", True), "the accepted slices stay"


def test_a_new_reader_of_an_accepted_scan_is_told_to_look_again(
    store: warehouse.Warehouse, root: Path, home: Path, tmp_path: Path
) -> None:
    small = scan(store, "subject = 'small'")
    accept(store, [small["scan_id"]], "microcephaly")
    write_small(root, 0.55)
    ingest("bids", str(root), "tiny", "isotropic", str(home), 1)
    other = scan(store, f"subject = 'small' and recipe_id <> '{small['recipe_id']}'")
    assert (other["status"], other["reason"]) == ("refused", "brain_too_small")
    assert "accepted another image" in other["message"]


def test_an_acceptance_outlives_an_exclusion(store: warehouse.Warehouse, root: Path, home: Path) -> None:
    small = scan(store, "subject = 'small'")
    accept(store, ["sub-small/anat/sub-small_T1w.nii.gz"], "microcephaly")
    exclude(store, [small["scan_id"]], "moved")
    (row,) = accept(store, [small["scan_id"]], "did not move")
    assert row["status"] == "stored"
    touch(root / small["source_path"])
    read(root, home)
    assert scan(store, "subject = 'small'")["status"] == "stored"


@pytest.mark.parametrize(
    ("name", "why", "sentence"),
    [
        ("nothing-such", "because", "No scan 'nothing-such'"),
        ("", "because", "No scan ''"),
        ("small", "because", "No scan 'small'"),
        ("sub-small/anat/sub-small_T1w.nii.gz", "  ", "--why"),
    ],
)
def test_mistakes_are_said_in_a_sentence(store: warehouse.Warehouse, name: str, why: str, sentence: str) -> None:
    for act in (exclude, accept):
        with pytest.raises(ConfigError, match=sentence):
            act(store, [name], why)
    assert store.query("select count(*) as n from overrules").to_pylist() == [{"n": 0}]


def test_what_nobody_can_overrule_is_said(store: warehouse.Warehouse, root: Path, home: Path) -> None:
    image = root / "sub-cut" / "anat" / "sub-cut_T1w.nii.gz"
    image.parent.mkdir(parents=True)
    good = sorted(root.glob("sub-*/**/*_T1w.nii.gz"))[0]
    image.write_bytes(good.read_bytes()[:5000])
    read(root, home)
    with pytest.raises(ConfigError, match=r"truncated, which nobody can overrule; what can be is brain_cropped, "):
        accept(store, [scan(store, "subject = 'cut'")["scan_id"]], "please")


def test_a_scan_whose_source_is_gone_cannot_be_accepted(store: warehouse.Warehouse, root: Path) -> None:
    small = scan(store, "subject = 'small'")
    shutil.rmtree(root / "sub-small")
    with pytest.raises(ConfigError, match=r"not listed in .* any more"):
        accept(store, [small["scan_id"]], "microcephaly")


def test_a_prefix_of_several_scans_names_them(store: warehouse.Warehouse) -> None:
    store.append(
        "scans", [{"scan_id": f"zz{n}", "recipe_id": "r", "source_path": f"{n}.nii"} for n in range(7)], "test"
    )
    with pytest.raises(ConfigError, match=r"fits 7 scans: zz0 \(0\.nii\), .* and 2 more"):
        exclude(store, ["zz"], "all of them")


def test_the_command_line_does_the_same(store: warehouse.Warehouse, home: Path) -> None:
    one = scan(store, "status = 'stored'")
    answer = braindino("exclude", one["scan_id"], "--why", "artefact", "--format", "json", home=home)
    assert (answer.returncode, json.loads(answer.stdout)[0]["status"]) == (0, "excluded")
    counts = {row["what"]: row["n"] for row in json.loads(braindino("status", "--format", "json", home=home).stdout)}
    assert counts["scans excluded"] == 1
    answer = braindino("accept", one["scan_id"], "--why", "no artefact", "--format", "csv", home=home)
    assert ",stored," in answer.stdout
    assert braindino("exclude", one["scan_id"], home=home).returncode == 2, "--why is asked for"
