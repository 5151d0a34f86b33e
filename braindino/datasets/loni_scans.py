"""Which images of a LONI tree become scans: of several in one session, one per contrast; and those not downloaded."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from braindino.datasets.base import Acquisition, Gap, Label, Moment, Scan
from braindino.datasets.bids_files import is_there
from braindino.datasets.dicom_facts import dicom_facts
from braindino.datasets.half_copies import as_found
from braindino.datasets.loni_descriptions import in_words, rank
from braindino.datasets.loni_facts import xml_facts
from braindino.datasets.loni_tables import IdaList
from braindino.datasets.loni_tree import IdaImage, IdaTree
from braindino.datasets.required import Missing
from braindino.datasets.values import a_few


@dataclass(frozen=True)
class IdaChoice:
    """How scans are made of images.

    With `one_per_session`, of the images of one session and contrast the best is taken: one that is on disk or should
    be, no repeat, and the first by `preference` (patterns on descriptions in plain words), then the one with the lowest
    id. Where that is missing, the best on disk is taken as well, so that a partial copy can be read. Else all are, and
    where they are several, their ids are their runs. `dicom_headers` opens the first file of a series whose vendor
    nothing else states.
    """

    preference: tuple[str, ...]
    one_per_session: bool = True
    dicom_headers: bool = True


@dataclass
class IdaFacts:
    """What is known of acquisitions: of images by id, by the study's tables; and the site of a subject by its id."""

    images: Mapping[str, Acquisition] = field(default_factory=dict)
    site_of: Callable[[str], Acquisition] = lambda _: Acquisition()


def make_scans(
    tree: IdaTree, listed: IdaList, name: str, choice: IdaChoice, absent: Sequence[IdaImage], facts: IdaFacts
) -> tuple[list[Scan], list[str]]:
    """The chosen images of a tree as scans of the dataset `name`, and notes on what was left out.

    Subjects that are test objects give no scan. `absent` are images that are listed and not on disk.
    """
    phantoms = listed.phantoms()
    sessions: dict[tuple[str, str, str], list[IdaImage]] = defaultdict(list)
    for image in (*tree.images, *absent):
        if image.subject not in phantoms:
            sessions[image.subject, image.day, image.contrast].append(image)
    scans: list[Scan] = []
    left_out, stubs = 0, []
    for key in sorted(sessions):
        images = sorted(_once(sessions[key]), key=lambda image: _order(image, choice))
        taken = _best(images) if choice.one_per_session else images
        left_out += len(images) - len(taken)
        for image in taken:
            sidecar = tree.sidecars.get(image.image or "")
            stated = xml_facts(sidecar) if sidecar else Acquisition()
            stubs += [sidecar.name] if sidecar and stated is None else []
            known = (stated or Acquisition()).or_else(facts.images.get(image.image or "", Acquisition()))
            known = known.or_else(facts.site_of(image.subject))
            if choice.dicom_headers and known.vendor is None and image.present and image.path.is_dir():
                known = known.or_else(dicom_facts(image.path))
            several = len(taken) > 1 and not choice.one_per_session
            scans.append(_scan(image, name, known, image.image if several else None))
    return scans, _notes(tree, scans, left_out, stubs, phantoms)


def not_downloaded(
    root: Path, tree: IdaTree, listed: IdaList, contrast_of: Callable[[str], str | None], project: str
) -> list[IdaImage]:
    """The listed MR images of wanted contrasts that have no file, each with the collection to fetch again.

    One that several lists name is expected if one of them expects it.
    """
    here = {image.image for image in tree.images}
    lacking: dict[str, IdaImage] = {}
    for row in listed.rows:
        contrast = contrast_of(row.description)
        magnetic = row.modality.upper() in ("", "MR", "MRI")
        if contrast is None or not magnetic or not row.image or not row.day or row.image in here:
            continue
        folder = root / row.subject / "_".join(row.description.replace(";", "_").split(" ")) / row.day / row.image
        get = (
            f"{row.table} lists it, download that collection again from https://ida.loni.usc.edu ({project}, "
            f"Data Collections, or Advanced Search by the image id){tree.found.packed()}"
        )
        about = (row.subject, row.description, row.day, row.image, contrast)
        known = lacking.get(row.image)
        if known is None or (row.expected and not known.expected):
            lacking[row.image] = IdaImage(*about, folder, get, present=False, expected=row.expected)
    return list(lacking.values())


