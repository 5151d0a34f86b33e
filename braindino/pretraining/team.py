"""The processes of one training: one alone, or many started by torchrun, each with a part of every batch."""

import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from braindino.errors import ConfigError

PATIENCE = datetime.timedelta(minutes=30)
"""How long a process waits for the others: longer than the slowest checkpoint takes to be written."""


@dataclass(frozen=True)
class Team:
    """One process's view of all. Alone, every operation gives back what it was given."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes what a training writes once."""
        return self.rank == 0

    def part(self, count: int) -> slice:
        """The rows of a batch of `count` that are this process's; `count` is a multiple of `size`."""
        each = count // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over processes, in place and without gradient."""
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor

    def max(self, tensor: Tensor) -> Tensor:
        """The largest over processes, in place and without gradient."""
        if self.size > 1:
            dist.all_reduce(tensor, dist.ReduceOp.MAX)
        return tensor

    def gather(self, tensor: Tensor) -> Tensor:
        """All processes' [n, ...] one after the other, [size x n, ...], with gradients to those they came from."""
        if self.size == 1:
            return tensor
        gathered: Tensor = _Gather.apply(tensor, self.rank, self.size)  # type: ignore[no-untyped-call]
        return gathered

    def agree(self, value: Any) -> Any:
        """What the leading process says, in every process; any value that pickles."""
        if self.size == 1:
            return value
        said = [value]
        dist.broadcast_object_list(said, src=0, device=self.device)
        return said[0]

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        return flag if self.size == 1 else bool(self.max(torch.tensor(float(flag), device=self.device)))


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, rank: int, size: int) -> Tensor:
        ctx.rank, ctx.size = rank, size
        parts = [torch.empty_like(tensor) for _ in range(size)]
        dist.all_gather(parts, tensor.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        # Every process's loss may depend on these rows.
        whole = gradient.contiguous()
        dist.all_reduce(whole)
        return whole.chunk(ctx.size)[ctx.rank], None, None


@contextmanager
def assemble(device_name: str) -> Iterator[Team]:
    """The team that torchrun started, or this process alone.

    Raises:
        ConfigError: the device is unknown or not there, or there are more processes than GPUs.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Team(choose_device(device_name))
        return
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    device = choose_device(device_name)
    if device.type == "cuda":
        visible = torch.cuda.device_count()
        if local >= visible:
            raise ConfigError(
                f"{os.environ.get('LOCAL_WORLD_SIZE', size)} processes were started on this machine, which shows "
                f"{visible} GPUs: start one per GPU, or use run.device=cpu."
            )
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", rank=rank, world_size=size, timeout=PATIENCE)
    try:
        yield Team(device, rank, size)
    finally:
        dist.destroy_process_group()


def choose_device(name: str) -> torch.device:
    """The device of `run.device`: what it names, or for "auto" the GPU where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"run.device {name!r} is unknown: choose cpu, cuda or auto.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError("run.device is cuda, but torch finds no GPU here: choose cpu or auto.")
    return device
