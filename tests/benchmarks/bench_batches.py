"""What a batch costs, and what its targets are worth: over batch sizes, with and without a queue or parts.

    python -m tests.benchmarks.bench_batches HOME [--images 2560] [--batches 8 32 256] [--queue 1024]

Each row is a training of the preset on the stored scans of HOME from the same seed. At its end: the entropy of the
teacher's targets (share of the largest there is), how many prototypes a batch uses (exp of the entropy of their
mean, a number of prototypes), slices a second, and the bytes that one slice's crops keep for the backward pass.
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import torch

from braindino.pretraining import PretrainConfig, load_config, schedules, train
from braindino.pretraining.batches import BatchMaker
from braindino.pretraining.step import initial_state, take_step, wrapped
from tests.benchmarks.bench_learning import CPU, cases_of


def kept_bytes(config: PretrainConfig, maker: BatchMaker) -> int:
    """Bytes of distinct storages that a step's forward pass saves for its backward pass, parameters left out."""
    state = initial_state(config, CPU)
    own = {p.untyped_storage().data_ptr() for p in state.model.parameters()}
    alive: dict[int, int] = {}
    most = 0

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal most
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            alive[storage.data_ptr()] = storage.nbytes()
            most = max(most, sum(alive.values()))
        return tensor

    def unpack(tensor: torch.Tensor) -> torch.Tensor:
        alive.clear()  # the backward pass of a part: the next part begins with nothing kept
        return tensor

    values = schedules.at(config, 0)
    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        take_step(state, wrapped(state, CPU), maker.make(0), config, values, CPU)
    return most


def main() -> None:
    """Train each combination and print a row of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--recipe", default="isotropic_2mm")
    parser.add_argument("--images", type=int, default=2560)
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 32, 256])
    parser.add_argument("--queue", type=int, default=1024)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    scans = [case.ref for case in cases_of(options.home.resolve(), options.recipe)]
    print(f"{'batch':>6} {'queue':>6} {'parts':>6} {'entropy':>8} {'in use':>8} {'slices/s':>9} {'MB kept/slice':>14}")
    for batch in options.batches:
        for queue, parts in ((0, 1), (options.queue, 1), (0, 4)):
            settings = [
                f"data.batch_size={batch}", f"dino.queue={queue}", f"run.accumulate={parts}", "run.alarms=0",
                f"run.images={options.images}", f"run.log_every={max(1, options.images // batch // 2)}",
                "run.precision=bfloat16",
            ]  # fmt: skip
            config = load_config("vit_tiny_cpu", settings)
            maker = BatchMaker(config, scans, initial_state(config, CPU).model.student.depth_rates(), CPU)
            kept = kept_bytes(config, maker)
            with tempfile.TemporaryDirectory() as folder:
                metrics = train(config, scans, Path(folder)).metrics
            print(
                f"{batch:6} {queue:6} {parts:6} {metrics['target_entropy']:8.3f} "
                f"{metrics['prototypes_in_use'] * config.dino.head.prototypes:8.1f} "
                f"{metrics['images_per_second']:9.1f} {kept / batch / 1e6:14.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
