"""The log records of a training for TensorBoard: `tensorboard --logdir checkpoints`."""

from pathlib import Path
from types import TracebackType

from tensorboardX import SummaryWriter

from braindino.pretraining.loop import LogRecord

GROUPS = {
    "loss": ("loss", "gradient_norm"),
    "quality": ("effective_rank", "target_entropy", "prototypes_in_use", "agreement", "knn_", "gram_drift"),
    "schedule": ("learning_rate", "weight_decay", "momentum", "teacher_temperature", "gram_weight"),
}


class Board:
    """Writes beside the checkpoints, from the first record on; a process that has none writes nothing."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._writer: SummaryWriter | None = None

    def __enter__(self) -> "Board":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, record: LogRecord) -> None:
        """The record's figures at its number of images seen: what a resumed training repeats takes the old's place."""
        if self._writer is None:
            self._writer = SummaryWriter(str(self._directory), purge_step=record.images_seen)
        for name, value in record.metrics.items():
            self._writer.add_scalar(f"{group_of(name)}/{name}", value, record.images_seen)
        for sentence in record.warnings:
            self._writer.add_text("warnings", sentence, record.images_seen)


def group_of(metric: str) -> str:
    """Under which heading TensorBoard shows a figure."""
    for group, beginnings in GROUPS.items():
        if metric.startswith(beginnings):
            return group
    return "speed"