def raise_if_any(
    missing: Missing, name: str, tree: IdaTree, listed: IdaList, choice: IdaChoice, absent: Sequence[IdaImage]
) -> None:
    """Ends the search if anything else than images is missing; the error names the missing images, too.

    Raises:
        DatasetError: see `Missing`.
    """
    if missing.problems:
        closed = replace(choice, dicom_headers=False)  # no header changes what is missing
        scans, _ = make_scans(tree, listed, name, closed, absent, IdaFacts())
        missing.images(scans, unlisted_gaps(tree, absent), tree.found.root)
        raise missing.error(name)


def unlisted_gaps(tree: IdaTree, absent: Iterable[IdaImage]) -> tuple[Gap, ...]:
    """The folders without an image, but for those whose image is among the absent: it is told once."""
    told = {(image.subject, in_words(image.description), image.day) for image in absent}

    def told_of(folder: Path) -> tuple[str, str, str]:
        time, description, subject = folder.parents[0].name, folder.parents[1].name, folder.parents[2].name
        return subject, in_words(description), time[:10]

    return tuple(gap for gap in tree.gaps if told_of(gap.folder) not in told)


def _once(images: Iterable[IdaImage]) -> list[IdaImage]:
    """Each image once: collections overlap, and one may have been unpacked twice."""
    return list({image.image or image.path: image for image in reversed(list(images))}.values())


def _order(image: IdaImage, choice: IdaChoice) -> tuple[bool, bool, int, int, str]:
    repeat, position = rank(image.description, choice.preference)
    number = int(image.image[1:]) if image.image else 0  # I and digits, as the tree and the lists make sure
    return not image.present and not _is_missing(image), repeat, position, number, str(image.path)


def _is_missing(image: IdaImage) -> bool:
    """Whether the image should be on disk and is not; a link without content is another matter."""
    return not image.present and image.expected and not is_there(image.path)


def _best(images: Sequence[IdaImage]) -> list[IdaImage]:
    """Of images in order, the first; if it is missing, the first on disk as well."""
    on_disk = [image for image in images if image.present] if _is_missing(images[0]) else []
    return [images[0], *on_disk[:1]]


def _scan(image: IdaImage, name: str, facts: Acquisition, run: str | None) -> Scan:
    own = image.image or f"{image.description}/{image.day}/{image.path.name}"
    scan = Scan(
        dataset=name,
        source_key=f"{image.subject}/{own}",
        subject=image.subject,
        image=image.path,
        session=image.day,
        contrast=image.contrast,
        run=run,
        when=Moment(image.day, "date", "day"),
        skull_stripped=False,  # masked copies are left out by their descriptions
        acquisition=facts,
    )
    if image.expected:
        return as_found(scan, image.present, image.get)
    return replace(scan, image_present=False, absent_hint=f"{image.path.name} was not downloaded: {image.get}.")


def _notes(
    tree: IdaTree, scans: Sequence[Scan], left_out: int, stubs: Sequence[str], phantoms: frozenset[str]
) -> list[str]:
    notes = list(tree.notes)
    if left_out:
        notes.append(f"{left_out} image(s) are of a session and contrast that has a better one, and were left out.")
    if tree.unused:
        named = [f"{name} ({n})" for name, n in tree.unused.most_common()]
        notes.append(f"{tree.unused.total()} series are no structural MR images and were left out: {a_few(named)}.")
    if absent := sum(not scan.image_present for scan in scans):
        notes.append(f"{absent} scan(s) are listed and were not downloaded.")
    if stubs:
        notes.append(f"{len(stubs)} sidecar(s) are no readable XML: {a_few(stubs)}.")
    if phantoms:
        notes.append(f"Test objects, not people, were left out: {a_few(sorted(phantoms))}.")
    return notes


def imaged(labels: Iterable[Label], scans: Sequence[Scan]) -> list[Label]:
    """The labels of sessions that have a scan: lists of images are also about sessions without any."""
    sessions = {(scan.subject, scan.session) for scan in scans}
    return [label for label in labels if (label.subject, label.session) in sessions]
