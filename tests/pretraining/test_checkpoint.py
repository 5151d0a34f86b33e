"""Checkpoints: atomic, self-checking, and tied to their configuration and data."""

from pathlib import Path

import pytest
import torch

from braindino.errors import CheckpointError, TrainingError
from braindino.pretraining import PretrainConfig, newest_checkpoint, read_checkpoint
from braindino.pretraining.checkpoint import TrainingState, list_checkpoints, restore, save_checkpoint
from braindino.pretraining.step import initial_state
from tests.pretraining.helpers import ALONE, same_tensors, tiny_config


def state_at(step: int, config: PretrainConfig | None = None) -> TrainingState:
    state = initial_state(config or tiny_config(), ALONE)
    state.step, state.images_seen = step, 4 * step
    return state


def save(folder: Path, step: int) -> Path:
    return save_checkpoint(folder, state_at(step), tiny_config(), "data")


def test_a_checkpoint_restores_everything(tmp_path: Path) -> None:
    state = state_at(5)
    state.metrics, state.seconds = {"loss": 1.5}, 7.0
    state.skipped += 2
    state.model.follow(0.5, torch.tensor(1.0))
    state.model.remember(torch.rand(3, 8), torch.tensor(1.0))
    path = save_checkpoint(tmp_path, state, tiny_config(), "data")
    fresh = initial_state(tiny_config(run={"seed": 1}), ALONE)
    restore(fresh, read_checkpoint(path), tiny_config(), "data")
    assert same_tensors(fresh.model.state_dict(), state.model.state_dict())
    assert fresh.model.queue_filled.sum() == 3
    assert (fresh.step, fresh.images_seen, fresh.skipped.tolist(), fresh.seconds) == (5, 20, [2, 2], 7.0)
    assert fresh.metrics == {"loss": 1.5}


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (1, 20, 3, 100):
        save(tmp_path, step)
    assert [path.name[:14] for path in list_checkpoints(tmp_path)] == ["step-000000100", "step-000000020"]
    assert not list(tmp_path.glob("*.partial"))


def test_a_save_that_dies_leaves_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = save(tmp_path, 1)

    def dies(_content: object, stream: object) -> None:
        stream.write(b"half a checkpoint")  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", dies)
        with pytest.raises(KeyboardInterrupt):
            save(tmp_path, 2)
    assert newest_checkpoint(tmp_path)[0] == good
    assert newest_checkpoint(tmp_path)[2] == ()


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(tmp_path: Path, damage: str) -> None:
    older, newest = save(tmp_path, 1), save(tmp_path, 2)
    content = bytearray(newest.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    newest.write_bytes({"cut": content[:1000], "flipped": content, "emptied": b""}[damage])
    path, content_read, problems = newest_checkpoint(tmp_path)
    assert path == older
    assert content_read["step"] == 1
    assert len(problems) == 1
    assert f"{newest} is damaged" in problems[0]


def test_a_folder_with_nothing_but_damage_is_not_a_fresh_start(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path) == (None, {}, ())
    save(tmp_path, 1).write_bytes(b"")
    with pytest.raises(CheckpointError, match="Not one of the 1 checkpoints in"):
        newest_checkpoint(tmp_path)


def test_files_that_are_no_checkpoints_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="There is no weights file"):
        read_checkpoint(tmp_path / "none.pt")
    other = tmp_path / "other.pt"
    torch.save({"a": torch.zeros(1)}, other)
    with pytest.raises(CheckpointError, match="is not a training checkpoint of this project"):
        read_checkpoint(other)


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    content = read_checkpoint(save(tmp_path, 1))
    fresh = initial_state(tiny_config(), ALONE)
    with pytest.raises(TrainingError, match=r"run\.images = 32, now it is 64"):
        restore(fresh, content, tiny_config(run={"images": 64}), "data")
    with pytest.raises(TrainingError, match="started on other scans"):
        restore(fresh, content, tiny_config(), "other data")
    # What changes no weights may change.
    restore(fresh, content, tiny_config(run={"log_every": 9, "keep": 5}), "data")
