"""What uint8 and each intensity window cost: embeddings, lesions, bytes; on real scans, with a trained encoder.

    python -m tests.benchmarks.bench_windows SCANS [--encoder WEIGHTS ...] [--images 9600] [--store FOLDER]

SCANS is the folder that `BRAINDINO_REAL_DATA` names. Its stripped and whole scans are stored by the recipe `isotropic`;
refused ones are left out. Every variant is made from the stored uint16: a window is applied (`none`: the scan's whole
range, unclipped), and for uint8 the result is rounded to 255 steps. The reference is uint16 unclipped.

Without `--encoder`, two small encoders (preset vit_tiny_cpu at 1 mm, 4 layers of 128) are trained on these very scans
by this project's own pretraining, one on each of the windows p0.5_99.5 and none: enough to tell contrasts and levels of
the brain apart, far from a foundation model. An encoder sees the windows it was not trained on as a change of
brightness; that the other encoder's figures are beside it shows how much of a cosine is that.

Printed per encoder and variant: *cosine*, median and lowest over scans, of a scan's embedding (brain-weighted mean of
patch tokens, 24 slices) with its reference; *distance*, 1 - cosine as a share of that between two people's scans of one
contrast; *found*, the share of scans whose nearest reference is their own. Per scan with a lesion mask: *contrast* of
the lesion, (mean - mean of the ring of 5 mm around it) / standard deviation of the ring; *tokens*, 1 - cosine between
the mean patch tokens of lesion and ring; *saturated*, the share of lesion voxels at the top of the range. *KB* is a
compressed slice.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numcodecs import Zstd
from scipy import ndimage

from braindino import encoders, pretraining
from braindino.encoders.pool import Pool, chosen_slices, patch_brain_fraction
from braindino.errors import ScanRefused
from braindino.imaging import get_recipe, preprocess
from braindino.slices import ScanRef, ScanSlices, apply_window, open_scan, window_bounds, write_scan
from tests.real.manifests import foundation_samples, ms_cross_sectional, ms_longitudinal, viewers_images

SLICES_PER_SCAN = 24
RING_MM = 5
LESION_SHARE = 0.25  # of a patch, for it to count as lesion
TRAINING = {
    "network.image_size": "[224,192]",
    "data.batch_size": "16",
    "crops.global_size": "96",
    "crops.local_size": "48",
    "run.checkpoint_every": "100",
}


@dataclass(frozen=True)
class Variant:
    """A way to keep and show intensities."""

    bits: int
    window: str

    @property
    def name(self) -> str:
        """As the table has it."""
        return f"uint{self.bits} {self.window}"

    def shown(self, scan: ScanSlices, indices: Sequence[int]) -> np.ndarray:
        """Slices as an encoder gets them, float32 in 0..1."""
        windowed = apply_window(scan.image(indices), *window_bounds(scan.intensity, self.window))
        return windowed if self.bits == 16 else self._bytes(scan, indices, windowed).astype(np.float32) / 255

    def stored(self, scan: ScanSlices, indices: Sequence[int]) -> np.ndarray:
        """Slices as they would be kept."""
        image = scan.image(indices)
        if self.bits == 16:
            return image
        return self._bytes(scan, indices, apply_window(image, *window_bounds(scan.intensity, self.window)))

    def _bytes(self, scan: ScanSlices, indices: Sequence[int], windowed: np.ndarray) -> np.ndarray:
        # 0 stays the background; the brain has 1 to 255.
        return np.where(scan.brain(indices) > 0, np.rint(1 + 254 * windowed), 0).astype(np.uint8)


REFERENCE = Variant(16, "none")
VARIANTS = [Variant(bits, window) for bits in (16, 8) for window in ("none", "p0.5_99.5", "p1_99")]


@dataclass(frozen=True)
class Stored:
    """A stored scan and what its source says of it."""

    scan: ScanSlices
    subject: str
    contrast: str


def rows_of(scans: Path) -> Iterator[dict[str, str]]:
    """All scans that have a contrast, with their lesion masks where there are some."""
    yield from ms_cross_sectional(scans)
    yield from foundation_samples(scans)
    for image in sorted((scans / "ds002748_depression").glob("sub-*/anat/*_T1w.nii.gz")):
        yield {"subject": image.name.partition("_")[0], "image": str(image), "contrast": "T1w"}
    yield from ms_longitudinal(scans)
    yield from (row for row in viewers_images(scans) if row["contrast"] in ("T1w", "T1c", "T2w", "FLAIR", "PD"))


def store_scans(scans: Path, folder: Path) -> list[Stored]:
    """Stores what is accepted, or finds it there from an earlier run."""
    stored, refused = [], 0
    for number, row in enumerate(rows_of(scans)):
        path = folder / f"{number:03}.zarr"
        try:
            if not path.exists():
                lesions = Path(row["segmentation"]) if row.get("segmentation") else None
                write_scan(path, preprocess(Path(row["image"]), get_recipe("isotropic"), segmentation=lesions), {})
        except ScanRefused:
            refused += 1
            continue
        scan = open_scan(path)
        if scan.plane == "axial":
            stored.append(Stored(scan, row["subject"], row["contrast"]))
    people = len({one.subject for one in stored})
    print(f"{len(stored)} axial scans of {people} people, {refused} refused")
    return stored


def train_encoder(stored: Sequence[Stored], folder: Path, window: str, images: int) -> Path:
    """A small encoder from these scans; a training begun in the folder goes on."""
    settings = {**TRAINING, "data.window": window, "run.images": str(images)}
    config = pretraining.load_config("vit_tiny_cpu", [f"{key}={value}" for key, value in settings.items()])
    refs = [
        ScanRef(str(s.scan.path), s.scan.path.stem, s.subject, s.contrast, s.scan.n_slices, "axial") for s in stored
    ]
    result = pretraining.train(config, refs, folder / f"training-{window}-{images}")
    shown = {name: round(result.metrics[name], 2) for name in ("loss", "effective_rank") if name in result.metrics}
    print(f"trained on {window}: {result.images_seen} images in {result.seconds:.0f} s, {shown}", flush=True)
    return result.encoder


def embedding(encoder: encoders.Encoder, scan: ScanSlices, variant: Variant) -> np.ndarray:
    """The scan's brain-weighted mean of patch tokens, of length 1."""
    indices, pool = chosen_slices(scan.n_slices, max_slices=SLICES_PER_SCAN), Pool(encoder.width)
    tokens = encoder.encode(torch.from_numpy(variant.shown(scan, indices)))
    fraction = patch_brain_fraction(torch.from_numpy(scan.brain(indices)), encoder.patch_size)
    pool.add(tokens.cls, tokens.patches, fraction)
    vector = pool.means()["brain_mean"]
    return vector / np.linalg.norm(vector)


