"""The embedded brain mask against the truth: real heads with a drawn mask, and real brains in synthetic heads.

    python -m tests.benchmarks.bench_masks SCANS [--half development] [--heads 2] [--first 0] [--pictures FOLDER]

SCANS is a folder of real scans: stripped T1w of ds002748, the multiple sclerosis patients of open_ms_data, one
UPENN-GBM patient, niivue's demo images and torchio's. The halves have different brains, and their heads other seeds;
the real heads come with `evaluation`. How far the outline lies from the cortex and when a fit is believed was chosen
with the real heads and with heads of both halves below number 402: from there on (`--first`), the method knew the
brains but not their heads. Per stratum: scans, the share accepted, Dice (median and least of the accepted), the share
of lesion voxels inside the mask (of all, and in the scan that has least; `drawn` are lesions that a radiologist
outlined, the others are balls put into the brain, a third of them at its surface), CPU seconds. The surroundings of a
brain in a synthetic head are invented; the rows `real` are the ones that are not.
"""

import argparse
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage

from braindino.errors import ScanRefused
from braindino.imaging import Volume, make_volume, read_volume
from braindino.imaging.atlas import brain_mask
from braindino.imaging.orient import to_ras
from tests.benchmarks.heads import Brain, draw_plan, make_head, with_contrast, with_lesions

_UPENN = "brainiac_sample/src/BrainIAC/data/sample/processed/00001_{}.nii.gz"
_MS = "open_ms_data/cross_sectional/MNI/patient07/{}_N4_noneck_reduced_winsor_regtoFLAIR_{}regtoMNI.nii.gz"
_LONG = "open_ms_data/longitudinal"
_SYNTHETIC_CONTRASTS = ("T2w", "FLAIR", "PD")
_STRATA = (
    "T1w", "T1c", "T2w", "FLAIR", "PD", "thin", "thick", "adult", "child", "lesion", "drawn", "no lesion", "real",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A head, its truth and the strata that it counts in."""

    name: str
    head: Volume
    truth: np.ndarray
    lesion: np.ndarray | None
    strata: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a case: Dice and lesion voxels (in the mask, all) are None if it was refused or has none."""

    name: str
    strata: tuple[str, ...]
    dice: float | None
    lesion_voxels: tuple[int, int] | None
    seconds: float
    message: str

    @property
    def recall(self) -> float | None:
        """Share of the lesion's voxels inside the mask."""
        return None if self.lesion_voxels is None else self.lesion_voxels[0] / max(1, self.lesion_voxels[1])


def stripped_brains(scans: Path, half: str) -> list[Brain]:
    """The real stripped brains of a half, scaled to the brightness of their contrast."""
    first = half == "development"
    subjects = sorted(scans.glob("ds002748_depression/sub-*/anat/*_T1w.nii.gz"))[0 if first else 1 :: 2]
    wanted: list[tuple[Path, str, Path | None]] = [(path, "T1w", None) for path in subjects]
    if first:
        wanted += [
            (scans / _UPENN.format(name), contrast, None)
            for name, contrast in (("t1c", "T1c"), ("t2w", "T2w"), ("t2f", "FLAIR"))
        ]
        wanted += [(scans / "niivue_formats/packages/niivue/demos/images/norm.mgz", "T1w", None)]
    else:
        lesion = scans / _MS.format("GOLD_STANDARD", "")
        wanted += [
            (scans / _MS.format(name, "brain_N4_"), contrast, lesion)
            for name, contrast in (("T1", "T1w"), ("T1POST", "T1c"), ("T2", "T2w"), ("FLAIR", "FLAIR"))
        ]
        wanted += [(scans / "niivue-demo-images/MR_Gd.nii.gz", "T1c", None)]
    return [_brain(path, contrast, lesion) for path, contrast, lesion in wanted if path.exists()]


def _brain(path: Path, contrast: str, lesion: Path | None) -> Brain:
    volume = to_ras(read_volume(path))
    volume = volume.with_data(volume.data.astype(np.float32) - float(volume.data[0, 0, 0]))
    support = volume.data != 0
    labels, count = ndimage.label(support)
    if count > 1:
        support = labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1
    mask = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(support, 3), iterations=2))[3:-3, 3:-3, 3:-3]
    drawn = None if lesion is None else to_ras(read_volume(lesion, may_be_empty=True)).data > 0
    name = f"{path.parent.name}/{path.name.split('.')[0][:24]}"
    return with_contrast(Brain(name, volume, mask, contrast, drawn), contrast)


