"""Positive pairs: for a drawn slice, another one of the same person that shows the same anatomy."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from braindino.errors import ConfigError
from braindino.slices.sampler import ScanRef

PAIRS = ("none", "neighbour", "contrast", "session")
"""What the second slice of a pair is: the same one; one a few slices away in the same scan; that at the same height of
another contrast of the session; that at the same height of the same contrast in another session.
"""

Drawn = tuple[int, int]


class Partners:
    """Finds the second slice of a pair, as a function of the first and of two numbers drawn for it.

    A neighbour makes features blind to what changes over a few slices; another contrast to contrast and enhancement;
    another session to progression. Heights are compared as shares of the stored slices, without registration.
    """

    def __init__(self, scans: Sequence[ScanRef], kind: str, distance: int = 3) -> None:
        """Prepares the search.

        Args:
            scans: those that slices are drawn from.
            kind: one of PAIRS.
            distance: most slices between neighbours.

        Raises:
            ConfigError: there is no such kind, or the distance is under 1.
        """
        if kind not in PAIRS:
            raise ConfigError(f"data.pairs {kind!r} is unknown: choose {', '.join(PAIRS)}.")
        if distance < 1:
            raise ConfigError(f"data.pair_distance is {distance}: give 1 or more.")
        self._scans, self._kind, self._distance = scans, kind, distance
        self._groups: dict[tuple[str, str], list[int]] = defaultdict(list)
        if kind in ("contrast", "session"):
            for position, scan in enumerate(scans):
                self._groups[_group(scan, kind)].append(position)

    def of(self, drawn: Drawn, draws: np.ndarray) -> Drawn:
        """The partner of one slice, itself where there is none; `draws` are two numbers in [0, 1)."""
        scan, index = drawn
        here = self._scans[scan]
        if self._kind == "neighbour":
            step = 1 + int(draws[0] * self._distance)
            sides = [other for other in (index - step, index + step) if 0 <= other < here.n_slices]
            return (scan, sides[int(draws[1] * len(sides))]) if sides else drawn
        others = [
            p for p in self._groups.get(_group(here, self._kind), ()) if _differs(self._scans[p], here, self._kind)
        ]
        if not others:
            return drawn
        partner = others[int(draws[0] * len(others))]
        height = (index + 0.5) / here.n_slices
        return partner, min(int(height * self._scans[partner].n_slices), self._scans[partner].n_slices - 1)


def _group(scan: ScanRef, kind: str) -> tuple[str, str]:
    return scan.subject_uid, scan.session if kind == "contrast" else scan.contrast


def _differs(one: ScanRef, other: ScanRef, kind: str) -> bool:
    of: Callable[[ScanRef], str] = (lambda scan: scan.contrast) if kind == "contrast" else (lambda scan: scan.session)
    return of(one) != of(other)
