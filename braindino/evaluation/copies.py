"""Which scans of a collection are the same scan in another encoding, found by their fingerprints.

Three questions, from cheap to dear. Are two brains alike from afar (one product of vectors for all pairs)? Is it the
same brain (`likeness`: that, together with the coherence of detail of 5 to 8 mm once aligned)? And is it the same scan,
or a repeat? A repeat has the same anatomy and other noise. Noise is as strong in quiet places as in rich ones, so it
spoils the coherence of quiet places far more; interpolation, bias fields and windows spoil both in proportion. `score`
measures that.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from braindino.errors import ConfigError
from braindino.evaluation.align import Placement, align
from braindino.evaluation.coherence import Coherence, coherence
from braindino.evaluation.fingerprint import FINE_MM, Fingerprint

Grade = Literal["copy", "same_person"]

_DETAIL_BANDS = slice(2, 5)  # of coherence.BANDS_MM: 5 to 2.5 mm, where noise is as strong as anatomy
_LIKENESS_BAND = 0
# Chosen on real scans: with this exponent repeats of any noise level score alike, and copies above them.
_EXPONENT = 0.6
_PERFECT = 1e-4  # a loss of coherence below this is rounding


@dataclass(frozen=True)
class Limits:
    """What must be exceeded: `coarse` to be looked at, `likeness` to be the same brain, `score` to be the same scan.

    Measured as tests/benchmarks/bench_copies.py says. Likeness: no pair of 791 of different real people exceeds 0.66,
    and none of synthetic ones, who share a template, 0.89; Pareto tails reach a rate of 1e-8 at 0.60 to 0.79 and at
    0.92; copies stay above 0.95. Score: no pair of different people exceeds 0.12 and none of 60 repeats -0.10; the
    tail of the repeats reaches 1e-8 at 0.04, from too few of them to bound it well. `coarse` is a matter of cost: about
    one pair in 20,000 of real strangers and one contrast exceeds it.
    """

    coarse: float = 0.75
    likeness: float = 0.93
    score: float = 0.30


LIMITS = Limits()


@dataclass(frozen=True)
class Comparison:
    """Two fingerprints side by side.

    `likeness` (-1 to 1) is how alike their anatomy is, from afar and aligned; `score` (about -1 to 4) how little their
    finest detail differs in quiet places, given how much it differs in rich ones; `grade` None is two brains.
    """

    likeness: float
    score: float
    grade: Grade | None


@dataclass(frozen=True)
class Match:
    """A pair of scans, by position (first < second), that are a "copy" (one scan) or of the "same_person".

    "same_person" is one brain: another scan of it, or a copy that lost its fine detail (resampled to 2 mm, say). It is
    a hint for a person to follow up, and never a link.
    """

    first: int
    second: int
    grade: Grade
    score: float
    likeness: float


def find_copies(
    fingerprints: Sequence[Fingerprint],
    persons: Sequence[Hashable] | None = None,
    *,
    limits: Limits = LIMITS,
    block: int = 2048,
) -> list[Match]:
    """All pairs that are copies of one scan, or show one brain.

    Args:
        fingerprints: of n scans. It may read them lazily: each is indexed once, and again only as a candidate.
        persons: one value per scan; pairs of equal value, known to be one person, are left out. None: all pairs count.
        limits: what must be exceeded.
        block: scans per block; memory is about 4 * n * COARSE_LENGTH + 4 * block**2 bytes.

    Raises:
        ConfigError: `persons` is of another length.
    """
    if not len(fingerprints):
        return []
    coarse = np.stack([fingerprints[index].coarse for index in range(len(fingerprints))])
    matches = []
    for first, second, _ in candidate_pairs(coarse, persons, limits=limits, block=block):
        found = compare(fingerprints[first], fingerprints[second], limits=limits)
        if found.grade is not None:
            matches.append(Match(first, second, found.grade, found.score, found.likeness))
    return matches


def candidate_pairs(
    coarse: NDArray[np.int8],
    persons: Sequence[Hashable] | None = None,
    *,
    limits: Limits = LIMITS,
    block: int = 2048,
) -> Iterator[tuple[int, int, float]]:
    """Pairs (first < second, with the cosine of their coarse parts) that are worth a closer look.

    Args:
        coarse: the coarse parts of n fingerprints, [n, COARSE_LENGTH].
        persons: as for `find_copies`.
        limits: `coarse` is used.
        block: as for `find_copies`.

    Raises:
        ConfigError: `persons` is of another length.
    """
    known = None if persons is None else _numbered(persons)
    if known is not None and len(known) != len(coarse):
        raise ConfigError(f"{len(coarse)} fingerprints came with {len(known)} persons; give one person per scan.")
    unit = coarse.astype(np.float32)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-9)
    for low in range(0, len(unit), block):
        for start in range(low, len(unit), block):
            cosines = unit[low : low + block] @ unit[start : start + block].T
            rows, columns = np.nonzero(cosines > limits.coarse)
            first, second = rows + low, columns + start
            wanted = first < second
            if known is not None:
                wanted &= known[first] != known[second]
            for i, j, row, column in zip(*(a[wanted] for a in (first, second, rows, columns)), strict=True):
                yield int(i), int(j), float(cosines[row, column])


def compare(one: Fingerprint, other: Fingerprint, *, limits: Limits = LIMITS) -> Comparison:
    """Aligns the middles of two brains and judges them, in about 0.1 s.

    Two starts are tried: the world's axes (most copies keep them), and the brains' own axes and sizes (a copy on an
    atlas does not); the better fit counts.
    """
    fixed, moving = one.fine.astype(np.float32), other.fine.astype(np.float32)
    turn = np.asarray(other.axes @ np.diag(other.size / one.size) @ one.axes.T, dtype=np.float64)
    best: Coherence | None = None
    for start in (np.eye(3), turn):
        found = _coherence_at(fixed, moving, align(fixed, moving, start))
        if found is not None and (best is None or _likeness(found) > _likeness(best)):
            best = found
    if best is None:
        return Comparison(0.0, 0.0, None)
    likeness, score = _both(cosine(one, other), _likeness(best)), _score(best)
    if likeness <= limits.likeness:
        return Comparison(likeness, score, None)
    return Comparison(likeness, score, "copy" if score > limits.score else "same_person")


def _coherence_at(fixed: NDArray[np.float32], moving: NDArray[np.float32], placement: Placement) -> Coherence | None:
    if not placement.plausible():
        return None
    return coherence(fixed, placement.take(moving, order=3), placement.visible(fixed.shape), FINE_MM)


def cosine(one: Fingerprint, other: Fingerprint) -> float:
    """How alike two brains are from afar: the cosine of their coarse parts."""
    first, second = one.coarse.astype(np.float64), other.coarse.astype(np.float64)
    return float(first @ second) / max(float(np.linalg.norm(first) * np.linalg.norm(second)), 1e-9)


def _both(afar: float, aligned: float) -> float:
    """Two correlations as one, the mean of their Fisher's z: two brains may look alike in one way, hardly in both."""
    return float(np.tanh(np.mean(np.arctanh(np.clip([afar, aligned], -0.9999, 0.9999)))))


def _likeness(found: Coherence) -> float:
    return float(found.shared[_LIKENESS_BAND].mean())


def _score(found: Coherence) -> float:
    """Loss in rich places over loss in quiet ones, on a logarithmic scale, mean of the detail bands."""
    lost = np.log(np.clip(1 - found.shared[_DETAIL_BANDS], _PERFECT, 2))
    return float(np.mean(_EXPONENT * lost[:, -1] - lost[:, 0]))


def _numbered(values: Sequence[Hashable]) -> NDArray[np.int64]:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)
