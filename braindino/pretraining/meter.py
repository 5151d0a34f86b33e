"""Sums the figures of steps on the device, so that only a log record waits for it."""

import time

import torch
from torch import Tensor

from braindino.pretraining import monitor
from braindino.pretraining.batches import Batch
from braindino.pretraining.objective import Outcome
from braindino.pretraining.schedules import Values


class Meter:
    """What happened since the last log record."""

    def __init__(self, problems: tuple[str, ...] = (), skipped_in_a_row: int = 0) -> None:
        self.problems = problems
        self.skipped_in_a_row = skipped_in_a_row
        self._sums: dict[str, Tensor] = {}
        self._steps = 0
        self._skipped = 0
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

    def end_step(self, outcome: Outcome | None, batch: Batch) -> float:
        """The step is done (None: it was skipped); returns the seconds since the step before."""
        now = time.perf_counter()
        self._worked += now - self._mark
        self._mark = now
        self._images += batch.size
        self._unreadable += batch.slices.unreadable
        if outcome is None:
            self._skipped += 1
            self.skipped_in_a_row += 1
        else:
            self._steps += 1
            self.skipped_in_a_row = 0
            self._last = outcome
            for name in ("loss", "dino", "ibot", "koleo", "gram"):
                value = getattr(outcome, name).detach().double()
                self._sums[name] = self._sums[name] + value if name in self._sums else value
        return now - self._began

    def warnings(self) -> tuple[str, ...]:
        """What a person should read of these steps, in sentences."""
        if not self._skipped:
            return self.problems
        return (*self.problems, f"{self._skipped} steps were skipped: their loss or gradients were not finite.")

    def summary(self, values: Values) -> dict[str, float]:
        """Means over the steps since the last record, the schedules' values, and the monitor's view of the
        last step.

        `waiting_share` is the part of the time that steps waited for slices: near 1, the run is bound by
        reading.
        """
        seconds = self._waited + self._worked
        metrics = {
            "learning_rate": values.learning_rate,
            "weight_decay": values.weight_decay,
            "momentum": values.momentum,
            "teacher_temperature": values.teacher_temperature,
            "gram_weight": values.gram_weight,
            "images_per_second": self._images / max(seconds, 1e-9),
            "waiting_share": self._waited / max(seconds, 1e-9),
            "skipped_steps": float(self._skipped),
            "unreadable_slices": float(self._unreadable),
        }
        for name, total in self._sums.items():
            metrics["loss" if name == "loss" else f"loss_{name}"] = float(total) / self._steps
        if self._last is not None:
            with torch.no_grad():
                metrics["effective_rank"] = monitor.effective_rank(self._last.teacher_cls)
                metrics["target_entropy"] = monitor.target_entropy(self._last.teacher_probs)
                metrics["prototypes_in_use"] = monitor.prototypes_in_use(self._last.teacher_probs)
                metrics["agreement"] = monitor.agreement(self._last.student_logits, self._last.teacher_probs)
        return metrics
