"""The flow `embed`: every stored scan becomes vectors in the feature store; only what is missing is computed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

import warehouse
from braindino import encoders, imaging, slices
from braindino.errors import StoreError
from flows.display import progress, stderr
from flows.environment import job_id, resolve_home, use_all_cores
from flows.recipes import require_stored
from flows.register import resolve, spec_of

Row = dict[str, Any]
BATCH = 50  # scans per Prefect task and per commit


@dataclass(frozen=True)
class EmbedSummary:
    """What one embedding run did."""

    encoder_ids: tuple[str, ...]
    recipe_id: str
    snapshot_id: str
    computed: int
    up_to_date: int
    slices: int
    seconds: float


def missing_scans(store: warehouse.Warehouse, encoder_id: str, recipe_id: str) -> tuple[list[Row], int]:
    """Stored scans whose present content has no vector of this encoder, and how many have one."""
    rows = store.query(
        "select s.scan_id, s.content_hash, s.store_path, s.n_slices, "
        "count(e.pooling) as n_poolings from scans s left join staging.stg_embeddings e on e.scan_id = s.scan_id "
        "and e.recipe_id = s.recipe_id and e.content_hash = s.content_hash and e.encoder_id = ? "
        "where s.status = 'stored' and s.recipe_id = ? group by all order by s.scan_id",
        [encoder_id, recipe_id],
    ).to_pylist()
    todo = [row for row in rows if row["n_poolings"] < len(encoders.POOLINGS)]
    return todo, len(rows) - len(todo)


@lru_cache(maxsize=1)
def _encoder(spec: encoders.EncoderSpec, device: str) -> encoders.Encoder:
    return encoders.load(spec, device=device)


@task(name="embed_batch", cache_policy=NO_CACHE, persist_result=False)
def embed_batch(
    home: Path,
    spec: encoders.EncoderSpec,
    encoder_id: str,
    recipe_id: str,
    scans: Sequence[Row],
    job: str,
    device: str,
    advance: Callable[[int], object] | None = None,
) -> int:
    """Embeds up to a batch of scans and commits their vectors at once; returns the number of slices encoded."""
    encoder = _encoder(spec, device)
    rows: list[Row] = []
    n_slices = 0
    for scan in scans:
        try:
            stored = slices.open_scan(home / scan["store_path"])
            vectors = encoders.embed_scan(encoder, stored)
        except StoreError as error:  # one lost store costs its own vectors only
            stderr.print(f"not embedded: {error}")
            continue
        key = {"encoder_id": encoder_id, "recipe_id": recipe_id, "scan_id": scan["scan_id"]}
        key |= {"content_hash": scan["content_hash"], "n_slices": stored.n_slices}
        n_slices += stored.n_slices
        rows += [{**key, "pooling": pooling, "embedding": vector} for pooling, vector in vectors.items()]
        if advance is not None:
            advance(1)
    warehouse.open(home).append("embeddings", rows, job)
    return n_slices


@flow(name="embed", persist_result=False)
def embed(
    encoder: list[str] | None = None,
    recipe: str = "isotropic",
    home: str | None = None,
    device: str | None = None,
) -> EmbedSummary:
    """Embeds all stored scans of a recipe.

    Args:
        encoder: `trained` (the latest training's), `random` (its network untrained), `timm:<model>:<file>` or ids;
            by default trained and random, since a feature is worth nothing without its floor.
        recipe: whose slices.
        home: the home folder; by default BRAINDINO_HOME or ./data.
        device: where to compute; by default a GPU if there is one.
    """
    started = time.perf_counter()
    home_path, job = resolve_home(home), job_id()
    store = warehouse.open(home_path, create=False)
    recipe_id = imaging.get_recipe(recipe).recipe_id
    require_stored(store, recipe_id)
    encoder_ids = resolve(store, encoder or ["trained", "random"], home_path, job)
    use_all_cores()
    where = device or ("cuda" if torch.cuda.is_available() else "cpu")
    computed = up_to_date = n_slices = 0
    for encoder_id in encoder_ids:
        todo, present = missing_scans(store, encoder_id, recipe_id)
        up_to_date += present
        computed += len(todo)
        if not todo:
            continue
        row = store.query("select * from encoders where encoder_id = ?", [encoder_id]).to_pylist()[0]
        with progress(f"embedding with {encoder_id}", len(todo)) as ticker:
            for start in range(0, len(todo), BATCH):
                batch = todo[start : start + BATCH]
                n_slices += embed_batch(
                    home_path, spec_of(row, home_path), encoder_id, recipe_id, batch, job, where,
                    ticker.advance,
                )  # fmt: skip
    snapshot = store.publish_snapshot("embed " + ", ".join(encoder_ids))
    seconds = time.perf_counter() - started
    return EmbedSummary(tuple(encoder_ids), recipe_id, snapshot, computed, up_to_date, n_slices, seconds)
