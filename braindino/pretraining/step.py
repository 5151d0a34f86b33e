"""One optimiser step, without once waiting for the device."""

import contextlib

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from braindino.pretraining.augment import CropPlan, Signals, render_crops
from braindino.pretraining.batches import Batch
from braindino.pretraining.checkpoint import TrainingState
from braindino.pretraining.config import PretrainConfig
from braindino.pretraining.model import StudentTeacher
from braindino.pretraining.objective import Crops, Outcome, StudentPass, student_loss, teacher_targets
from braindino.pretraining.optimiser import apply_schedule, build_optimiser, clip
from braindino.pretraining.randomness import stream_seed
from braindino.pretraining.schedules import Values
from braindino.pretraining.team import Team


def initial_state(config: PretrainConfig, team: Team) -> TrainingState:
    """Student, teacher and optimiser before the first step, initialised from the seed; `start_from` comes after."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(config.run.seed, "weights"))
        model = StudentTeacher(config)
    model.to(team.device)
    if config.run.compile:
        model.student.compile_blocks()
        model.teacher.compile_blocks()
    skipped = torch.zeros(2, dtype=torch.int64, device=team.device)
    return TrainingState(model, build_optimiser(model.student, config), skipped)


def wrapped(state: TrainingState, team: Team) -> nn.Module:
    """The student's pass, as all processes call it: their gradients are averaged while the backward pass goes on."""
    student_pass = StudentPass(state.model.student)
    if team.size == 1:
        return student_pass
    return DistributedDataParallel(student_pass, broadcast_buffers=False, gradient_as_bucket_view=True)


def take_step(
    state: TrainingState, student_pass: nn.Module, batch: Batch, config: PretrainConfig, values: Values, team: Team
) -> tuple[Outcome, Tensor, Tensor]:
    """One step: targets, forward, backward, clip, update the student, let the teacher follow.

    Where the loss or a gradient is not finite, in any process, neither student nor teacher nor queue nor optimiser
    changes, and the step is counted as skipped: on the device, which is not waited for. Step and images count either
    way: they are the position in the data.

    Returns:
        What came out, the gradients' norm before clipping, and whether the step was taken (float32, 1 or 0).
    """
    model, optimiser = state.model, state.optimiser
    if values.gram_weight > 0 and model.gram_teacher is None:
        model.anchor()
    parts = crops_of(batch, config, team, values.gram_weight > 0)
    targets = teacher_targets(model, parts, config, values.teacher_temperature, team)
    optimiser.zero_grad(set_to_none=True)
    total = torch.zeros((), device=team.device)
    for part, crops in enumerate(parts):
        last = part == len(parts) - 1
        with contextlib.nullcontext() if last else _unsynchronised(student_pass):
            outcome = student_loss(student_pass, model, crops, targets, part, config, values, team)
            (outcome.loss / len(parts)).backward()  # type: ignore[no-untyped-call]
        total += outcome.loss.detach()
    norm = clip(model.student.parts(), config.optimiser.clip)
    failed = team.max((~(torch.isfinite(total) & torch.isfinite(norm))).float())
    apply_schedule(optimiser, values)
    optimiser.found_inf = failed  # type: ignore[attr-defined]  # AdamW's fused kernel then changes nothing
    optimiser.step()
    model.follow(values.momentum, 1 - failed)
    model.remember(_gathered(targets.projected, team), 1 - failed)
    state.skipped += failed.long()
    state.skipped[1] *= failed.long()
    state.step += 1
    state.images_seen += batch.images
    return outcome, norm, 1 - failed


def _unsynchronised(student_pass: nn.Module) -> contextlib.AbstractContextManager[None]:
    if isinstance(student_pass, DistributedDataParallel):
        return student_pass.no_sync()
    return contextlib.nullcontext()


def _gathered(projected: list[Tensor], team: Team) -> Tensor:
    """The teacher's CLS features of all processes, [2B, bottleneck], in the order in which one process has them."""
    own = torch.cat([part.unflatten(0, (2, -1)) for part in projected], dim=1)  # type: ignore[no-untyped-call]
    if team.size == 1:
        return own.flatten(0, 1)
    return team.gather(own.transpose(0, 1).contiguous()).transpose(0, 1).flatten(0, 1)


def crops_of(batch: Batch, config: PretrainConfig, team: Team, with_undistorted: bool = False) -> list[Crops]:
    """The crops of a process's slices, rendered on the device from stored numbers, in `run.accumulate` parts."""
    device = team.device
    views, compiled = batch.views(device), config.run.compile
    globals_ = _rendered(views, batch.globals_, device, compiled)
    locals_ = _rendered(views, batch.locals_, device, compiled)
    plain = None
    if with_undistorted:
        plain = _rendered(views, batch.globals_.undistorted(config.gram.resolution), device, compiled)
    kept = batch.kept.to(device, non_blocking=True) if config.network.drop_path else None
    each = batch.masks.shape[1] // config.run.accumulate
    parts = []
    for start in range(0, each * config.run.accumulate, each):
        rows = slice(start, start + each)
        masks = batch.masks[:, rows].flatten(0, 1)  # on the CPU, where counting them is no waiting
        masked = torch.nonzero(masks.flatten()).squeeze(1)
        weights = (1.0 / masks.sum(1, keepdim=True).clamp_min(1)).expand_as(masks)[masks]
        parts.append(
            Crops(
                globals_[:, rows],
                locals_[:, rows],
                batch.masks[:, rows].to(device, non_blocking=True),
                masked.to(device, non_blocking=True),
                weights.to(device, non_blocking=True),
                None if kept is None else kept[:, rows],
                None if plain is None else plain[:, rows],
            )
        )
    return parts


def _rendered(views: list[Signals], plan: CropPlan, device: torch.device, compiled: bool) -> Tensor:
    """The crops of a plan, [n, B, 1, S, S]."""
    number, count = plan.seeds.shape
    return render_crops(views, plan.to(device), compiled).view(number, count, 1, plan.size, plan.size)
