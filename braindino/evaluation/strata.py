"""Subjects in strata of like targets, in an order that depends on nothing but their names and a seed.

Every split of this room is drawn here: a subject's place comes from a hash, not from a random generator, so
it does not depend on the order of rows, on other subjects or on the version of a library.
"""

import hashlib
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

from braindino.errors import ConfigError

Kind = Literal["classification", "regression"]
Target = str | float
"""A class name (classification) or a number (regression)."""

MAX_QUANTILE_STRATA = 3


def hash_rank(purpose: str, seed: int, subject_uid: str) -> str:
    """A subject's place in the draw for one purpose: hexadecimal SHA-256, uniform and independent over
    purposes.
    """
    return hashlib.sha256(f"{purpose}\0{seed}\0{subject_uid}".encode()).hexdigest()


def is_missing(target: Target | None) -> bool:
    """Whether a target is None, an empty text or NaN (of any floating-point type)."""
    return target is None or target == "" or target != target


def subject_targets(targets: Sequence[Target | None], groups: Sequence[str], kind: Kind) -> dict[str, Target]:
    """One target per subject from one target per scan; subjects without any are left out.

    Regression: the mean over the subject's scans. Classification: the subject's class; where its scans differ
    (a diagnosis that converts, or the contrast itself), the one of its classes that the fewest subjects have,
    so that a rare class is spread over a split; among equally rare ones the first by name.
    """
    found: dict[str, list[Target]] = defaultdict(list)
    for target, group in zip(targets, groups, strict=True):
        if target is not None and not is_missing(target):
            found[group].append(target)
    if kind == "regression":
        return {group: math.fsum(map(float, values)) / len(values) for group, values in found.items()}
    carriers = Counter(str(value) for values in found.values() for value in set(values))
    return {group: min(map(str, values), key=lambda name: (carriers[name], name)) for group, values in found.items()}


def strata(targets: Mapping[str, Target | None], purpose: str, seed: int) -> list[list[str]]:
    """Subjects grouped by like targets; inside each stratum they stand in the order of their hash rank.

    Text targets give one stratum per class, in the order of the names. Numbers give thirds by rank (halves
    under six subjects, one stratum under four), equal in size, with ties between equal numbers cut by hash
    rank; any stratum of numbers holds two subjects or more where there are two. Subjects whose target is
    missing stand in none.

    Raises:
        ConfigError: when some targets are text and others are numbers.
    """
    known = {uid: target for uid, target in targets.items() if target is not None and not is_missing(target)}
    numeric = {uid for uid, target in known.items() if not isinstance(target, str)}
    if numeric and len(numeric) < len(known):
        text = next(uid for uid in sorted(known) if uid not in numeric)
        raise ConfigError(
            f"The targets of a task are all text or all numbers, but subject {min(numeric)} has "
            f"{known[min(numeric)]!r} and subject {text} has {known[text]!r}: clean the label."
        )
    ranks = {uid: hash_rank(purpose, seed, uid) for uid in known}
    if numeric:
        members = _quantile_strata({uid: float(target) for uid, target in known.items()}, ranks)
    else:
        classes = sorted({str(target) for target in known.values()})
        members = [[uid for uid, target in known.items() if target == name] for name in classes]
    return [sorted(uids, key=ranks.__getitem__) for uids in members]


def _quantile_strata(values: Mapping[str, float], ranks: Mapping[str, str]) -> list[list[str]]:
    ordered = sorted(values, key=lambda uid: (values[uid], ranks[uid]))
    count = max(1, min(MAX_QUANTILE_STRATA, len(ordered) // 2))
    edges = [round(len(ordered) * i / count) for i in range(count + 1)]
    return [ordered[low:high] for low, high in itertools.pairwise(edges)]
