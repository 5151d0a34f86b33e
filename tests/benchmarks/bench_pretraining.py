"""Training images a second: this project's trainer against another one doing the same work in the same run.

    python -m tests.benchmarks.bench_pretraining [--preset vit_tiny_cpu] [--steps 10]
    python -m tests.benchmarks.bench_pretraining --preset vit_base --batch 64 --reference DINOV3 --set ...

Without a reference, against a textbook loop: what most public trainers do on one device. Every crop is made per
sample on the CPU with PIL and numpy, one forward pass per crop, float32, a moving average parameter by parameter,
AdamW without fused kernels, the losses read out at every step. The two take turns, so that a busy machine slows both.

With a checkout of facebookresearch/dinov3 and a GPU, against its own trainer: its `do_train`, network, losses,
augmentation and loader, with its defaults (bfloat16, compiled blocks, ten loader processes) and the same network,
heads, crops and batch, reading the same slices. One after the other; each rate is the median over steps after the
first ones, data included. `--only` runs one of the two.
"""

import argparse
import copy
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor
from torch.nn import functional

from braindino.encoders.network import TokenNetwork
from braindino.pretraining import LogRecord, PretrainConfig, choose_device, load_config, schedules, train
from braindino.pretraining.batches import BatchMaker
from braindino.pretraining.losses import koleo_loss, sinkhorn_knopp
from braindino.pretraining.masking import crop_masks
from braindino.pretraining.model import StudentTeacher
from braindino.pretraining.randomness import sample_seeds
from braindino.pretraining.step import initial_state, take_step, wrapped
from braindino.pretraining.team import Team
from braindino.slices import ScanRef, open_scan
from braindino.slices.loading import read_ahead
from tests.pretraining.helpers import write_cohort


def textbook_crop(image: np.ndarray, size: int, area: tuple[float, float], random: np.random.Generator) -> Tensor:
    """One random-resized crop of one windowed slice, with PIL: flip, brightness, contrast, blur."""
    rows, columns = image.shape
    share = random.uniform(*area) * rows * columns
    ratio = np.exp(random.uniform(np.log(3 / 4), np.log(4 / 3)))
    height, width = min(rows, int(np.sqrt(share * ratio))), min(columns, int(np.sqrt(share / ratio)))
    top, left = random.integers(rows - height + 1), random.integers(columns - width + 1)
    picture = Image.fromarray((255 * image).astype(np.uint8))
    picture = picture.crop((left, top, left + width, top + height)).resize((size, size), Image.Resampling.BILINEAR)
    if random.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if random.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(random.uniform(0.1, 1.5)))
    pixels = np.asarray(picture, np.float32) / 255
    pixels = np.clip((pixels - 0.5) * random.uniform(0.8, 1.2) + 0.5 + random.uniform(-0.1, 0.1), 0, 1)
    return torch.from_numpy(pixels).unsqueeze(0)


