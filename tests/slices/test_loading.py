"""Loading: one sequence of batches, whoever makes them and wherever it begins."""

import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from braindino.errors import ConfigError, StoreError
from braindino.slices import ScanRef, SliceSampler, open_scan, read_many, window_bounds
from braindino.slices.loading import SliceBatch, SliceBatches, read_ahead
from tests.slices.helpers import INTENSITY, stored_scan

Scans = Sequence[ScanRef]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Scans:
    """Two datasets of two people each."""
    return write_scans(tmp_path_factory.mktemp("slices"))


def write_scans(folder: Path) -> Scans:
    refs = []
    for person in range(4):
        path, _ = stored_scan(folder, f"s{person}", seed=person, n_slices=6)
        refs.append(ScanRef(str(path), f"s{person}", f"p{person}", "ab"[person // 2], 6, "axial"))
    return refs


def batches_of(scans: Scans, replace_unreadable: bool = False) -> SliceBatches:
    sampler = SliceSampler(scans, seed=5, batch_size=3, gaussian_scale=0.3)
    return SliceBatches(sampler, replace_unreadable=replace_unreadable)


def same(one: SliceBatch, other: SliceBatch) -> bool:
    names = ("stored", "bounds", "scans", "indices")
    return one.number == other.number and all(torch.equal(getattr(one, n), getattr(other, n)) for n in names)


def made_by(process: int) -> tuple[int, int]:
    return process, os.getpid()


def test_a_batch_holds_what_the_sampler_drew(scans: Scans) -> None:
    batches = batches_of(scans)
    batch = batches[7]
    drawn = batches.sampler.batch(7)
    assert list(zip(batch.scans.tolist(), batch.indices.tolist(), strict=True)) == drawn
    for row, (scan, index) in enumerate(drawn):
        np.testing.assert_array_equal(batch.stored[row].numpy(), open_scan(scans[scan].path).image([index])[0])
    np.testing.assert_allclose(batch.bounds.numpy(), [window_bounds(INTENSITY, "p0.5_99.5")] * 3, rtol=1e-6)


@pytest.mark.parametrize(("workers", "start_method"), [(1, "forkserver"), (2, "forkserver"), (2, "spawn")])
def test_any_number_of_workers_gives_the_same_batches(scans: Scans, workers: int, start_method: str) -> None:
    make = batches_of(scans).__getitem__
    expected = list(read_ahead(make, 0, 7))
    before = torch.random.get_rng_state()
    loaded = list(read_ahead(make, 0, 7, workers, start_method))  # type: ignore[arg-type]
    assert torch.equal(torch.random.get_rng_state(), before), "the caller's random numbers are left alone"
    assert [batch.number for batch in loaded] == list(range(7))
    assert all(same(one, other) for one, other in zip(expected, loaded, strict=True))


def test_a_run_resumes_in_the_middle_of_an_epoch_with_other_workers(scans: Scans) -> None:
    batches = batches_of(scans)
    assert batches.sampler.batches_per_epoch == 8
    straight = list(read_ahead(batches.__getitem__, 0, 24))
    first = batches.sampler.number(epoch=1, offset=3)
    resumed = list(read_ahead(batches_of(scans).__getitem__, first, 24, workers=2))
    assert first == 11
    assert all(same(one, other) for one, other in zip(straight[first:], resumed, strict=True))


@pytest.mark.parametrize(("epoch", "offset"), [(-1, 0), (0, -1), (0, 8)])
def test_an_epoch_has_no_other_batches(scans: Scans, epoch: int, offset: int) -> None:
    with pytest.raises(ConfigError, match="from 0 to 7"):
        batches_of(scans).sampler.number(epoch, offset)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_missing_shard_is_a_sentence_from_a_worker_too(tmp_path: Path, workers: int) -> None:
    scans = write_scans(tmp_path)
    shutil.rmtree(tmp_path / "s2.zarr" / "image" / "c")
    numbers = [n for n in range(8) if 2 in {scan for scan, _ in batches_of(scans).sampler.batch(n)}]
    loaded = read_ahead(batches_of(scans).__getitem__, 0, 8, workers)
    assert [next(loaded).number for _ in range(numbers[0])] == list(range(numbers[0]))
    with pytest.raises(StoreError, match=r"^The slices .*s2\.zarr are missing or damaged .* ingest the scan again\.$"):
        next(loaded)


def test_a_lost_scan_is_replaced_and_counted_where_that_is_asked_for(tmp_path: Path) -> None:
    scans = write_scans(tmp_path)
    shutil.rmtree(tmp_path / "s0.zarr")
    loaded = list(read_ahead(batches_of(scans, replace_unreadable=True).__getitem__, 0, 6))
    assert sum(batch.unreadable for batch in loaded) > 0
    for batch in loaded:
        for row, (scan, index) in enumerate(zip(batch.scans.tolist(), batch.indices.tolist(), strict=True)):
            np.testing.assert_array_equal(batch.stored[row].numpy(), open_scan(scans[scan].path).image([index])[0])


def test_a_store_that_is_gone_is_an_error_even_where_slices_may_be_replaced(tmp_path: Path) -> None:
    scans = write_scans(tmp_path)
    for path in tmp_path.iterdir():
        shutil.rmtree(path)
    with pytest.raises(StoreError, match="None of the 3 slices"):
        batches_of(scans, replace_unreadable=True)[0]


def test_errors_come_at_their_number_and_closing_stops_the_thread() -> None:
    def make(number: int) -> int:
        if number == 5:
            raise StoreError("number five")
        return number

    loaded = read_ahead(make, 2, 9)
    assert [next(loaded) for _ in range(3)] == [2, 3, 4]
    with pytest.raises(StoreError, match="number five"):
        next(loaded)
    closed = read_ahead(make, 0, 4)
    next(closed)
    closed.close()
    assert list(closed) == []


def test_a_signal_to_the_whole_group_does_not_end_the_workers(scans: Scans) -> None:
    loaded = read_ahead(made_by, 0, 12, workers=1)
    _, worker = next(loaded)
    assert worker != os.getpid()
    os.kill(worker, signal.SIGTERM)
    os.kill(worker, signal.SIGINT)
    assert [number for number, _ in loaded] == list(range(1, 12))


def test_a_forked_child_of_a_reader_is_told_how_to_start_instead(scans: Scans) -> None:
    requests = [(scans[0].path, 0)]
    read_many(requests)
    child = os.fork()
    if not child:  # pragma: no cover - in the child, which must end here whatever happens
        try:
            read_many(requests)
        except StoreError as error:
            os._exit(7 if "forkserver" in str(error) else 8)
        finally:
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert read_many(requests).any()


def test_a_negative_number_of_workers(scans: Scans) -> None:
    with pytest.raises(ConfigError, match="not -1"):
        next(read_ahead(made_by, 0, 3, workers=-1))
