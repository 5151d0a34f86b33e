"""The training loop, from the first slice to exported weights; it reads from top to bottom."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from braindino.encoders.weights import export_backbone
from braindino.errors import ConfigError, TrainingError
from braindino.keys import canonical_json, short_hash
from braindino.pretraining import monitor, schedules
from braindino.pretraining.augment import render_crops, undistorted
from braindino.pretraining.batches import Batch, BatchMaker
from braindino.pretraining.checkpoint import TrainingState, newest_checkpoint, restore, save_checkpoint
from braindino.pretraining.config import PRETRAINING_VERSION, PretrainConfig
from braindino.pretraining.meter import Meter
from braindino.pretraining.model import StudentTeacher
from braindino.pretraining.objective import Crops, Outcome, evaluate
from braindino.pretraining.optimiser import apply_schedule, build_optimiser, clip
from braindino.pretraining.randomness import stream_seed
from braindino.slices.loading import read_ahead
from braindino.slices.sampler import ScanRef

MOST_SKIPPED_IN_A_ROW = 20
"""Steps without a finite loss after which a training gives up: it will not recover by itself."""
ENCODER_FILE = "encoder.safetensors"


@dataclass(frozen=True)
class LogRecord:
    """What is known after some steps: figures by name, and sentences a person should read."""

    step: int
    images_seen: int
    metrics: Mapping[str, float]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class TrainingResult:
    """Where a training ended."""

    checkpoint: Path
    encoder: Path
    """The EMA teacher's backbone, .safetensors with timm's names."""
    finished: bool
    """False when it was asked to stop before its last step."""
    steps: int
    images_seen: int
    skipped_steps: int
    seconds: float
    """Wall time over all runs of this training."""
    metrics: Mapping[str, float]
    """Of the last log record."""


def train(
    config: PretrainConfig,
    scans: Sequence[ScanRef],
    directory: Path,
    *,
    workers: int = 0,
    on_log: Callable[[LogRecord], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainingResult:
    """Train on the scans' slices until `config.run.images` were seen; resume from `directory` if it was begun
    there.

    Stopping and resuming at any step gives the weights of a run that never stopped (bit for bit on one CPU
    with the same number of threads), whatever the number of `workers`: processes that read slices ahead, 0 for
    a thread of this one. `should_stop` is asked after every step; when it says so, a checkpoint
    is written and the result has `finished` False. A step whose loss or gradients are not finite changes
    nothing and is counted.

    Raises TrainingError when there are no scans, the folder belongs to another training, no step succeeds any
    more, or `run.alarms` log records in a row show a collapse; CheckpointError when the folder holds only
    damaged checkpoints.
    """
    device = choose_device(config.run.device)
    maker, data_hash = BatchMaker(config, scans), hash_of_scans(scans)
    state = initial_state(config, device)
    checkpoint, content, problems = newest_checkpoint(directory)
    if checkpoint is not None:
        restore(state, content, config, data_hash)
    meter = Meter(problems)
    random_devices = [device] if device.type == "cuda" else []
    batches = read_ahead(maker.make, state.step, config.steps, workers)
    with torch.random.fork_rng(devices=random_devices), contextlib.closing(batches):
        for batch in batches:
            meter.begin_step()
            values = schedules.at(config, state.images_seen)
            outcome = take_step(state, batch, config, values)
            state.seconds += meter.end_step(outcome, batch)
            _give_up_if_hopeless(meter, state)
            last, stopping = state.step == config.steps, should_stop is not None and should_stop()
            if last or state.step % config.run.log_every == 0:
                state.metrics = meter.summary(values)
                signs = _signs_of_collapse(state, config)
                if on_log is not None:
                    on_log(LogRecord(state.step, state.images_seen, state.metrics, (*meter.warnings(), *signs)))
                _stop_if_collapsed(state, config, signs)
                meter = Meter(skipped_in_a_row=meter.skipped_in_a_row)
            if last or stopping or _checkpoint_is_due(state.step, config):
                checkpoint = save_checkpoint(directory, state, config, data_hash)
            if stopping:
                break
    assert checkpoint is not None  # the last step writes one
    return _exported(state, config, directory, checkpoint)


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


def hash_of_scans(scans: Sequence[ScanRef]) -> str:
    """What a training's data are known by: its scans in their order, wherever the store lies."""
    return short_hash([[scan.scan_id, Path(scan.path).name, scan.subject_uid, scan.n_slices] for scan in scans], 16)


