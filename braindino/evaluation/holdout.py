"""The subjects that are kept for testing, frozen before any encoder is pretrained."""

from collections.abc import Collection, Mapping

from braindino.errors import ConfigError
from braindino.evaluation.strata import Target, strata

PURPOSE = "holdout"


def freeze(
    subjects: Mapping[str, Mapping[str, Target | None]],
    fraction: float = 0.3,
    seed: int = 0,
    already: Mapping[str, Collection[str]] | None = None,
) -> dict[str, set[str]]:
    """The test subjects (uid) of every task, drawn by subject inside strata of like targets.

    Args:
        subjects: per task, each subject's target (text: a class, number: split into thirds; missing: not
            drawn). Where a subject's scans differ, `subject_targets` makes one target of them.
        fraction: share of each stratum to freeze, rounded half up, with at least one subject on both sides of
            every stratum that has two.
        seed: seed of the draw.
        already: per task, subjects frozen earlier. They stay frozen whatever happens, so a test set only
            grows; new ones are added only while a stratum has fewer than its share.

    Of each stratum those with the lowest hash rank are taken. The rank is a hash of seed and subject alone
    and the same for all tasks: their test subjects overlap strongly, and the union that pretraining must
    leave out stays near `fraction` of all subjects.

    Raises:
        ConfigError: when `fraction` is not between 0 and 1 or the targets of a task mix text and numbers.
    """
    if not 0 < fraction < 1:
        raise ConfigError(f"The test fraction must lie between 0 and 1, but it is {fraction}.")
    kept = already or {}
    frozen: dict[str, set[str]] = {task: set(uids) for task, uids in kept.items()}
    for task, targets in subjects.items():
        test = frozen.setdefault(task, set())
        for members in strata(targets, PURPOSE, seed):
            missing = _quota(len(members), fraction) - len(test.intersection(members))
            fresh = [uid for uid in members if uid not in test]
            test.update(fresh[: max(missing, 0)])
    return frozen


def _quota(count: int, fraction: float) -> int:
    """Subjects of a stratum of `count` that are frozen; a lone subject stays in training."""
    if count < 2:
        return 0
    return min(max(int(count * fraction + 0.5), 1), count - 1)
