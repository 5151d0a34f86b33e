"""Several processes train as one does."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as mp

from braindino.errors import ConfigError
from braindino.pretraining import PretrainConfig, read_checkpoint, train
from braindino.slices import ScanRef
from tests.pretraining.helpers import tiny_config

GRAM = {"weight": 2.0, "teacher_images": 12, "ramp_images": 8}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def one_of_many(rank: int, size: int, port: int, config: PretrainConfig, scans: Sequence[ScanRef], to: Path) -> None:
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1"}
    os.environ |= {"MASTER_PORT": str(port), "LOCAL_WORLD_SIZE": str(size)}
    torch.set_num_threads(1)
    train(config, scans, to)


def train_together(size: int, config: PretrainConfig, scans: Sequence[ScanRef], to: Path) -> None:
    mp.spawn(one_of_many, (size, free_port(), config, scans, to), nprocs=size)


def final(folder: Path) -> dict[str, torch.Tensor]:
    content = read_checkpoint(next(folder.glob("step-000000008-*.pt")))
    named = {f"{role}.{name}": t for role in ("student", "teacher") for name, t in content[role].items()}
    return {**named, "queue": content["queue"]}


def test_two_processes_equal_one(scans: Sequence[ScanRef], tmp_path: Path) -> None:
    """Targets are balanced, KoLeo's neighbours looked for and the queue filled over both; a stop and a change of the
    number of processes lie between.
    """
    config = tiny_config(gram=GRAM)
    train(config, scans, tmp_path / "one")
    train_together(2, config, scans, tmp_path / "two")
    one, two = final(tmp_path / "one"), final(tmp_path / "two")
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-3, atol=2e-4, msg=lambda m, name=name: f"{name}: {m}")
    train(config, scans, tmp_path / "mixed", should_stop=iter([False, False, True]).__next__)
    train_together(2, config, scans, tmp_path / "mixed")
    for name, tensor in final(tmp_path / "mixed").items():
        torch.testing.assert_close(tensor, one[name], rtol=1e-3, atol=2e-4)


def test_parts_put_through_one_after_the_other_equal_the_whole(scans: Sequence[ScanRef], tmp_path: Path) -> None:
    """But for KoLeo, whose neighbours are those of a part."""
    for parts in (1, 2):
        config = tiny_config(koleo_weight=0.0, run={"accumulate": parts})
        train(config, scans, tmp_path / str(parts))
    whole, parts_ = final(tmp_path / "1"), final(tmp_path / "2")
    for name, tensor in whole.items():
        torch.testing.assert_close(parts_[name], tensor, rtol=1e-3, atol=2e-4)


def test_what_cannot_be_shared_says_so(
    scans: Sequence[ScanRef], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in {"WORLD_SIZE": "3", "RANK": "0", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr("torch.distributed.init_process_group", lambda *_, **__: None)
    monkeypatch.setattr("torch.distributed.destroy_process_group", lambda: None)
    with pytest.raises(ConfigError, match="batch_size 4 cannot be shared by 3 processes in 1 parts each"):
        train(tiny_config(), scans, tmp_path)
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    with pytest.raises(ConfigError, match="3 processes were started on this machine, which shows 2 GPUs"):
        train(tiny_config(run={"device": "cuda"}), scans, tmp_path)
