"""Input that nobody would write on purpose, and some that somebody would."""

import json
import os
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import warehouse
from braindino import encoders
from braindino.errors import ConfigError, DatasetError
from flows.dry_run import dry_run
from flows.embed import embed
from flows.ingest import ingest, ingest_all
from flows.register import register_encoder
from flows.survey import survey
from tests.flows.test_cli import braindino

RECIPE = "isotropic_2mm"


@pytest.mark.parametrize("name", ["../../evil", "a/b", ".", "", "x" * 300, "-rf"])
def test_a_dataset_name_cannot_lead_out_of_the_home(bids_root: Path, tmp_path: Path, home: Path, name: str) -> None:
    good = sorted(bids_root.glob("sub-*/**/*_T1w.nii.gz"))[0]
    manifest = tmp_path / "clinic.csv"
    manifest.write_text(f"subject,image,dataset\n1,{good},{name or '..'}\n")
    with pytest.raises((ConfigError, DatasetError), match="name"):
        survey(home, "manifest", manifest, None, RECIPE)


@pytest.mark.parametrize("image", ["a" * 10_000 + ".nii", "nul\0.nii"])
def test_a_name_that_no_file_can_have_is_a_missing_file(tmp_path: Path, home: Path, image: str) -> None:
    manifest = tmp_path / "clinic.csv"
    manifest.write_text(f"subject,image\n1,{image}\n")
    assert dry_run(home, "manifest", manifest, None, RECIPE).refused == {"missing_file": 1}


def test_labels_that_do_not_fit_are_refused_not_wrapped(bids_root: Path, tmp_path: Path, home: Path) -> None:
    good = sorted(bids_root.glob("sub-*/**/*_T1w.nii.gz"))[0]
    volume = nib.load(good)
    nib.save(nib.Nifti1Image(np.full(volume.shape, 1000, np.int16), volume.affine), tmp_path / "seg.nii.gz")
    manifest = tmp_path / "clinic.csv"
    manifest.write_text(f"subject,image,segmentation\n1,{good},seg.nii.gz\n")
    summary = ingest("manifest", str(manifest), None, RECIPE, str(home), 1)
    assert dict(summary.refused) == {"segmentation_unreadable": 1}


def test_pipes_loops_and_bottomless_sidecars_stop_nothing(bids_root: Path, tmp_path: Path, home: Path) -> None:
    root = Path(shutil.copytree(bids_root, tmp_path / "raw"))
    anat = root / "sub-99" / "anat"
    anat.mkdir(parents=True)
    os.mkfifo(anat / "sub-99_T1w.nii.gz")
    os.mkfifo(anat / "sub-99_T1w.json")
    (root / "sub-98").symlink_to("sub-98")
    (root / "T2w.json").write_text("[" * 100_000)
    forecast = dry_run(home, "bids", root, "tiny", RECIPE)
    assert sum(forecast.refused.values()) == 1
    assert forecast.to_read > 0


def test_one_lost_store_costs_its_own_vectors_only(bids_root: Path, home: Path) -> None:
    stored = ingest("bids", str(bids_root), "tiny", RECIPE, str(home), 1).stored
    lost = sorted((home / "slices").glob("*/*/*.zarr"))[0]
    shutil.rmtree(lost)
    store = warehouse.open(home)
    encoder = register_encoder(store, encoders.EncoderSpec("random", network="vit_micro"), home, "test")
    embed([encoder], RECIPE, str(home))
    (row,) = store.query("select count(distinct scan_id) as n from embeddings").to_pylist()
    assert row["n"] == stored - 1


def test_all_datasets_are_tried_and_the_failed_are_named(bids_root: Path, home: Path) -> None:
    ingest("bids", str(bids_root), "tiny", RECIPE, str(home), 1)
    with (home / "datasets.toml").open("a") as stream:
        stream.write('\n[gone]\nadapter = "bids"\nroot = "/nowhere/at/all"\n')
    with pytest.raises(ConfigError, match=r"gone .*/nowhere/at/all.* All others were"):
        ingest_all(str(home), 1)


def test_sql_keeps_columns_of_one_name_apart_and_writes_valid_json(home: Path) -> None:
    warehouse.open(home)
    answer = braindino("sql", "select 1 as a, 2 as a, 'nan'::double as b", "--format", "json", home=home)
    assert json.loads(answer.stdout) == [{"a": 1, "a_2": 2, "b": None}]


def test_a_datasets_toml_that_is_no_text_is_named(home: Path) -> None:
    home.mkdir()
    (home / "datasets.toml").write_bytes(b"\xff\xfe")
    answer = braindino("ingest", "--all", home=home)
    assert (answer.returncode, "datasets.toml" in answer.stderr) == (1, True)