def compare_embeddings(encoder: encoders.Encoder, stored: Sequence[Stored]) -> None:
    """The table of cosines."""
    reference = np.stack([embedding(encoder, one.scan, REFERENCE) for one in stored])
    alike = reference @ reference.T
    pairs = [
        1 - alike[i, j]
        for i, one in enumerate(stored)
        for j, other in enumerate(stored)
        if one.contrast == other.contrast and one.subject != other.subject
    ]
    between = float(np.median(pairs))
    print(f"  two people, one contrast: cosine {1 - between:.4f} (median)")
    print(f"  {'':18}{'cosine':>8}{'lowest':>8}{'distance':>10}{'found':>7}")
    for variant in VARIANTS:
        vectors = np.stack([embedding(encoder, one.scan, variant) for one in stored])
        own = (vectors * reference).sum(axis=1)
        found = ((vectors @ reference.T).argmax(axis=1) == np.arange(len(stored))).mean()
        distance = float(np.median(1 - own)) / between
        print(f"  {variant.name:18}{np.median(own):8.4f}{own.min():8.4f}{distance:10.1%}{found:7.0%}", flush=True)


def ring_of(lesion: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Brain within 5 mm in the plane of a lesion, and not lesion; [S, H, W]."""
    near = ndimage.distance_transform_edt(~lesion, sampling=(1000, 1, 1)) <= RING_MM
    around: np.ndarray = near & brain & ~lesion
    return around


def token_contrast(encoder: encoders.Encoder, shown: np.ndarray, lesion: np.ndarray, ring: np.ndarray) -> float:
    """1 - cosine between the mean patch token of lesion and of its ring."""
    patches = encoder.encode(torch.from_numpy(shown)).patches
    shares = [patch_brain_fraction(torch.from_numpy(m.astype(np.uint8)), encoder.patch_size) for m in (lesion, ring)]
    inside = shares[0] >= LESION_SHARE
    beside = (shares[1] >= LESION_SHARE) & (shares[0] == 0)
    means = [patches[chosen].double().mean(dim=0) for chosen in (inside, beside)]
    return float(1 - torch.nn.functional.cosine_similarity(means[0], means[1], dim=0))


def compare_lesions(loaded: dict[str, encoders.Encoder], stored: Sequence[Stored]) -> None:
    """The table of lesions, a block per scan with a lesion mask."""
    for one in stored:
        if not one.scan.has_segmentation or not one.scan.segmentation().any():
            continue
        scan = one.scan
        indices = np.flatnonzero(scan.segmentation().any(axis=(1, 2))).tolist()
        lesion, brain = scan.segmentation(indices) > 0, scan.brain(indices) > 0
        ring = ring_of(lesion, brain)
        print(f"{one.subject} {one.contrast}: {lesion.sum()} lesion voxels on {len(indices)} slices")
        print(f"  {'':18}{'contrast':>9}{'saturated':>10}" + "".join(f"{'tokens ' + name:>18}" for name in loaded))
        for variant in VARIANTS:
            shown = variant.shown(scan, indices)
            contrast = (shown[lesion].mean() - shown[ring].mean()) / shown[ring].std()
            tokens = [token_contrast(encoder, shown, lesion, ring) for encoder in loaded.values()]
            saturated = (shown[lesion] >= 1).mean()
            figures = "".join(f"{value:18.4f}" for value in tokens)
            print(f"  {variant.name:18}{contrast:9.3f}{saturated:10.2%}{figures}", flush=True)


def compare_bytes(stored: Sequence[Stored]) -> None:
    """Compressed size of a slice, as the store compresses it."""
    packed = Zstd(level=1)
    for variant in [v for v in VARIANTS if v.bits == 8] + [REFERENCE]:
        sizes = [
            len(packed.encode(np.ascontiguousarray(image)))
            for one in stored
            for image in variant.stored(one.scan, chosen_slices(one.scan.n_slices, max_slices=SLICES_PER_SCAN))
        ]
        kept = variant.name if variant.bits == 8 else "uint16, any window at read"
        print(f"  {kept:28}{np.mean(sizes) / 1000:6.1f} KB a slice")


def main() -> None:
    """Stores, trains, compares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scans", type=Path)
    parser.add_argument("--encoder", type=Path, action="append", help="a checkpoint or an exported encoder")
    parser.add_argument("--images", type=int, default=9600, help="of each training")
    parser.add_argument("--store", type=Path, help="keeps the stored scans and trainings for the next run")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.store or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stored = store_scans(options.scans, folder)
        compare_bytes(stored)
        weights = {path.stem: path for path in options.encoder or ()}
        for window in () if weights else ("none", "p0.5_99.5"):
            weights[window] = train_encoder(stored, folder, window, options.images)
        loaded = {n: encoders.load(encoders.EncoderSpec("checkpoint", path=path)) for n, path in weights.items()}
        for name, encoder in loaded.items():
            print(f"encoder {name} ({encoder.encoder_id})")
            compare_embeddings(encoder, stored)
        compare_lesions(loaded, stored)


if __name__ == "__main__":
    main()
