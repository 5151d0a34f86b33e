"""The whole loop on a tiny network: it learns, resumes exactly, and survives what goes wrong."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from braindino.encoders import EncoderSpec, load
from braindino.errors import ConfigError, TrainingError
from braindino.pretraining import LogRecord, PretrainConfig, loop, read_checkpoint, step, train
from braindino.pretraining.batches import Batch
from braindino.pretraining.checkpoint import TrainingState
from braindino.pretraining.objective import Outcome
from braindino.pretraining.probe import Labelled
from braindino.slices import ScanRef, loading
from tests.pretraining.helpers import ALONE, batch_maker, same_tensors, tiny_config

Scans = Sequence[ScanRef]


def stop_after(steps: int) -> Callable[[], bool]:
    """Says stop when it is asked for the `steps`-th time."""
    asked = iter(range(1, 10_000))
    return lambda: next(asked) >= steps


def stepper(state: TrainingState, config: PretrainConfig, images: int) -> Callable[[Batch], float]:
    """Takes a step of a state; says 1 if it was taken and 0 if it was skipped."""
    values = loop.schedules.at(config, images)
    student_pass = step.wrapped(state, ALONE)
    return lambda batch: float(step.take_step(state, student_pass, batch, config, values, ALONE)[2])


def moments_of(state: TrainingState) -> dict[str, torch.Tensor]:
    return {
        f"{index}.{name}": value
        for index, moments in state.optimiser.state_dict()["state"].items()
        for name, value in moments.items()
    }


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    content = read_checkpoint(path)
    tensors = {f"student.{name}": tensor for name, tensor in content["student"].items()}
    tensors.update({f"teacher.{name}": tensor for name, tensor in content["teacher"].items()})
    for index, moments in content["optimiser"]["state"].items():
        tensors.update({f"optimiser.{index}.{name}": value for name, value in moments.items()})
    return {**tensors, "queue": content["queue"], "queue_filled": content["queue_filled"]}


def test_a_training_runs_to_its_end_and_gives_an_encoder(scans: Scans, tmp_path: Path) -> None:
    records: list[LogRecord] = []
    result = train(tiny_config(), scans, tmp_path, on_log=records.append)
    assert result.finished
    assert (result.steps, result.images_seen, result.skipped_steps) == (8, 32, 0)
    assert [record.step for record in records] == [2, 4, 6, 8]
    for name in (
        "loss",
        "loss_dino",
        "loss_ibot",
        "loss_koleo",
        "effective_rank",
        "target_entropy",
        "agreement",
    ):
        assert all(np.isfinite(record.metrics[name]) for record in records), name
    assert result.metrics == records[-1].metrics
    encoder = load(EncoderSpec("checkpoint", path=result.encoder))
    assert encoder.encoder_id == load(EncoderSpec("checkpoint", path=result.checkpoint)).encoder_id
    assert encoder.encode(torch.rand(2, 32, 24)).cls.shape == (2, 16)


def test_student_and_teacher_move(scans: Scans, tmp_path: Path) -> None:
    start = step.initial_state(tiny_config(), ALONE).model.state_dict()
    end = read_checkpoint(train(tiny_config(), scans, tmp_path).checkpoint)
    for role in ("student", "teacher"):
        moved = [name for name, tensor in end[role].items() if not torch.equal(tensor, start[f"{role}.{name}"])]
        assert set(moved) == set(end[role]), role


def test_workers_that_read_change_no_weight(scans: Scans, tmp_path: Path) -> None:
    straight = train(tiny_config(), scans, tmp_path / "straight")
    train(tiny_config(), scans, tmp_path / "resumed", should_stop=stop_after(3))
    resumed = train(tiny_config(), scans, tmp_path / "resumed", workers=1)
    assert same_tensors(weights_of(straight.checkpoint), weights_of(resumed.checkpoint))


@pytest.mark.parametrize("stops", [[5], [1, 4]])
def test_stopping_and_resuming_gives_bit_identical_weights(scans: Scans, tmp_path: Path, stops: list[int]) -> None:
    straight = train(tiny_config(), scans, tmp_path / "straight")
    for stop in stops:
        stopped = train(tiny_config(), scans, tmp_path / "resumed", should_stop=stop_after(stop))
        assert not stopped.finished
    torch.rand(17)  # a caller's random numbers have no say in it
    resumed = train(tiny_config(), scans, tmp_path / "resumed")
    assert resumed.finished
    assert resumed.images_seen == straight.images_seen
    assert same_tensors(weights_of(straight.checkpoint), weights_of(resumed.checkpoint))


GRAM = {"weight": 2.0, "teacher_images": 12, "ramp_images": 8, "resolution": 2}


@pytest.mark.parametrize("stops", [[3], [4], [1, 5, 6]])
def test_resuming_is_bit_identical_with_a_gram_teacher_too(scans: Scans, tmp_path: Path, stops: list[int]) -> None:
    """The Gram teacher is taken before the fourth step."""
    config = tiny_config(gram=GRAM)
    whole = train(config, scans, tmp_path / "whole")
    for at, before in zip(stops, [0, *stops], strict=False):
        train(config, scans, tmp_path / "parts", should_stop=stop_after(at - before))
    parts = train(config, scans, tmp_path / "parts")
    assert same_tensors(weights_of(whole.checkpoint), weights_of(parts.checkpoint))
    assert whole.metrics["loss_gram"] == parts.metrics["loss_gram"]


def test_the_gram_teacher_is_the_runs_own_earlier_teacher(scans: Scans, tmp_path: Path) -> None:
    config = tiny_config(gram=GRAM, run={"checkpoint_every": 1, "keep": 9})
    records: list[LogRecord] = []
    train(config, scans, tmp_path, on_log=records.append)
    by_step = {content["step"]: content for content in map(read_checkpoint, tmp_path.glob("step-*.pt"))}
    assert by_step[3]["gram_teacher"] is None
    teacher = {name: tensor for name, tensor in by_step[3]["teacher"].items() if name.startswith("backbone.")}
    for later in (4, 8):
        anchored = by_step[later]["gram_teacher"]
        assert same_tensors({n: t for n, t in anchored.items() if n.startswith("backbone.")}, teacher)
    assert [record.metrics["gram_weight"] for record in records] == [0.0, 1.0, 2.0, 2.0]
    assert records[-1].metrics["loss_gram"] > 0


def test_a_finished_training_run_again_changes_nothing(scans: Scans, tmp_path: Path) -> None:
    first = train(tiny_config(), scans, tmp_path)
    again = train(tiny_config(), scans, tmp_path)
    assert again.checkpoint == first.checkpoint
    assert again.metrics == first.metrics
    assert again.finished


def test_training_leaves_the_callers_random_numbers_alone(scans: Scans, tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    train(tiny_config(run={"images": 8}), scans, tmp_path)
    assert torch.equal(torch.rand(4), expected)


def test_a_step_that_is_not_finite_changes_nothing_and_is_counted(scans: Scans) -> None:
    config = tiny_config(schedule={"freeze_last_layer_images": 0})
    state = step.initial_state(config, ALONE)
    maker = batch_maker(config, scans)
    take = stepper(state, config, images=16)
    assert take(maker.make(0)) == 1
    before = {name: tensor.clone() for name, tensor in state.model.state_dict().items()}
    batch = maker.make(1)
    poisoned = replace(batch, slices=replace(batch.slices, bounds=torch.full((4, 2), torch.nan)))
    moments = {name: tensor.clone() for name, tensor in moments_of(state).items()}
    assert take(poisoned) == 0
    assert "queue" in before
    assert same_tensors(state.model.state_dict(), before)
    assert same_tensors(moments_of(state), moments)
    assert (state.step, state.images_seen, state.skipped.tolist()) == (2, 8, [1, 1])
    assert take(maker.make(2)) == 1
    assert state.skipped.tolist() == [1, 0]
    assert not same_tensors(state.model.state_dict(), before)


def test_gradients_that_are_not_finite_are_skipped_too(scans: Scans, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tiny_config()
    state = step.initial_state(config, ALONE)
    honest = step.student_loss

    def infinite_slope(*arguments: object) -> Outcome:
        outcome = honest(*arguments)  # type: ignore[arg-type]
        weight = state.model.student.mask_token
        # sqrt at 0: the value is finite, its slope is not.
        return replace(outcome, loss=outcome.loss + (weight - weight.detach()).abs().sum().sqrt())

    monkeypatch.setattr(step, "student_loss", infinite_slope)
    assert stepper(state, config, images=0)(batch_maker(config, scans).make(0)) == 0
    assert all(torch.isfinite(tensor).all() for tensor in state.model.state_dict().values())


def test_a_training_that_never_recovers_gives_up(scans: Scans, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "MOST_SKIPPED_IN_A_ROW", 3)
    monkeypatch.setattr(loading, "window_bounds", lambda *_: (np.nan, np.nan))
    with pytest.raises(TrainingError, match="last 4 steps up to step 4"):
        train(tiny_config(), scans, tmp_path)


@pytest.mark.parametrize("alarms", [2, 0])
def test_a_collapse_stops_the_training_with_a_sentence(
    scans: Scans, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alarms: int
) -> None:
    """The collapse is real to the loop: the teacher gives every slice the same CLS token."""
    honest = step.student_loss

    def collapsed(*arguments: object) -> Outcome:
        outcome = honest(*arguments)  # type: ignore[arg-type]
        return replace(outcome, teacher_cls=torch.ones_like(outcome.teacher_cls))

    monkeypatch.setattr(step, "student_loss", collapsed)
    records: list[LogRecord] = []
    config = tiny_config(run={"alarms": alarms, "checkpoint_every": 1}, schedule={"warmup_images": 8})
    if alarms == 0:
        assert train(config, scans, tmp_path, on_log=records.append).finished
        assert "collapsed" in records[-1].warnings[0]
        return
    with pytest.raises(
        TrainingError,
        match=r"Stopped at step 6: 2 log records in a row show trouble: .*collapsed.*run.alarms",
    ):
        train(config, scans, tmp_path, on_log=records.append)
    assert [len(record.warnings) for record in records] == [0, 1, 1]  # the first is of the warm-up
    assert list(tmp_path.glob("step-000000005-*.pt"))  # what was there before the alarm is kept


def test_the_cohort_is_probed_and_changes_nothing(scans: Scans, tmp_path: Path) -> None:
    cohort = [
        Labelled(scan, {"half": "first" if index < 3 else "second", "site": "here"}) for index, scan in enumerate(scans)
    ]
    records: list[LogRecord] = []
    config = tiny_config(run={"probe_every": 4})
    probed = train(config, scans, tmp_path / "probed", cohort=cohort, on_log=records.append)
    assert ["knn_half" in record.metrics for record in records] == [False, True, False, True]
    assert "knn_site" not in records[-1].metrics  # one site only
    assert records[-1].metrics["gram_drift"] > 0
    plain = train(config, scans, tmp_path / "plain")
    assert same_tensors(weights_of(probed.checkpoint), weights_of(plain.checkpoint))


def test_milestones_are_kept_beside_the_newest(scans: Scans, tmp_path: Path) -> None:
    train(tiny_config(run={"checkpoint_every": 3, "keep": 1, "milestone_every": 2}), scans, tmp_path)
    assert sorted(int(path.name[5:14]) for path in tmp_path.glob("step-*.pt")) == [2, 4, 6, 8]


def test_the_last_layer_is_frozen_at_first(scans: Scans, tmp_path: Path) -> None:
    config = tiny_config()  # frozen for 8 images, two steps
    start = step.initial_state(config, ALONE).model.student.dino_head.prototypes
    for steps, same in ((2, True), (3, False)):
        stopped = train(config, scans, tmp_path / str(steps), should_stop=stop_after(steps))
        now = read_checkpoint(stopped.checkpoint)["student"]["dino_head.prototypes"]
        assert torch.equal(now, start) is same


def test_half_precision_trains(scans: Scans, tmp_path: Path) -> None:
    config = tiny_config(run={"images": 12, "precision": "bfloat16"})
    result = train(config, scans, tmp_path)
    assert np.isfinite(result.metrics["loss"])
    assert all(t.dtype == torch.float32 for t in read_checkpoint(result.checkpoint)["teacher"].values())


def test_without_masks_or_local_crops_it_is_plain_dino(scans: Scans, tmp_path: Path) -> None:
    config = tiny_config(ibot={"masked_share": 0.0}, crops={"local_number": 0}, run={"images": 8})
    assert train(config, scans, tmp_path).metrics["loss_ibot"] == 0.0


def test_one_lost_scan_is_replaced_and_counted(scans: Scans, tmp_path: Path) -> None:
    moved = tmp_path / "lost.zarr"
    shutil.copytree(scans[0].path, moved)
    with_lost = [replace(scans[0], path=str(moved)), *scans[1:]]
    maker = batch_maker(tiny_config(data={"batch_size": 6}), with_lost)
    shutil.rmtree(moved)
    batch = maker.make(0)
    assert batch.slices.unreadable == 1
    assert batch.slices.stored.shape == (6, 32, 24)
    assert (batch.slices.stored.view(torch.int16) > 0).flatten(1).any(1).all()


def test_losing_all_slices_is_an_error_with_a_remedy(scans: Scans, tmp_path: Path) -> None:
    nowhere = [replace(scan, path=str(tmp_path / scan.scan_id)) for scan in scans]
    with pytest.raises(TrainingError, match=r"None of the 4 slices .* run again to resume"):
        train(tiny_config(), nowhere, tmp_path)


def test_what_cannot_start_says_why(scans: Scans, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="There are no scans to train on"):
        train(tiny_config(), [], tmp_path)
    with pytest.raises(ConfigError, match="'tpux' is unknown"):
        train(tiny_config(run={"device": "tpux"}), scans, tmp_path)
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="finds no GPU"):
            train(tiny_config(run={"device": "cuda"}), scans, tmp_path)


def test_a_batch_is_a_function_of_its_step(scans: Scans) -> None:
    first, second = batch_maker(tiny_config(), scans), batch_maker(tiny_config(), scans)
    second.make(0)
    one, other = first.make(6), second.make(6)
    assert torch.equal(one.slices.stored, other.slices.stored)
    np.testing.assert_array_equal(one.masks, other.masks)
    assert int(one.masks.any(2).sum()) == 4
    assert not torch.equal(one.slices.stored, first.make(7).slices.stored)


def test_losses_fall_and_features_stay_spread(scans: Scans, tmp_path: Path) -> None:
    """Sixty steps of a tiny network: too few to learn much, enough to see the student follow the teacher."""
    records: list[LogRecord] = []
    config = tiny_config(
        data={"batch_size": 6},
        optimiser={"learning_rate": 1e-2, "layer_decay": 1.0, "patch_embed_factor": 1.0},
        run={"images": 360, "log_every": 20, "checkpoint_every": 1000},
    )
    train(config, scans, tmp_path, on_log=records.append)
    first, last = records[0].metrics, records[-1].metrics
    assert last["loss_dino"] < first["loss_dino"] - 0.3
    assert last["loss_ibot"] < first["loss_ibot"] - 0.3
    assert last["effective_rank"] > 2