def initial_state(config: PretrainConfig, device: torch.device) -> TrainingState:
    """Student, teacher and optimiser before the first step, initialised from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(config.run.seed, "weights"))
        model = StudentTeacher(config)
    model.to(device)
    return TrainingState(model, build_optimiser(model.student, config))


def take_step(state: TrainingState, batch: Batch, config: PretrainConfig, values: schedules.Values) -> Outcome | None:
    """One step: forward, backward, clip, update the student, let the teacher follow.

    When the loss or a gradient is not finite, neither student nor teacher nor queue nor optimiser changes;
    the step is counted as skipped and None is returned. Step and images count either way: they are the
    position in the data.
    """
    model, optimiser = state.model, state.optimiser
    device = next(model.student.parameters()).device
    # What torch draws in a step (stochastic depth) is a function of the step too.
    torch.manual_seed(stream_seed(config.run.seed, "step", batch.step))
    if values.gram_weight > 0 and model.gram_teacher is None:
        model.anchor()
    crops = crops_of(batch, config, device, with_undistorted=values.gram_weight > 0)
    with torch.autocast(device.type, torch.bfloat16, enabled=config.run.precision == "bfloat16"):
        outcome = evaluate(model, crops, config, values.teacher_temperature, values.gram_weight)
    optimiser.zero_grad(set_to_none=True)
    outcome.loss.backward()  # type: ignore[no-untyped-call]
    norm = clip(model.student.parts(), config.optimiser.clip)
    state.step += 1
    state.images_seen += batch.size
    if not bool(torch.isfinite(outcome.loss.detach()) & torch.isfinite(norm)):
        state.skipped_steps += 1
        return None
    apply_schedule(optimiser, values)
    optimiser.step()
    model.follow(values.momentum)
    model.remember(outcome.teacher_projected)
    return outcome


def crops_of(batch: Batch, config: PretrainConfig, device: torch.device, with_undistorted: bool = False) -> Crops:
    """The batch's crops, rendered on the device from the stored numbers."""
    # torch has few operations on uint16: its bits travel as int16, half the size of int32.
    stored = batch.slices.stored.view(torch.int16).to(device, torch.int32).bitwise_and_(0xFFFF)
    bounds, seed = batch.slices.bounds.to(device), stream_seed(config.run.seed, "noise", batch.step)
    global_crops, local_crops = render_crops(stored, stored > 0, bounds, batch.plans, seed)
    plain = None
    if with_undistorted:
        plans = [undistorted(plan, config.gram.resolution) for plan in batch.plans[:2]]
        plain, _ = render_crops(stored, stored > 0, bounds, plans, seed)
    return Crops(global_crops, local_crops, torch.from_numpy(batch.masks).to(device), plain)


def _checkpoint_is_due(step: int, config: PretrainConfig) -> bool:
    milestone = config.run.milestone_every
    return step % config.run.checkpoint_every == 0 or (milestone > 0 and step % milestone == 0)


def _signs_of_collapse(state: TrainingState, config: PretrainConfig) -> tuple[str, ...]:
    warming_up = state.images_seen <= config.schedule.warmup_images
    signs = monitor.signs_of_collapse(state.metrics, warming_up)
    state.alarms_in_a_row = state.alarms_in_a_row + 1 if signs else 0
    return signs


def _stop_if_collapsed(state: TrainingState, config: PretrainConfig, signs: tuple[str, ...]) -> None:
    if config.run.alarms and state.alarms_in_a_row >= config.run.alarms:
        raise TrainingError(
            f"Stopped at step {state.step}: {state.alarms_in_a_row} log records in a row show a collapse. {signs[0]} "
            "Checkpoints of earlier steps are kept; change the configuration, or set run.alarms=0 to be warned only."
        )


def _give_up_if_hopeless(meter: Meter, state: TrainingState) -> None:
    if meter.skipped_in_a_row >= MOST_SKIPPED_IN_A_ROW:
        raise TrainingError(
            f"The last {meter.skipped_in_a_row} steps up to step {state.step} had no finite loss: "
            "lower optimiser.learning_rate or use run.precision=float32, and start in a new folder."
        )


def _exported(state: TrainingState, config: PretrainConfig, directory: Path, checkpoint: Path) -> TrainingResult:
    encoder = directory / ENCODER_FILE
    facts = {
        "config": canonical_json(config),
        "images_seen": str(state.images_seen),
        "pretraining_version": str(PRETRAINING_VERSION),
    }
    export_backbone(encoder, state.model.teacher, facts)
    return TrainingResult(
        checkpoint=checkpoint,
        encoder=encoder,
        finished=state.step >= config.steps,
        steps=state.step,
        images_seen=state.images_seen,
        skipped_steps=state.skipped_steps,
        seconds=state.seconds,
        metrics=state.metrics,
    )
