"""Which slices make a training batch: decided by seed and batch number alone, so any batch can be redrawn."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from braindino.errors import ConfigError


@dataclass(frozen=True)
class ScanRef:
    """One stored scan, as far as drawing slices needs to know it. `path` is its Zarr group."""

    path: str
    scan_id: str
    subject_uid: str
    dataset: str
    n_slices: int
    plane: str
    session: str = ""
    contrast: str = ""


class SliceSampler:
    """Draws batches of slices, stateless: batch `i` is the same whatever was drawn before it.

    A batch holds one slice per person as long as there are as many people as slices in it (two slices of one
    brain are nearly the same image, and a contrastive regulariser such as KoLeo would push them apart); with
    fewer people, everyone comes equally often and their slices are spread over the brain. Which people: with
    `balance`, datasets are drawn in proportion to the square root of their slices and people within a dataset
    evenly, so that a large dataset does not drown the small ones; without it, in proportion to their slices.
    Both hold up to the rule of one slice per person.
    """

    def __init__(
        self,
        scans: Sequence[ScanRef],
        seed: int,
        batch_size: int,
        gaussian_scale: float | None = None,
        balance: bool = True,
    ) -> None:
        """Prepares the draw.

        Args:
            scans: the scans to draw from, all of one plane, for slices of one batch share a shape.
            seed: of all draws.
            batch_size: slices in a batch.
            gaussian_scale: None draws slices evenly; a number draws index ~ N(centre, scale x range), clipped
                to the stored range, as the pretraining of the paper does (arXiv 2604.27277, released loader).
            balance: whether to balance datasets.

        Raises:
            ConfigError: there are no scans, one has no slices, planes are mixed, or a parameter is out of
                range.
        """
        _check(scans, batch_size, gaussian_scale)
        self.scans = tuple(scans)
        self.seed = seed
        self.batch_size = batch_size
        self._gaussian_scale = gaussian_scale
        self._n_slices = np.array([scan.n_slices for scan in scans])
        people = sorted({scan.subject_uid for scan in scans})
        rank = {uid: position for position, uid in enumerate(people)}
        owner = np.array([rank[scan.subject_uid] for scan in scans])
        self._by_person = np.argsort(owner, kind="stable")  # scan positions, one person after the other
        weights = _balanced_weights(self.scans) if balance else self._n_slices.astype(float)
        self._cumulative = np.cumsum(weights[self._by_person])
        counts = np.bincount(owner, minlength=len(people))
        self._last = np.cumsum(counts) - 1
        self._first = self._last - counts + 1
        self._person_end = self._cumulative[self._last]
        self._person_start = np.concatenate([[0.0], self._person_end[:-1]])

    @property
    def n_subjects(self) -> int:
        """The number of people in the draw."""
        return len(self._last)

    @property
    def batches_per_epoch(self) -> int:
        """Batches until as many slices were drawn as are stored (at least one)."""
        return max(1, int(self._n_slices.sum()) // self.batch_size)

    def number(self, epoch: int, offset: int = 0) -> int:
        """The number of the batch that follows the first `offset` batches of an epoch: where a run resumes.

        Raises:
            ConfigError: an epoch has no such batch.
        """
        if epoch < 0 or not 0 <= offset < self.batches_per_epoch:
            last = self.batches_per_epoch - 1
            raise ConfigError(
                f"Epochs are counted from 0 and their batches, as many as the slices fill, from 0 to {last}, "
                f"not {epoch} and {offset}."
            )
        return epoch * self.batches_per_epoch + offset

    def batch(self, index: int) -> list[tuple[int, int]]:
        """The batch of that number, counted from the start of the training.

        Returns:
            `batch_size` pairs (position in `scans`, slice index).
        """
        epoch, step = divmod(index, self.batches_per_epoch)
        rng = np.random.default_rng([self.seed, epoch, step])
        people = self._draw_people(rng)
        between = self._person_start[people] + rng.random(len(people)) * (
            self._person_end[people] - self._person_start[people]
        )
        places = np.searchsorted(self._cumulative, between, side="right")
        scans = self._by_person[np.clip(places, self._first[people], self._last[people])]
        indices = self._draw_slices(rng, people, self._n_slices[scans])
        return list(zip(scans.tolist(), indices.tolist(), strict=True))

    def _draw_people(self, rng: np.random.Generator) -> np.ndarray:
        rounds, rest = divmod(self.batch_size, self.n_subjects)
        # Gumbel top-k: adding Gumbel noise to log weights and taking the largest draws without replacement
        # (Efraimidis and Spirakis 2006; Kool et al. 2019).
        noise = -np.log(-np.log(np.clip(rng.random(self.n_subjects), 1e-300, 1 - 1e-16)))
        order = np.argsort(-(np.log(self._person_end - self._person_start) + noise), kind="stable")
        people: np.ndarray = np.concatenate([np.tile(order, rounds), order[:rest]])
        return people

    def _draw_slices(self, rng: np.random.Generator, people: np.ndarray, n_slices: np.ndarray) -> np.ndarray:
        # The j-th of a person's r slices falls into the j-th of r equal parts of the distribution.
        total = Counter(people.tolist())
        seen: Counter[int] = Counter()
        part = np.empty(len(people))
        for row, person in enumerate(people.tolist()):
            part[row] = seen[person] / total[person]
            seen[person] += 1
        share = 1.0 / np.array([total[person] for person in people.tolist()])
        quantile = part + share * rng.random(len(people))
        if self._gaussian_scale is None:
            position = np.floor(quantile * n_slices)
        else:
            normal = NormalDist()
            deviate = [normal.inv_cdf(q) for q in np.clip(quantile, 1e-12, 1 - 1e-12).tolist()]
            position = np.rint((n_slices - 1) / 2 + self._gaussian_scale * n_slices * np.array(deviate))
        chosen: np.ndarray = np.clip(position, 0, n_slices - 1).astype(np.int64)
        return chosen


def _balanced_weights(scans: Sequence[ScanRef]) -> np.ndarray:
    """Per scan: the square root of its dataset's slices, shared evenly by its people, then by their scans."""
    slices_of: dict[str, int] = defaultdict(int)
    people_of: dict[str, set[str]] = defaultdict(set)
    scans_of: Counter[tuple[str, str]] = Counter()
    for scan in scans:
        slices_of[scan.dataset] += scan.n_slices
        people_of[scan.dataset].add(scan.subject_uid)
        scans_of[scan.dataset, scan.subject_uid] += 1
    return np.array(
        [slices_of[s.dataset] ** 0.5 / (len(people_of[s.dataset]) * scans_of[s.dataset, s.subject_uid]) for s in scans]
    )


def _check(scans: Sequence[ScanRef], batch_size: int, gaussian_scale: float | None) -> None:
    if not scans:
        raise ConfigError("There are no scans to draw slices from; ingest some, or widen the selection.")
    if batch_size < 1:
        raise ConfigError(f"A batch needs at least one slice, not {batch_size}.")
    if gaussian_scale is not None and not gaussian_scale > 0:
        raise ConfigError(f"gaussian_scale is a share of the slice range and must be above 0, not {gaussian_scale}.")
    empty = [scan.scan_id for scan in scans if scan.n_slices < 1]
    if empty:
        raise ConfigError(f"{len(empty)} scans have no slices, such as {empty[0]}; leave them out.")
    planes = sorted({scan.plane for scan in scans})
    if len(planes) > 1:
        raise ConfigError(
            f"Slices of a batch share a shape, but these scans are {' and '.join(planes)}; choose one plane."
        )
