"""The prediction problems: which label of a scan or its subject is predicted, and what it is judged by."""

import difflib
from dataclasses import dataclass

from braindino.errors import ConfigError
from braindino.evaluation.strata import Kind, Target, is_missing

METRIC_NAMES: dict[Kind, tuple[str, ...]] = {
    "classification": ("auc", "balanced_accuracy"),
    "regression": ("mae", "r2"),
}


@dataclass(frozen=True)
class Task:
    """One prediction problem.

    `label` is a label's name in the mart `labels`, or "contrast" for the scan's own contrast. `contrasts` and
    `classes` restrict scans and classes; None takes all that are found. `floors_exclude` names the columns
    that a floor must not be given because they are the target itself.
    """

    name: str
    label: str
    kind: Kind
    description: str
    contrasts: tuple[str, ...] | None = None
    classes: tuple[str, ...] | None = None
    unit: str | None = None
    floors_exclude: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics it is judged by, the first one being the main one."""
        return METRIC_NAMES[self.kind]

    def target(self, value: str | None, number: float | None = None) -> Target | None:
        """The target that one label row (`value` or `number`) states, None where it states none for this
        task.

        A classification label that is stored as a number becomes its shortest text ("0", "1", "2.5").
        """
        if self.kind == "regression":
            return None if number is None or is_missing(float(number)) else float(number)
        if value is None and number is not None and not is_missing(float(number)):
            value = f"{number:g}"
        if is_missing(value) or (self.classes is not None and value not in self.classes):
            return None
        return value


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            "sex", "sex", "classification", "Sex as the source states it.", contrasts=("T1w",), floors_exclude=("sex",)
        ),
        Task("age", "age", "regression", "Age at the scan.", contrasts=("T1w",), unit="years", floors_exclude=("age",)),
        Task("diagnosis", "diagnosis", "classification", "Diagnosis or study group.", contrasts=("T1w",)),
        Task("contrast", "contrast", "classification", "MRI contrast of the scan."),
        Task("lesion", "lesion", "classification", "Whether a lesion is present.", contrasts=("FLAIR", "T2w")),
    )
}


def get_task(name: str) -> Task:
    """The task of that name.

    Raises:
        ConfigError: naming the known tasks and the nearest one.
    """
    if name in TASKS:
        return TASKS[name]
    near = difflib.get_close_matches(name, TASKS, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    raise ConfigError(f"There is no task {name!r}; the known ones are {', '.join(sorted(TASKS))}{hint}")
