"""How many copies of a scan are found in which encoding, and how near pairs that are no copies come.

    python -m tests.benchmarks.bench_copies [--people 200] [--encoded 20] [--scans FOLDER] [--workers 2]

Synthetic people are rendered at 1 mm; FOLDER may hold real brain scans as .npz files of the arrays `image`, `brain` and
`affine` that the slice store holds, named PERSON__ANYTHING.npz. Negatives are other people (all pairs from afar; closer
the likeliest and a random sample) and repeats of one person: for synthetic people new noise on a moved brain, for real
ones the same on a denoised scan, with the noise that was removed or half of it. Thresholds are followed outwards to a
rate of 1e-8 from the tail of each class of negatives; each kind of encoding is then counted at the limits in use.
"""

import argparse
import itertools
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from braindino.evaluation.copies import LIMITS, Comparison, compare
from braindino.evaluation.fingerprint import Fingerprint
from braindino.evaluation.tails import Tail, fit_tail
from braindino.phantom.cohort import Subject, make_cohort
from braindino.phantom.contrast import NOISE, brain_signal, get_contrast
from braindino.phantom.render import frame_for
from braindino.phantom.warp import tissues_of
from tests.evaluation.encodings import Voxels, copies, denoised, fingerprint_of, noisy, of_stored, repeated

RATE = 1e-8
_SAMPLE = 400  # pairs of other people that are aligned: this many at random, and this many of the likeliest


@dataclass(frozen=True)
class Measured:
    """One scan: its fingerprint, and how its copies and repeats compare with it."""

    name: str
    person: str
    original: Fingerprint
    copies: list[tuple[str, float, Comparison]]
    repeats: list[tuple[str, float, Comparison]]


def clean_brain(subject: Subject) -> Voxels:
    """A synthetic brain without noise, signal of white matter about 1."""
    frame = frame_for(1.0, with_skull=False)
    tissues = tissues_of(subject, frame)
    values, brain = np.zeros(frame.shape, np.float32), np.zeros(frame.shape, bool)
    values.flat[tissues.voxels] = brain_signal(tissues, get_contrast("T1w"), (subject.age - 20) / 70)
    brain.flat[tissues.voxels] = tissues.brain > 0.5
    return Voxels(values, brain, frame.affine)


def of_synthetic(subject: Subject, encoded: bool) -> Measured:
    """One synthetic person."""
    clean = clean_brain(subject)
    scan = noisy(clean, NOISE, subject.number)
    again = [("synthetic", repeated(clean, NOISE, 1000 + subject.number))]
    return _measured(f"synthetic {subject.number}", str(subject.number), scan, encoded, again)


def of_real(path: Path, encoded: bool) -> Measured:
    """One real scan."""
    arrays = np.load(path)
    scan = of_stored(arrays["image"], arrays["brain"], arrays["affine"])
    # Where slices are thick, noise cannot be told from anatomy: no repeat is made of them.
    again: list[tuple[str, Voxels]] = []
    if np.linalg.norm(scan.affine[:3, :3], axis=0).max() < 2:
        for strength, share, moved in ((1.0, 1.0, True), (2.0, 1.0, True), (1.0, 0.5, False)):
            clean, spread = denoised(scan, strength)
            kind = f"real, denoised {strength:g}, noise x {share:g}"
            again.append((kind, repeated(clean, share * spread, 7, moved=moved)))
    else:
        encoded = False
    return _measured(path.stem, path.stem.split("__")[0], scan, encoded, again)


def _measured(name: str, person: str, scan: Voxels, encoded: bool, again: list[tuple[str, Voxels]]) -> Measured:
    original = _print(scan)
    return Measured(
        name,
        person,
        original,
        [(kind, *_side_by_side(original, copy)) for kind, copy in (copies(scan) if encoded else ())],
        [(kind, *_side_by_side(original, other)) for kind, other in again],
    )


def _print(scan: Voxels) -> Fingerprint:
    return fingerprint_of(scan.stored())


def _side_by_side(original: Fingerprint, other: Voxels) -> tuple[float, Comparison]:
    second = _print(other)
    return float(cosines([original, second])[0, 1]), compare(original, second)


def cosines(prints: list[Fingerprint]) -> NDArray[np.float32]:
    """The cosine of every pair from afar [n, n]."""
    coarse = np.stack([one.coarse for one in prints]).astype(np.float32)
    coarse /= np.linalg.norm(coarse, axis=1, keepdims=True)
    product: NDArray[np.float32] = coarse @ coarse.T
    return product


