"""Train from a job's file, in this process or in the many that torchrun starts.

    python -m braindino.pretraining JOB
    torchrun --standalone --nproc-per-node 8 -m braindino.pretraining JOB

`braindino pretrain` writes the job (`checkpoints/<training>/job.json`) and starts one of the two. Lines of JSON on
stdout tell what happens. SIGTERM, and with --watch-stdin the end of stdin (whoever started it has ended, or asks it to
stop), end the training after a checkpoint.
"""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

import torch

from braindino.errors import BrainDINOError
from braindino.pretraining.board import Board
from braindino.pretraining.job import line_of, read_job
from braindino.pretraining.loop import LogRecord, TrainingResult, train


def main() -> int:
    """Exit code 0: trained to the end, or stopped as asked; 1: an error, told on stdout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", type=Path)
    parser.add_argument("--watch-stdin", action="store_true")
    options = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if options.watch_stdin:
        threading.Thread(target=_watch, args=(stop,), daemon=True).start()
    cores = os.cpu_count() or 1
    torch.set_num_threads(max(1, cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
    try:
        job = read_job(options.job)
        with Board(job.directory) as board:

            def on_log(record: LogRecord) -> None:
                board.write(record)
                _say(record)

            result = train(
                job.config, job.scans, job.directory,
                workers=job.workers, cohort=job.cohort, on_log=on_log, should_stop=stop.is_set,
            )  # fmt: skip
    except BrainDINOError as error:
        _say(error)
        return 1
    if int(os.environ.get("RANK", "0")) == 0:
        _say(result)
    return 0


def _watch(stop: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    stop.set()


def _say(event: LogRecord | TrainingResult | BrainDINOError) -> None:
    try:
        sys.stdout.write(line_of(event) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # nobody listens any more: the training is worth its checkpoint all the same
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for as long as the process lives


if __name__ == "__main__":
    sys.exit(main())