class Textbook:
    """The plain loop."""

    def __init__(self, config: PretrainConfig, scans: Sequence[ScanRef], device: torch.device) -> None:
        self.config, self.scans, self.device = config, scans, device
        self.model = copy.deepcopy(initial_state(config, Team(device)).model)
        self.optimiser = torch.optim.AdamW(self.model.student.parameters(), lr=1e-4, foreach=False, fused=False)
        self.random = np.random.default_rng(0)

    def windowed_slice(self) -> np.ndarray:
        """One random slice, opened and read by itself."""
        scan = open_scan(self.scans[self.random.integers(len(self.scans))].path)
        stored = scan.image([int(self.random.integers(scan.n_slices))])[0].astype(np.float32)
        low, high = (scan.intensity.stored(v) for v in (scan.intensity.p0_5, scan.intensity.p99_5))
        return np.asarray(np.clip((stored - low) / (high - low), 0, 1) * (stored > 0))

    def step(self, number: int) -> None:
        """One optimiser step."""
        config, crops = self.config, self.config.crops
        images = [self.windowed_slice() for _ in range(config.data.batch_size)]
        kinds = [(crops.global_size, crops.global_area)] * 2 + [
            (crops.local_size, crops.local_area)
        ] * crops.local_number
        batches = [
            torch.stack([textbook_crop(image, size, area, self.random) for image in images]).to(self.device)
            for size, area in kinds
        ]
        side = crops.global_size // config.network.patch_size
        seeds = sample_seeds(0, number, 2 * len(images))
        masks = torch.from_numpy(crop_masks(seeds, (side, side), config.ibot.masked_share, config.ibot.ratio))
        loss = self.loss(batches, masks.to(self.device).chunk(2))
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.student.parameters(), 3.0)
        self.optimiser.step()
        self.loss_value = loss.item()
        with torch.no_grad():
            for old, new in zip(self.model.teacher.parameters(), self.model.student.parameters(), strict=True):
                old.mul_(0.99).add_(0.01 * new)

    def loss(self, batches: list[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """The same three losses, crop by crop and pair by pair."""
        model: StudentTeacher = self.model
        targets, patch_targets = [], []
        for crop, mask in zip(batches, masks, strict=False):
            with torch.no_grad():
                cls, patches = model.teacher.forward_tokens(crop)
                targets.append(sinkhorn_knopp(model.teacher.dino_head(cls), 0.05))
                patch_targets.append(sinkhorn_knopp(model.teacher.ibot_head(patches[mask]), 0.05))
        total = torch.zeros((), device=self.device)
        for index, crop in enumerate(batches):
            mask = masks[index] if index < 2 else None
            network: TokenNetwork = model.student
            cls, patches = network.forward_tokens(crop, mask)
            log_probs = functional.log_softmax(model.student.dino_head(cls) / 0.1, dim=-1)
            for other, target in enumerate(targets):
                if other != index:
                    total = total - (target * log_probs).sum(-1).mean()
            if mask is not None:
                patch_logs = functional.log_softmax(model.student.ibot_head(patches[mask]) / 0.1, dim=-1)
                total = total - (patch_targets[index] * patch_logs).sum(-1).mean() + 0.1 * koleo_loss(cls)
        return total


def timed(action: Callable[[], object]) -> float:
    """Seconds of one call, until the device is done."""
    started = time.perf_counter()
    action()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def against_textbook(config: PretrainConfig, scans: Sequence[ScanRef], steps: int) -> None:
    """Print both rates and their ratio; the two take turns."""
    team = Team(choose_device(config.run.device))
    state = initial_state(config, team)
    student_pass = wrapped(state, team)
    maker = BatchMaker(config, scans, state.model.student.depth_rates(), team)
    batches = read_ahead(maker.make, 0, steps + 2)
    textbook = Textbook(config, scans, team.device)
    ours, theirs = [], []
    for number in range(steps + 2):
        values = schedules.at(config, state.images_seen)
        ours.append(timed(lambda: take_step(state, student_pass, next(batches), config, values, team)))  # noqa: B023
        theirs.append(timed(lambda: textbook.step(number)))  # noqa: B023
    batches.close()
    rates = [config.data.batch_size / float(np.median(seconds[2:])) for seconds in (ours, theirs)]
    print(f"{config.name} on {team.device}, {torch.get_num_threads()} threads, {config.run.precision}, {steps} steps")
    print(f"braindino  {rates[0]:8.1f} images/s")
    print(f"textbook   {rates[1]:8.1f} images/s (float32, PIL crops, one pass per crop)")
    print(f"ratio      {rates[0] / rates[1]:8.2f}")


def ours_alone(config: PretrainConfig, scans: Sequence[ScanRef], workers: int) -> float:
    """This project's `train`, from the store to the last step: its own log, the first records left out."""
    records: list[LogRecord] = []
    with tempfile.TemporaryDirectory() as folder:
        train(config, scans, Path(folder), workers=workers, on_log=records.append)
    later = [record.metrics for record in records[2:]]
    rate = float(np.median([metrics["images_per_second"] for metrics in later]))
    for name in ("mfu", "waiting_share", "memory_gb", "loss"):
        if name in later[-1]:
            print(f"braindino  {name} {float(np.median([metrics[name] for metrics in later])):.3f}")
    print(f"braindino  {rate:8.1f} images/s", flush=True)
    return rate


class GreySlices(torch.utils.data.Dataset[tuple[Any, tuple[()]]]):
    """The same slices as a reference dataset gives its images, one PIL picture at a time; here from memory."""

    def __init__(self, scans: Sequence[ScanRef], transform: Callable[[Image.Image], Any], length: int) -> None:
        self.pixels = np.concatenate([self.windowed(scan.path) for scan in scans])
        self.transform, self.length = transform, length

    @staticmethod
    def windowed(path: str) -> np.ndarray:
        scan = open_scan(path)
        low, high = (scan.intensity.stored(v) for v in (scan.intensity.p0_5, scan.intensity.p99_5))
        stored = scan.image().astype(np.float32)
        return np.asarray(255 * np.clip((stored - low) / (high - low), 0, 1) * (stored > 0), np.uint8)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Any, tuple[()]]:
        picture = Image.fromarray(self.pixels[index % len(self.pixels)]).convert("RGB")
        return self.transform(picture), ()


def reference_alone(
    config: PretrainConfig, scans: Sequence[ScanRef], steps: int, checkout: Path, workers: int
) -> float:
    """The reference's own training loop on one GPU; seconds between its EMA updates, the first ten left out."""
    sys.path.insert(0, str(checkout))
    from dinov3 import distributed  # type: ignore[import-not-found]
    from dinov3.configs import get_default_config  # type: ignore[import-not-found]
    from dinov3.train import train as loop  # type: ignore[import-not-found]
    from dinov3.train.ssl_meta_arch import SSLMetaArch  # type: ignore[import-not-found]
    from omegaconf import OmegaConf  # type: ignore[import-not-found]

    distributed.enable(overwrite=True)
    cfg = OmegaConf.merge(get_default_config(), reference_config(config, steps, workers))
    loop.make_dataset = lambda transform=None, **_: GreySlices(scans, transform, 100_000)
    with torch.device("meta"):
        model = SSLMetaArch(cfg)
    model.prepare_for_distributed_training()
    model.to_empty(device="cuda")
    marks: list[float] = []
    update = model.update_ema

    def marked(momentum: float) -> None:
        update(momentum)
        torch.cuda.synchronize()
        marks.append(time.perf_counter())

    model.update_ema = marked
    loop.do_train(cfg, model)
    rate = config.data.batch_size / float(np.median(np.diff(marks)[10:]))
    print(f"reference  memory_gb {torch.cuda.max_memory_allocated() / 1e9:.3f}")
    print(f"reference  {rate:8.1f} images/s", flush=True)
    return rate


def reference_config(config: PretrainConfig, steps: int, workers: int) -> dict[str, Any]:
    """What makes the reference's defaults do the same work."""
    crops, network = config.crops, config.network
    return {
        "train": {
            "batch_size_per_gpu": config.data.batch_size,
            "num_workers": workers,
            "OFFICIAL_EPOCH_LENGTH": steps,
            "output_dir": tempfile.mkdtemp(),
        },
        "optim": {"epochs": 1, "warmup_epochs": 0, "freeze_last_layer_epochs": 0},
        "teacher": {"warmup_teacher_temp_epochs": 0},
        "evaluation": {"eval_period_iterations": 0},
        "student": {
            "arch": network.name,
            "drop_path_rate": network.drop_path,
            "n_storage_tokens": network.registers,
            "mask_k_bias": True,
        },
        "crops": {
            "global_crops_size": crops.global_size,
            "local_crops_size": crops.local_size,
            "local_crops_number": crops.local_number,
        },
    }


def main() -> None:
    """Print the rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="vit_tiny_cpu")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--workers", type=int, default=10)
    parser.add_argument("--reference", type=Path, help="a checkout of facebookresearch/dinov3")
    parser.add_argument("--only", choices=["braindino", "reference"])
    parser.add_argument("--set", action="append", default=[], metavar="key=value")
    options = parser.parse_args()
    config = load_config(options.preset, options.set)
    batch = options.batch or config.data.batch_size
    if options.reference or options.only:
        settings = [f"data.batch_size={batch}", f"run.images={batch * options.steps}", "run.log_every=5"]
        config = load_config(options.preset, [*settings, *options.set])
    rows, columns = config.network.image_size
    with tempfile.TemporaryDirectory() as folder:
        scans = write_cohort(Path(folder), subjects=max(64, batch), shape=(20, rows, columns))
        if not (options.reference or options.only):
            against_textbook(config, scans, options.steps)
            return
        print(f"{torch.cuda.get_device_name()}, {config.name}, batch {batch}, {config.crops}", flush=True)
        rates = []
        if options.only != "reference":
            rates.append(ours_alone(config, scans, options.workers))
        if options.reference:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            rates.append(reference_alone(config, scans, options.steps, options.reference, options.workers))
        if len(rates) == 2:
            print(f"ratio      {rates[0] / rates[1]:8.2f}")


if __name__ == "__main__":
    main()
