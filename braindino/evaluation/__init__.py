"""What is predicted, from whom, and how well: tasks, splits by subject, floors, metrics with intervals."""

from braindino.evaluation.copies import LIMITS, Comparison, Limits, Match, candidate_pairs, compare, find_copies
from braindino.evaluation.fingerprint import COARSE_LENGTH, FINGERPRINT_VERSION, Fingerprint, fingerprint
from braindino.evaluation.floors import FLOORS, FloorMatrix, floor_matrix
from braindino.evaluation.holdout import freeze
from braindino.evaluation.intervals import SMOKE_TEST_SUBJECTS, Metric, evaluate
from braindino.evaluation.splits import Usable, inner_folds, nested_fractions, usable_rows
from braindino.evaluation.strata import Kind, Target, subject_targets
from braindino.evaluation.tasks import TASKS, Task, get_task

EVALUATION_VERSION = 1
"""Raised by hand when a split, a floor or a metric changes for the same input; golden tests guard it."""

__all__ = [
    "COARSE_LENGTH",
    "EVALUATION_VERSION",
    "FINGERPRINT_VERSION",
    "FLOORS",
    "LIMITS",
    "SMOKE_TEST_SUBJECTS",
    "TASKS",
    "Comparison",
    "Fingerprint",
    "FloorMatrix",
    "Kind",
    "Limits",
    "Match",
    "Metric",
    "Target",
    "Task",
    "Usable",
    "candidate_pairs",
    "compare",
    "evaluate",
    "find_copies",
    "fingerprint",
    "floor_matrix",
    "freeze",
    "get_task",
    "inner_folds",
    "nested_fractions",
    "subject_targets",
    "usable_rows",
]
