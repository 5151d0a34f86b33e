"""A training as a process: what it is given, what it says, and how it is asked to stop."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from braindino.errors import CheckpointError, ConfigError, TrainingError
from braindino.pretraining import Labelled, LogRecord, TrainingResult, read_checkpoint, train
from braindino.pretraining.checkpoint import alone_in
from braindino.pretraining.job import Job, event_of, line_of, read_job, write_job
from braindino.slices import ScanRef
from tests.pretraining.helpers import same_tensors, tiny_config

Scans = Sequence[ScanRef]
LONG = {"images": 4000, "log_every": 1, "checkpoint_every": 100_000, "alarms": 0}


def job_of(scans: Scans, tmp_path: Path, **run: object) -> tuple[Path, Job]:
    job = Job(tiny_config(run=run), tmp_path / "training", tuple(scans), (Labelled(scans[0], {"sex": "female"}),))
    write_job(tmp_path / "job.json", job)
    return tmp_path / "job.json", job


def started(path: Path, *before: str) -> subprocess.Popen[str]:
    command = [sys.executable, *before, "-m", "braindino.pretraining", str(path), "--watch-stdin"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def events(process: subprocess.Popen[str]) -> list[object]:
    assert process.stdout is not None
    return [event_of(line) for line in process.stdout]


def test_a_job_is_read_as_it_was_written(scans: Scans, tmp_path: Path) -> None:
    path, job = job_of(scans, tmp_path)
    assert read_job(path) == job


def test_a_job_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps({"config": {}}))
    with pytest.raises(ConfigError, match="is no job of this version"):
        read_job(tmp_path / "job.json")
    with pytest.raises(ConfigError, match="There is no job"):
        read_job(tmp_path / "none.json")


@pytest.mark.parametrize(
    "event",
    [
        LogRecord(3, 12, {"loss": 1.5, "effective_rank": float("nan")}, ("a sign",)),
        TrainingResult(Path("/a/step.pt"), Path("/a/e.safetensors"), True, 8, 32, 0, 1.5, {"loss": 2.0}),
    ],
    ids=["record", "result"],
)
def test_events_come_back_from_their_line(event: LogRecord | TrainingResult) -> None:
    line = line_of(event)
    assert "\n" not in line
    assert repr(event_of(line)) == repr(event)


@pytest.mark.parametrize("kind", [ConfigError, CheckpointError, TrainingError])
def test_errors_keep_their_type_and_their_sentence(kind: type[Exception]) -> None:
    back = event_of(line_of(kind("No such thing.")))  # type: ignore[arg-type]
    assert type(back) is kind
    assert str(back) == "No such thing."


@pytest.mark.parametrize("line", ["NCCL version 2.27", "3", "[]", "{}", ""])
def test_lines_of_others_say_nothing(line: str) -> None:
    assert event_of(line) is None


def sigterm(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)


def end_of_stdin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()


@pytest.mark.parametrize("ask", [sigterm, end_of_stdin])
def test_a_stopped_process_leaves_a_checkpoint_from_which_it_ends_bit_for_bit(
    ask: Callable[[subprocess.Popen[str]], None], scans: Scans, tmp_path: Path
) -> None:
    path, job = job_of(scans, tmp_path, **{**LONG, "images": 400})
    with started(path) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it trains
        ask(process)
        result = events(process)[-1]
    assert isinstance(result, TrainingResult)
    assert not result.finished
    assert 1 <= result.steps < job.config.steps
    with started(path) as process:
        ended = events(process)[-1]
    assert isinstance(ended, TrainingResult)
    assert ended.finished
    whole = train(job.config, job.scans, tmp_path / "whole")
    for part in ("student", "teacher"):
        assert same_tensors(read_checkpoint(ended.checkpoint)[part], read_checkpoint(whole.checkpoint)[part])


def test_a_training_whose_listener_is_gone_still_saves(scans: Scans, tmp_path: Path) -> None:
    path, job = job_of(scans, tmp_path, **LONG)
    process = started(path)
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    assert list(job.directory.glob("step-*.pt"))


def test_torchrun_trains_a_job_and_one_process_speaks(scans: Scans, tmp_path: Path) -> None:
    path, job = job_of(scans, tmp_path)
    with started(path, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2") as process:
        said = [event for event in events(process) if event is not None]
    assert [type(event) for event in said] == [LogRecord] * 4 + [TrainingResult]
    alone = train(job.config, job.scans, tmp_path / "alone")
    assert isinstance(said[-1], TrainingResult)
    assert said[-1].metrics["loss"] == pytest.approx(alone.metrics["loss"], rel=1e-3)


def test_what_went_wrong_is_said_in_its_own_words(scans: Scans, tmp_path: Path) -> None:
    path, job = job_of(scans, tmp_path)
    job.directory.mkdir()
    (job.directory / "step-000000003-0123456789abcdef.pt").write_bytes(b"no checkpoint")
    with started(path) as process:
        (error,) = events(process)
    assert process.returncode == 1
    assert isinstance(error, CheckpointError)
    assert "damaged" in str(error)


def test_two_trainings_never_share_a_folder(scans: Scans, tmp_path: Path) -> None:
    with alone_in(tmp_path), pytest.raises(TrainingError, match="Another process trains in"), alone_in(tmp_path, 0.3):
        pass
    with alone_in(tmp_path, 0.3):  # and let go of it
        pass


def scalars(folder: Path) -> dict[str, list[int]]:
    """The steps of every figure in a folder's TensorBoard files, read by the format: length, CRC, event, CRC."""
    found: dict[str, list[int]] = {}
    for file in sorted(folder.glob("events.out.tfevents.*")):
        content, at = file.read_bytes(), 0
        while at < len(content):
            length = int.from_bytes(content[at : at + 8], "little")
            event = Event.FromString(content[at + 12 : at + 12 + length])
            at += 16 + length
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(event.step)
    return found


def test_tensorboard_is_told_every_record(scans: Scans, tmp_path: Path) -> None:
    path, job = job_of(scans, tmp_path)
    with started(path) as process:
        events(process)
    told = scalars(job.directory)
    assert told["loss/loss_dino"] == told["quality/effective_rank"] == [8, 16, 24, 32]
    assert told["schedule/learning_rate"] == told["speed/images_per_second"] == [8, 16, 24, 32]