def synthetic_cases(scans: Path, half: str, numbers: range) -> Iterator[Case]:
    """Every brain of a half in one random head per number; T1w brains in borrowed contrasts and with lesions too."""
    for brain in stripped_brains(scans, half):
        for number in numbers:
            rng = np.random.default_rng([zlib.crc32(f"{half} {brain.name}".encode()), number])
            thick, child = bool(rng.random() < 0.4), bool(rng.random() < 0.3)
            shown, kind = brain, brain.contrast
            if brain.contrast == "T1w" and brain.lesion is None and rng.random() < 0.6:
                kind = str(rng.choice(_SYNTHETIC_CONTRASTS))
                shown = with_contrast(brain, kind)
            if brain.lesion is None and rng.random() < 0.4:
                shown = with_lesions(shown, rng)
            head, truth, lesion = make_head(shown, draw_plan(rng, thick=thick, child=child))
            strata = (
                kind,
                "thick" if thick else "thin",
                "child" if child else "adult",
                "no lesion" if lesion is None else "lesion",
                *(["drawn"] if brain.lesion is not None else []),
            )
            yield Case(f"{brain.name} {kind} #{number}", head, truth, lesion, strata)


def real_cases(scans: Path) -> Iterator[Case]:
    """Real heads with a drawn brain mask: both patients of the longitudinal series, and torchio's T2w."""
    for patient in ("patient01", "patient20"):
        for path in sorted((scans / _LONG / "raw" / patient).glob("study*_*W.nii.gz")) + sorted(
            (scans / _LONG / "raw" / patient).glob("study*_FLAIR.nii.gz")
        ):
            kind = {"T1W": "T1w", "T2W": "T2w", "FLAIR": "FLAIR"}[path.name.split("_")[1].split(".")[0]]
            shared = scans / _LONG / "coregistered" / patient
            truth = _drawn(path, shared / "brainmask.nii.gz")
            lesion = _drawn(path, shared / "gt.nii.gz")
            strata = (kind, "thick", "adult", "lesion", "drawn", "real")
            head = to_ras(read_volume(path))
            yield Case(f"{patient} {path.name}", head, truth, lesion if lesion.any() else None, strata)
    path = scans / "torchio-data/data/fernando/t2.nii.gz"
    if path.exists():
        head, parcels = to_ras(read_volume(path)), to_ras(read_volume(path.parent / "t1_seg_gif.nii.gz"))
        tissue = ndimage.binary_closing(np.pad(parcels.data >= 5, 5), iterations=4)[5:-5, 5:-5, 5:-5]
        yield Case(
            "torchio t2",
            head,
            _onto(head, parcels.with_data(tissue)),
            None,
            ("FLAIR", "thick", "adult", "no lesion", "real"),  # whatever its name says: its fluid is dark
        )


def _drawn(image: Path, mask: Path) -> np.ndarray:
    """A mask of the common space on the grid of a raw image, by the transforms that come with the data."""
    study, kind = image.name.split(".")[0].split("_")
    steps = [f"{study}_FLAIR_to_common_space.txt"]
    if kind != "FLAIR":
        steps.append(f"{study}_{kind}_intrastudy_to_FLAIR.txt")
    chain = sitk.CompositeTransform(3)
    for step in steps:  # a resampler maps points of its output, so each file leads from there to its source
        if (image.parent / step).exists():
            chain.AddTransform(sitk.ReadTransform(str(image.parent / step)).GetInverse())
    raw, shared = sitk.ReadImage(str(image)), sitk.ReadImage(str(mask), sitk.sitkFloat32)
    there = sitk.Resample(shared, raw, chain, sitk.sitkLinear, 0.0)
    stored = make_volume(sitk.GetArrayFromImage(there).T, read_volume(image).affine)
    return to_ras(stored).data >= 0.5


def _onto(head: Volume, mask: Volume) -> np.ndarray:
    there = np.linalg.inv(mask.affine) @ head.affine
    soft = ndimage.affine_transform(mask.data.astype(np.float32), there[:3, :3], there[:3, 3], head.data.shape, order=1)
    return np.asarray(soft >= 0.5)


