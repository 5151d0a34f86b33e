"""Sums the figures of steps on the device, so that only a log record waits for it."""

import time

import torch
from torch import Tensor

from braindino.pretraining import monitor
from braindino.pretraining.batches import Batch
from braindino.pretraining.objective import Outcome
from braindino.pretraining.schedules import Values
from braindino.pretraining.team import Team

TERMS = ("loss", "dino", "ibot", "koleo", "gram", "gradient_norm")


class Meter:
    """What happened since the last log record."""

    def __init__(self, team: Team, problems: tuple[str, ...] = ()) -> None:
        self.problems = problems
        self._team = team
        self._sums = torch.zeros(len(TERMS) + 1, dtype=torch.float32, device=team.device)
        self._steps = 0
        self._images = 0
        self._unreadable = 0
        self._last: Outcome | None = None
        self._waited = 0.0
        self._worked = 0.0
        self._mark = self._began = time.perf_counter()

    def begin_step(self) -> None:
        """The batch is there: the time since the last step was spent waiting for data."""
        now = time.perf_counter()
        self._waited += now - self._mark
        self._began = self._mark
        self._mark = now

    def end_step(self, outcome: Outcome, norm: Tensor, succeeded: Tensor, batch: Batch) -> float:
        """The step is done, `succeeded` or skipped (0); returns the seconds since the step before."""
        figures = torch.stack([outcome.loss.detach(), *(outcome.terms[name] for name in TERMS[1:-1]), norm])
        counted = torch.where(succeeded > 0, figures.float(), 0.0)
        self._sums += torch.cat([counted, succeeded.view(1)])
        self._steps += 1
        self._images += batch.images
        self._unreadable += batch.slices.unreadable
        self._last = outcome
        now = time.perf_counter()
        self._worked += now - self._mark
        self._mark = now
        return now - self._began

    def summary(self, values: Values, operations: float | None, peak: float | None) -> dict[str, float]:
        """Means over the steps since the last record and over processes, the schedules' values, and the monitor's view
        of the last step.

        `waiting_share` is the part of the time that steps waited for slices: near 1, the run is bound by
        reading. `mfu` is the share of the devices' bfloat16 peak, where that is known. Every process calls this.
        """
        *sums, succeeded = (self._team.sum(self._sums.clone()) / self._team.size).tolist()  # waits for the device
        self._worked += time.perf_counter() - self._mark
        seconds = max(self._waited + self._worked, 1e-9)
        metrics = {
            "learning_rate": values.learning_rate,
            "weight_decay": values.weight_decay,
            "momentum": values.momentum,
            "teacher_temperature": values.teacher_temperature,
            "gram_weight": values.gram_weight,
            "images_per_second": self._images / seconds,
            "waiting_share": self._waited / seconds,
            "skipped_steps": float(self._steps - succeeded),
            "unreadable_slices": float(self._unreadable),
        }
        if operations and peak:
            metrics["mfu"] = operations * self._images / seconds / (peak * self._team.size)
        if self._team.device.type == "cuda":
            metrics["memory_gb"] = torch.cuda.max_memory_allocated(self._team.device) / 1e9
        for name, total in zip(TERMS, sums, strict=True):
            if succeeded:
                plain = name in ("loss", "gradient_norm")
                metrics[name if plain else f"loss_{name}"] = total / succeeded
        if self._last is not None and succeeded:
            metrics |= monitor.figures(self._last)
        return metrics