def report(measured: list[Measured], workers: int) -> None:
    """Prints all tables for one set of scans."""
    _report_copies(measured)
    repeats = [entry for one in measured for entry in one.repeats]
    for kind in dict.fromkeys(kind for kind, _, _ in repeats):
        chosen = [found for name, _, found in repeats if name == kind]
        scores = np.array([found.score for found in chosen])
        called = sum(found.grade == "copy" for found in chosen)
        print(f"repeat: {kind:36s} n {len(chosen):4d}  score {scores.mean():+.2f} sd {scores.std():.2f} "
              f"max {scores.max():+.2f}  called copies {called}")  # fmt: skip
    _report_tail("score of repeats", np.array([found.score for _, _, found in repeats]), 0.1, None, False)
    prints = [one.original for one in measured]
    first, second = np.triu_indices(len(prints), 1)
    other = np.array([measured[i].person != measured[j].person for i, j in zip(first, second, strict=True)])
    first, second = first[other], second[other]
    afar = cosines(prints)[first, second].astype(np.float64)
    _report_tail("coarse of other people", np.arctanh(afar), 0.02, (first, second), True)
    rng = np.random.default_rng(0)
    picked = np.unique(np.concatenate([np.argsort(-afar)[:_SAMPLE], rng.permutation(len(afar))[:_SAMPLE]]))
    with ProcessPoolExecutor(workers) as pool:
        found = list(pool.map(compare, *([prints[i] for i in side[picked]] for side in (first, second)), chunksize=20))
    likeness = np.array([one.likeness for one in found])
    _report_tail("likeness of other people", np.arctanh(likeness), 0.1, (first[picked], second[picked]), True)
    print(f"other people: {len(picked)} of {len(afar)} pairs aligned, largest likeness {likeness.max():.3f}, "
          f"called one person or copies {sum(one.grade is not None for one in found)}; "
          f"candidates from afar {int((afar > LIMITS.coarse).sum())}")  # fmt: skip


def _report_copies(measured: list[Measured]) -> None:
    entries = [entry for one in measured for entry in one.copies]
    for kind in dict.fromkeys(kind for kind, _, _ in entries):
        chosen = [(afar, found) for name, afar, found in entries if name == kind]
        seen = [found for afar, found in chosen if afar > LIMITS.coarse]
        grades = [found.grade for found in seen]
        scores = np.array([found.score for _, found in chosen])
        missed = len(chosen) - len(grades) + grades.count(None)
        lowest = min(afar for afar, _ in chosen), min(found.likeness for _, found in chosen)
        print(f"{kind:26s} n {len(chosen):3d}  copy {grades.count('copy'):3d}  same_person "
              f"{grades.count('same_person'):3d}  missed {missed:3d}   coarse >= {lowest[0]:.2f}  likeness >= "
              f"{lowest[1]:.3f}  score {scores.min():+.2f} .. {scores.max():+.2f}")  # fmt: skip


def _report_tail(
    name: str,
    scores: NDArray[np.float64],
    share: float,
    members: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
    fisher: bool,
) -> None:
    if len(scores) * share < 30:
        share = 30 / max(len(scores), 1) + 1e-6
    if share > 0.3:
        seen = np.tanh(scores) if fisher else scores
        print(f"tail, {name}: {len(scores)} pairs are too few; largest {seen.max(initial=-1):.3f}")
        return
    tail: Tail = fit_tail(scores, RATE, members=members, share=share)
    largest, start, at, low, high = (
        float(np.tanh(value)) if fisher else float(value)
        for value in (scores.max(), tail.start, tail.threshold, tail.low, tail.high)
    )
    print(f"tail, {name}: n {tail.n}, max {largest:.3f}; beyond {start:.3f} ({share:.0%})")
    print(f"    Pareto shape {tail.shape:+.2f} scale {tail.scale:.3f}; at {RATE:g}: {at:.3f} ({low:.3f} .. {high:.3f})")


def _many(workers: int, people: int, encoded: int, folder: Path | None) -> Iterator[tuple[str, list[Measured]]]:
    flags = itertools.chain([True] * encoded, itertools.repeat(False))
    with ProcessPoolExecutor(workers) as pool:
        if people:
            yield "synthetic", list(pool.map(of_synthetic, make_cohort(people, (77, 3)), flags))
        if folder is not None:
            yield "real", list(pool.map(of_real, sorted(folder.glob("*.npz")), itertools.repeat(True)))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--encoded", type=int, default=20)
    parser.add_argument("--scans", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    print(f"limits in use: {LIMITS}")
    for name, measured in _many(given.workers, given.people, given.encoded, given.scans):
        print(f"\n== {name}: {len(measured)} scans")
        report(measured, given.workers)


if __name__ == "__main__":
    main()
