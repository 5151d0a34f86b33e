"""Training images a second: this project's loop against a plain textbook loop, on the same network and
slices.

    python -m tests.benchmarks.bench_pretraining [--preset demo_cpu] [--steps 10] [--device auto]

The textbook loop is what most public trainers do on one device: every crop made per sample on the CPU with
PIL and numpy, one forward pass per crop, float32, a moving average parameter by parameter, AdamW without
fused kernels, the losses read out at every step. Both take the same number of crops of the same sizes, the
same heads and losses, and slices from the same store. The two take turns, so that a busy machine slows both.
"""

import argparse
import copy
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor
from torch.nn import functional

from braindino.encoders.network import TokenNetwork
from braindino.pretraining import PretrainConfig, load_config, schedules
from braindino.pretraining.batches import BatchMaker
from braindino.pretraining.loop import choose_device, initial_state, take_step
from braindino.pretraining.losses import koleo_loss, sinkhorn_knopp
from braindino.pretraining.masking import crop_masks
from braindino.pretraining.model import StudentTeacher
from braindino.pretraining.randomness import sample_seeds
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
        self.model = copy.deepcopy(initial_state(config, device).model)
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


def timed(action: object, *arguments: object) -> float:
    """Seconds of one call, until the device is done."""
    started = time.perf_counter()
    action(*arguments)  # type: ignore[operator]
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def main() -> None:
    """Print both rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="demo_cpu")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--set", action="append", default=[], metavar="key=value")
    options = parser.parse_args()
    config = load_config(options.preset, options.set)
    device = choose_device(options.device)
    rows, columns = config.network.image_size
    with tempfile.TemporaryDirectory() as folder:
        scans = write_cohort(Path(folder), subjects=64, shape=(60, rows, columns))
        state = initial_state(config, device)
        batches = read_ahead(BatchMaker(config, scans).make, 0, options.steps + 2)
        textbook = Textbook(config, scans, device)
        ours, theirs = [], []
        for number in range(options.steps + 2):
            values = schedules.at(config, state.images_seen)
            ours.append(timed(lambda: take_step(state, next(batches), config, values)))  # noqa: B023
            theirs.append(timed(textbook.step, number))
        batches.close()
    rates = [config.data.batch_size / float(np.median(seconds[2:])) for seconds in (ours, theirs)]
    where = f"{device}, {torch.get_num_threads()} threads, {config.run.precision}"
    print(f"{options.preset} on {where}, median of {options.steps} steps")
    print(f"braindino  {rates[0]:8.1f} images/s")
    print(f"textbook   {rates[1]:8.1f} images/s (float32, PIL crops, one pass per crop)")
    print(f"ratio      {rates[0] / rates[1]:8.2f}")


if __name__ == "__main__":
    main()
