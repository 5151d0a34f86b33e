"""The training loop, from the first slice to exported weights; it reads from top to bottom."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from braindino.encoders.weights import export_backbone
from braindino.errors import ConfigError, TrainingError
from braindino.keys import canonical_json, short_hash
from braindino.pretraining import flops, monitor, schedules
from braindino.pretraining.batches import BatchMaker
from braindino.pretraining.checkpoint import TrainingState, alone_in, newest_checkpoint, restore, save_checkpoint
from braindino.pretraining.config import PRETRAINING_VERSION, PretrainConfig
from braindino.pretraining.meter import Meter
from braindino.pretraining.probe import Labelled, Probe
from braindino.pretraining.start import start_from
from braindino.pretraining.step import initial_state, take_step, wrapped
from braindino.pretraining.team import Team, assemble
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
    cohort: Sequence[Labelled] = (),
    on_log: Callable[[LogRecord], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainingResult:
    """Train on the scans' slices until `config.run.images` were seen; resume from `directory` if it was begun
    there.

    Started by torchrun, every process trains on its part of each batch, and the first one writes; else this process
    trains alone. Stopping and resuming at any step gives the weights of a run that never stopped (bit for bit on one
    CPU with the same number of threads, within rounding for another number of processes), whatever the number of
    `workers`: processes that read slices ahead, 0 for a thread of this one. `should_stop` is asked after every step;
    when it says so, a checkpoint is written and the result has `finished` False. A step whose loss or gradients are
    not finite changes nothing and is counted. Log records of every `run.probe_every` steps tell what the teacher knows
    of `cohort`, which changes nothing of the training.

    Raises TrainingError when there are no scans, the folder belongs to another training or one runs in it, no step
    succeeds any more, or `run.alarms` log records in a row show a collapse or a divergence; CheckpointError when the
    folder holds only damaged checkpoints; ConfigError when the batch cannot be shared by the processes, or there is no
    such device.
    """
    with assemble(config.run.device) as team:
        _check_shares(config, team)
        with alone_in(directory) if team.leads else contextlib.nullcontext():
            return _train(config, scans, directory, team, workers, cohort, on_log, should_stop)


def _train(
    config: PretrainConfig,
    scans: Sequence[ScanRef],
    directory: Path,
    team: Team,
    workers: int,
    cohort: Sequence[Labelled],
    on_log: Callable[[LogRecord], None] | None,
    should_stop: Callable[[], bool] | None,
) -> TrainingResult:
    data_hash = hash_of_scans(scans)
    state = initial_state(config, team)
    maker = BatchMaker(config, scans, state.model.student.depth_rates(), team)
    checkpoint, content, problems = newest_checkpoint(directory)
    if checkpoint is not None:
        restore(state, content, config, data_hash)
    elif config.start.weights:
        problems = (start_from(state.model, config.start),)
    student_pass = wrapped(state, team)
    peak = flops.peak_of(team.device)
    probe = Probe(cohort if team.leads else (), config.data.window, config.network.patch_size, team.device)
    meter = Meter(team, problems)
    with contextlib.closing(read_ahead(maker.make, state.step, config.steps, workers)) as batches:
        for batch in batches:
            meter.begin_step()
            values = schedules.at(config, state.images_seen)
            outcome, norm, succeeded = take_step(state, student_pass, batch, config, values, team)
            state.seconds += meter.end_step(outcome, norm, succeeded, batch)
            last = state.step == config.steps
            if last or state.step % config.run.log_every == 0:
                _record(state, config, meter, values, probe, peak, team, on_log)
                meter = Meter(team)
            stopping = _asked_to_stop(should_stop, state.step, team)
            if last or stopping or _checkpoint_is_due(state.step, config):
                checkpoint = team.agree(save_checkpoint(directory, state, config, data_hash) if team.leads else None)
            if stopping:
                break
    assert checkpoint is not None  # the last step writes one
    return _exported(state, config, directory, checkpoint, team)


def _record(
    state: TrainingState,
    config: PretrainConfig,
    meter: Meter,
    values: schedules.Values,
    probe: Probe,
    peak: float | None,
    team: Team,
    on_log: Callable[[LogRecord], None] | None,
) -> None:
    """Sums up the steps since the last record, tells them, and stops a training without hope."""
    metrics = meter.summary(values, flops.per_image(config, values.gram_weight > 0), peak)
    if config.run.probe_every and state.step % config.run.probe_every < config.run.log_every:
        metrics |= probe.measure(state.model.teacher, config.run.precision == "bfloat16")
    state.metrics = team.agree(metrics)
    _give_up_if_hopeless(state)
    signs = _signs_of_trouble(state, config)
    if on_log is not None and team.leads:
        sentences = (*meter.problems, *monitor.skips(state.metrics), *signs)
        on_log(LogRecord(state.step, state.images_seen, state.metrics, sentences))
    _stop_if_hopeless(state, config, signs)


STEPS_BETWEEN_AGREEMENTS = 8
"""Of several processes, each is asked to stop by itself: so often they find out whether one of them was."""


def _asked_to_stop(should_stop: Callable[[], bool] | None, step: int, team: Team) -> bool:
    if should_stop is None or (team.size > 1 and step % STEPS_BETWEEN_AGREEMENTS):
        return False
    return team.any(should_stop())


def _check_shares(config: PretrainConfig, team: Team) -> None:
    shares = team.size * config.run.accumulate
    if config.data.batch_size % shares:
        raise ConfigError(
            f"data.batch_size {config.data.batch_size} cannot be shared by {team.size} processes in "
            f"{config.run.accumulate} parts each: it must be a multiple of {shares}."
        )


def hash_of_scans(scans: Sequence[ScanRef]) -> str:
    """What a training's data are known by: its scans in their order, wherever the store lies."""
    return short_hash([[scan.scan_id, Path(scan.path).name, scan.subject_uid, scan.n_slices] for scan in scans], 16)


