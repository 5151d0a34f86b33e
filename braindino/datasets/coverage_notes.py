"""Notes on who has images and no row, who has a row and no images, and which images are not on disk."""

from collections.abc import Iterable

from braindino.datasets.base import Scan
from braindino.datasets.values import a_few


def absent_images(scans: Iterable[Scan]) -> list[str]:
    """A note on the scans whose image is missing, if there are any."""
    absent = [scan.image.name for scan in scans if not scan.image_present]
    return [f"{len(absent)} image(s) are not where they belong: {a_few(absent)}."] if absent else []


def not_in_both(imaged: Iterable[str], listed: Iterable[str], table: str) -> list[str]:
    """Notes on subjects (or sessions) that only the images or only the table know."""
    here, there = set(imaged), set(listed)
    notes = []
    if unlisted := sorted(here - there):
        notes.append(f"{len(unlisted)} with images have no row in {table}: {a_few(unlisted)}.")
    if without := sorted(there - here):
        notes.append(f"{len(without)} of {table} have no images here: {a_few(without)}.")
    return notes
