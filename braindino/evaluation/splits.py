"""Splits of the training side by subject: nested label fractions and inner folds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from braindino.errors import ConfigError, FitError
from braindino.evaluation.strata import Kind, Target, is_missing, strata, subject_targets

MIN_SUBJECTS = 2
"""Training subjects a class needs: one to learn from while the other is held out in an inner fold."""


def nested_fractions(
    targets: Mapping[str, Target | None], fractions: Sequence[float], seed: int
) -> dict[float, set[str]]:
    """The training subjects of each label fraction: stratified, each subset inside every larger one.

    Args:
        targets: each training subject's target (see `strata`); subjects whose target is missing are never
            used.
        fractions: shares in (0, 1]. Of each stratum the rounded share is taken, but never fewer than two
            subjects (where it has two), for a class with one subject cannot be fitted; with few labels the
            subset is therefore larger than asked, which the number of training subjects beside each result
            shows.
        seed: seed of the draw; fraction 1 gives all subjects whatever the seed.

    Raises:
        ConfigError: when a fraction is not in (0, 1] or targets mix text and numbers.
    """
    for fraction in fractions:
        if not 0 < fraction <= 1:
            raise ConfigError(f"A label fraction must lie above 0 and at most at 1, but one is {fraction}.")
    ordered = strata(targets, "fraction", seed)
    return {
        fraction: {
            uid for members in ordered for uid in members[: max(int(len(members) * fraction + 0.5), MIN_SUBJECTS)]
        }
        for fraction in fractions
    }


def inner_folds(
    targets: Sequence[Target], groups: Sequence[str], kind: Kind, seed: int, n_folds: int = 5
) -> NDArray[np.int64]:
    """The fold [n] (0, 1, ...) of each row: no subject in two folds, like targets spread evenly.

    The folds depend on subjects and seed, not on the order of rows. With fewer subjects than `n_folds` each
    subject is a fold of its own. A class carried by two subjects is never in one fold alone, unless a subject
    has more than one class.

    Raises:
        FitError: when there is one subject only, or a class has one subject only.
    """
    _check_subjects(targets, groups, kind)
    by_subject = subject_targets(targets, groups, kind)
    order = [uid for members in strata(by_subject, "inner", seed) for uid in members]
    count = min(n_folds, len(order))
    # Dealing on from stratum to stratum keeps the folds equal in size as well as stratified.
    fold_of = {uid: position % count for position, uid in enumerate(order)}
    return np.array([fold_of[group] for group in groups], dtype=np.int64)


@dataclass(frozen=True)
class Usable:
    """Rows that can be fitted and judged, a bool mask [n]; `dropped` says why a class was left out."""

    rows: NDArray[np.bool_]
    dropped: dict[str, str]


def usable_rows(
    targets: Sequence[Target | None],
    groups: Sequence[str],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
    kind: Kind,
) -> Usable:
    """Rows whose target is known and, for a classification, whose class can be both learned and judged.

    A class is left out, with the reason, when it has fewer than two training subjects or no test subject.
    Decide this once per task on all training subjects, not per label fraction, or the fractions are judged on
    different classes.
    """
    rows = np.array([not is_missing(target) for target in targets], dtype=bool) & (train | test)
    if kind == "regression":
        return Usable(rows, {})
    learners, judges = _carriers(targets, groups, rows & train), _carriers(targets, groups, rows & test)
    dropped: dict[str, str] = {}
    for name in sorted({*learners, *judges}):
        n_train, n_test = len(learners[name]), len(judges[name])
        if n_train < MIN_SUBJECTS or n_test == 0:
            dropped[name] = f"{n_train} training and {n_test} test subjects; {MIN_SUBJECTS} and 1 are needed"
    return Usable(rows & np.array([str(target) not in dropped for target in targets], dtype=bool), dropped)


def _carriers(
    targets: Sequence[Target | None], groups: Sequence[str], rows: NDArray[np.bool_]
) -> defaultdict[str, set[str]]:
    """The subjects of each class among the chosen rows."""
    carriers: defaultdict[str, set[str]] = defaultdict(set)
    for target, group, chosen in zip(targets, groups, rows, strict=True):
        if chosen:
            carriers[str(target)].add(str(group))
    return carriers


def _check_subjects(targets: Sequence[Target], groups: Sequence[str], kind: Kind) -> None:
    if len(set(groups)) < MIN_SUBJECTS:
        raise FitError(f"There are {len(set(groups))} training subjects, but selection needs at least two.")
    if kind == "regression":
        return
    for name, subjects in sorted(_carriers(targets, groups, np.ones(len(targets), dtype=bool)).items()):
        if len(subjects) < MIN_SUBJECTS:
            raise FitError(
                f"Class {name!r} has one training subject, but at least {MIN_SUBJECTS} are needed: "
                "leave the class out of the task or add subjects."
            )