def _checkpoint_is_due(step: int, config: PretrainConfig) -> bool:
    milestone = config.run.milestone_every
    return step % config.run.checkpoint_every == 0 or (milestone > 0 and step % milestone == 0)


def _signs_of_trouble(state: TrainingState, config: PretrainConfig) -> tuple[str, ...]:
    warming_up = state.images_seen <= config.schedule.warmup_images
    if not state.first_losses:
        state.first_losses = {name: state.metrics[name] for name in monitor.LOSSES if name in state.metrics}
    signs = () if warming_up else monitor.signs_of_trouble(state.metrics, state.first_losses)
    state.alarms_in_a_row = state.alarms_in_a_row + 1 if signs else 0
    return signs


def _stop_if_hopeless(state: TrainingState, config: PretrainConfig, signs: tuple[str, ...]) -> None:
    if config.run.alarms and state.alarms_in_a_row >= config.run.alarms:
        raise TrainingError(
            f"Stopped at step {state.step}: {state.alarms_in_a_row} log records in a row show trouble: {signs[0]} "
            "Checkpoints of earlier steps are kept; change the configuration, or set run.alarms=0 to be warned only."
        )


def _give_up_if_hopeless(state: TrainingState) -> None:
    in_a_row = int(state.skipped[1])
    if in_a_row >= MOST_SKIPPED_IN_A_ROW:
        raise TrainingError(
            f"The last {in_a_row} steps up to step {state.step} had no finite loss: "
            "lower optimiser.learning_rate or use run.precision=float32, and start in a new folder."
        )


def _exported(
    state: TrainingState, config: PretrainConfig, directory: Path, checkpoint: Path, team: Team
) -> TrainingResult:
    encoder = directory / ENCODER_FILE
    facts = {
        "config": canonical_json(config),
        "images_seen": str(state.images_seen),
        "pretraining_version": str(PRETRAINING_VERSION),
    }
    if team.leads:
        export_backbone(encoder, state.model.teacher, facts)
    return TrainingResult(
        checkpoint=checkpoint,
        encoder=encoder,
        finished=state.step >= config.steps,
        steps=state.step,
        images_seen=state.images_seen,
        skipped_steps=int(state.skipped[0]),
        seconds=state.seconds,
        metrics=state.metrics,
    )