def judge(case: Case, folder: Path | None = None) -> Outcome:
    """Runs the embedded mask on one head."""
    started = time.process_time()
    message, dice, inside = "", None, None
    try:
        found = brain_mask(case.head).voxels
    except ScanRefused as refusal:
        found, message = np.zeros_like(case.truth), str(refusal)
    seconds = time.process_time() - started
    if not message:
        dice = float(2 * (found & case.truth).sum() / (found.sum() + case.truth.sum()))
        if case.lesion is not None:
            inside = (int((found & case.lesion).sum()), int(case.lesion.sum()))
    if folder is not None:
        draw(case, found, folder / f"{case.name.replace('/', '_').replace(' ', '_')}.png", f"{dice} {message[:80]}")
    return Outcome(case.name, case.strata, dice, inside, seconds, message)


def draw(case: Case, found: np.ndarray, path: Path, title: str) -> None:
    """Three planes through the truth with its outline (green) and the one found (red)."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    path.parent.mkdir(parents=True, exist_ok=True)
    middle = [int(np.flatnonzero(case.truth.any(axis=axes))[[0, -1]].mean()) for axes in ((1, 2), (0, 2), (0, 1))]
    figure, places = pyplot.subplots(1, 3, figsize=(12, 4.4))
    top = float(np.percentile(case.head.data[case.truth], 99.5)) if case.truth.any() else 1.0
    for axis, place in enumerate(places):
        others = [k for k in range(3) if k != axis]
        aspect = case.head.spacing[others[1]] / case.head.spacing[others[0]]
        place.imshow(
            np.take(case.head.data, middle[axis], axis).T, cmap="gray", origin="lower", vmax=top * 1.2, aspect=aspect
        )
        for mask, colour in ((case.truth, "lime"), (found, "red")):
            cut = np.take(mask, middle[axis], axis).T
            if cut.any():
                place.contour(cut, [0.5], colors=colour, linewidths=0.7)
        place.axis("off")
    figure.suptitle(f"{case.name} {title}", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    pyplot.close(figure)


def table(outcomes: list[Outcome]) -> str:
    """One line per stratum."""
    titles = f"{'stratum':<10} {'n':>4} {'accepted':>9} {'Dice median':>12} {'least':>6}"
    lines = [f"{titles} {'lesions':>8} {'least':>6} {'CPU s':>6}"]
    for name in ("all", *_STRATA):
        mine = [one for one in outcomes if name == "all" or name in one.strata]
        if not mine:
            continue
        dice = [one.dice for one in mine if one.dice is not None]
        shown = f"{np.median(dice):12.3f} {min(dice):6.3f}" if dice else f"{'-':>12} {'-':>6}"
        recall = [one.recall for one in mine if one.recall is not None]
        inside, among = np.sum([one.lesion_voxels for one in mine if one.lesion_voxels] or [(0, 0)], axis=0)
        share = f"{inside / max(1, among):8.3f} {min(recall):6.3f}" if recall else f"{'-':>8} {'-':>6}"
        seconds = float(np.median([one.seconds for one in mine]))
        lines.append(f"{name:<10} {len(mine):4d} {len(dice) / len(mine):9.1%} {shown} {share} {seconds:6.1f}")
    return "\n".join(lines)


def main() -> None:
    """Judges every case of a half and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scans", type=Path)
    parser.add_argument("--half", choices=("development", "evaluation"), default="evaluation")
    parser.add_argument("--heads", type=int, default=2, help="synthetic heads per brain")
    parser.add_argument("--first", type=int, default=0, help="number of the first of them")
    parser.add_argument("--pictures", type=Path, help="a folder for a picture of every case")
    given = parser.parse_args()
    outcomes, numbers = [], range(given.first, given.first + given.heads)
    cases = [real_cases(given.scans)] if given.half == "evaluation" else []
    for case in (one for group in [*cases, synthetic_cases(given.scans, given.half, numbers)] for one in group):
        outcomes.append(judge(case, given.pictures))
        one = outcomes[-1]
        dice = "refused" if one.dice is None else f"{one.dice:.3f}"
        recall = "" if one.recall is None else f"{one.recall:.3f}"
        print(
            f"{one.name:<50} {'/'.join(one.strata):<36} {dice} {recall} {one.seconds:.1f} s {one.message}", flush=True
        )
    print(table(outcomes))


if __name__ == "__main__":
    main()
