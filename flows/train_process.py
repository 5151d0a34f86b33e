"""A training in a process of its own, or in many under torchrun: started, listened to, and asked to stop."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import torch

from braindino.errors import BrainDINOError, ConfigError, TrainingError
from braindino.pretraining import LogRecord, TrainingResult, choose_device
from braindino.pretraining.job import JOB_FILE, Job, event_of, write_job

LOG_FILE = "training.log"
"""What a training writes to stderr, beside its checkpoints."""


def train_in_process(job: Job, processes: int, on_log: Callable[[LogRecord], None]) -> TrainingResult:
    """Train a job; while it runs, SIGTERM and Ctrl-C make it write a checkpoint and stop, as the end of this process
    does.

    Raises:
        BrainDINOError: the training's own, or TrainingError where it ended without a word.
    """
    path, log = job.directory / JOB_FILE, job.directory / LOG_FILE
    write_job(path, job)
    result: TrainingResult | None = None
    failure: BrainDINOError | None = None
    with log.open("ab") as errors, _started(_command(path, processes), errors) as process, _stopped_with(process):
        assert process.stdout is not None
        for line in process.stdout:
            event = event_of(line)
            if isinstance(event, LogRecord):
                on_log(event)
            elif isinstance(event, TrainingResult):
                result = event
            elif isinstance(event, BrainDINOError):
                failure = failure or event  # of many processes, the first one says why
            else:
                errors.write(line.encode())
        code = process.wait()
    if failure is not None:
        raise failure
    if result is None:
        raise TrainingError(
            f"The training ended without a result ({_how(code)}); {log} says more, and the same command goes on from "
            "its newest checkpoint."
        )
    return result


def processes_for(device: str, asked: int | None) -> int:
    """How many processes train: as many as asked for, else one per GPU.

    Raises:
        ConfigError: that is less than one, or more than there are GPUs.
    """
    kind = choose_device(device).type
    gpus = torch.cuda.device_count() if kind == "cuda" else 0
    number = max(1, gpus) if asked is None else asked
    if number < 1:
        raise ConfigError(f"{number} processes cannot train: give 1 or more.")
    if gpus and number > gpus:
        raise ConfigError(
            f"{number} processes were asked for, but this machine shows {gpus} GPUs: give {gpus} or less."
        )
    return number


def _command(job: Path, processes: int) -> list[str]:
    module = ["-m", "braindino.pretraining", str(job), "--watch-stdin"]
    if processes == 1:
        return [sys.executable, *module]
    many = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return [sys.executable, *many, *module]


def _started(command: list[str], errors: IO[bytes]) -> subprocess.Popen[str]:
    """The training, in a session of its own: Ctrl-C in a terminal reaches this process alone, which asks it to stop.

    As a context it ends when the training has: its pipes are closed, which is the request, and it is waited for.
    """
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
    )


@contextmanager
def _stopped_with(process: subprocess.Popen[str]) -> Iterator[None]:
    """While it lasts, SIGTERM and Ctrl-C ask the training to stop, and nothing else."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only; the training then stops when this process has ended
        return
    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: _ask_to_stop(process)) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _ask_to_stop(process: subprocess.Popen[str]) -> None:
    """The end of its stdin: it reaches all processes of a training, and comes by itself where this one is killed."""
    if process.stdin is not None and not process.stdin.closed:
        process.stdin.close()


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"{name}, often a sign of too little memory" if name == "SIGKILL" else name
