"""The flow `pretrain`: a process that outlives nobody, weights of others, the card beside the encoder."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import warehouse
from braindino import phantom
from braindino.errors import ConfigError, TrainingError
from flows.ingest import ingest
from flows.pretrain import pretrain
from flows.train_process import processes_for

RECIPE = "isotropic_2mm"
SMALL = [
    "run.images=32", "data.batch_size=8", "crops.global_size=32", "crops.local_size=16", "run.probe_every=1",
    "run.log_every=2",
]  # fmt: skip
LONG = ["run.images=40000", *SMALL[1:], "run.log_every=1", "run.checkpoint_every=100000", "run.alarms=0"]
BRAINDINO = Path(sys.executable).parent / "braindino"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of a few synthetic scans."""
    folder = tmp_path_factory.mktemp("pretrain")
    phantom.write_cohort("bids", folder / "raw", 8, seed=3, spacing_mm=4.0)
    ingest("bids", str(folder / "raw"), "tiny", RECIPE, str(folder / "home"), 1)
    return folder / "home"


@pytest.fixture(scope="module")
def first(home: Path) -> str:
    """The id of a short training there."""
    return pretrain("vit_tiny_cpu", SMALL, RECIPE, str(home)).training_id


def command(home: Path) -> subprocess.Popen[str]:
    """`braindino pretrain`, long enough to be stopped."""
    settings = [part for setting in LONG for part in ("--set", setting)]
    return subprocess.Popen(
        [BRAINDINO, "pretrain", "--recipe", RECIPE, "--home", home, *settings],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "400"},
    )  # fmt: skip


def wait_for(condition: object, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def trains(home: Path, process: subprocess.Popen[str]) -> Path:
    """The folder of the training that a command began, once its first record is there."""

    def begun() -> list[Path]:
        assert process.poll() is None, process.communicate()
        return [f.parent for f in home.glob("checkpoints/*/events.out.tfevents.*") if not list(f.parent.glob("*.pt"))]

    wait_for(begun)
    return begun()[0]


def test_a_stopped_command_says_so_and_has_a_checkpoint(home: Path) -> None:
    with command(home) as process:
        folder = trains(home, process)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.search(r"was stopped after [\d,]+ of 40,000 images; the same command goes on", said), said
    assert len(list(folder.glob("step-*.pt"))) == 1
    query = "select status, images_seen from trainings where training_id = ?"
    (row,) = warehouse.open(home).query(query, [folder.name]).to_pylist()
    assert row["status"] == "stopped"
    assert row["images_seen"] > 0
    for file in folder.iterdir():  # the next test begins it anew
        file.unlink()


def test_a_killed_command_takes_its_training_with_it_but_not_its_steps(home: Path) -> None:
    with command(home) as process:
        folder = trains(home, process)
        process.kill()
        wait_for(lambda: list(folder.glob("step-*.pt")))  # the training's own process writes it, and ends
    query = "select status from trainings where training_id = ?"
    assert warehouse.open(home).query(query, [folder.name]).to_pylist() == [{"status": "started"}]


def test_probes_stand_in_the_warehouse(home: Path, first: str) -> None:
    rows = warehouse.open(home).query("select distinct metric from training_metrics where training_id = ?", [first])
    assert {"knn_contrast", "gram_drift", "effective_rank", "waiting_share"} <= set(rows["metric"].to_pylist())


def test_the_card_says_what_was_seen_and_its_code_loads_the_encoder(home: Path, first: str) -> None:
    folder = home / "checkpoints" / first
    card = (folder / "MODEL_CARD.md").read_text()
    (row,) = warehouse.open(home).query("select * from trainings where training_id = ?", [first]).to_pylist()
    assert f"| tiny (synthetic) | {row['n_subjects']} | {row['n_scans']} | {row['n_slices']} |" in card
    assert row["snapshot_id"] in card
    assert row["encoder_id"] in card
    assert "begun with random weights" in card
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    names = {"slices": torch.rand(2, 1, 112, 96)}
    exec(code.replace("encoder.safetensors", str(folder / "encoder.safetensors")), names)
    assert names["features"].shape == (2, 128)


def test_a_second_stage_knows_whom_the_first_saw(home: Path, first: str, tmp_path: Path) -> None:
    (newest,) = list((home / "checkpoints" / first).glob("step-*.pt"))[:1]
    settings = [*SMALL, f"start.weights={newest}", "gram.weight=1", "gram.teacher_images=0"]
    second = pretrain("vit_tiny_cpu", settings, RECIPE, str(home))
    store = warehouse.open(home)
    seen = "select dataset, subject from staging.stg_training_subjects where training_id = ? order by all"
    assert store.query(seen, [second.training_id]).equals(store.query(seen, [first]))
    (row,) = store.query("select pretrained_on from encoders where training_id = ?", [second.training_id]).to_pylist()
    assert f"begun with {newest.name}" in row["pretrained_on"]
    assert first in row["pretrained_on"]
    # The same bytes elsewhere are the same beginning.
    moved = tmp_path / newest.name
    moved.write_bytes(newest.read_bytes())
    settings[len(SMALL)] = f"start.weights={moved}"
    assert pretrain("vit_tiny_cpu", settings, RECIPE, str(home)).already_done


def test_what_ends_a_training_is_recorded(home: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be shared by 3 processes"):
        pretrain("vit_tiny_cpu", [*SMALL, "run.seed=7"], RECIPE, str(home), processes=3)
    rows = warehouse.open(home).query("select message from trainings where status = 'failed'").to_pylist()
    assert any("cannot be shared by 3 processes" in row["message"] for row in rows)


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert processes_for("auto", None) == 2
    with pytest.raises(ConfigError, match="3 processes were asked for, but this machine shows 2 GPUs"):
        processes_for("cuda", 3)
    assert processes_for("cpu", 3) == 3


def test_a_process_that_dies_without_a_word_is_told_with_its_log(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.train_process._command", lambda job, n: [sys.executable, "-c", "import os; os.abort()"])
    with pytest.raises(TrainingError, match=r"ended without a result \(SIGABRT\); .*training.log says more"):
        pretrain("vit_tiny_cpu", [*SMALL, "run.seed=8"], RECIPE, str(home))
