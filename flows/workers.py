"""The processes that read scans: Dask workers of this machine, or those of a cluster that is there already."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def on_workers(flow: Flow[P, T], workers: int) -> Iterator[Flow[P, T]]:
    """The flow, its tasks on as many processes as asked for, or on the Dask cluster that BRAINDINO_DASK names.

    One worker is this process, unless a cluster is named.
    """
    address = os.environ.get("BRAINDINO_DASK")
    if workers == 1 and not address:
        yield flow
        return
    import dask.config
    from prefect_dask import DaskTaskRunner

    if address:
        yield flow.with_options(task_runner=DaskTaskRunner(address=address))
        return
    quiet = logging.ERROR  # Dask's own log of workers coming and going is of no use to whoever ingests
    logging.getLogger("distributed").setLevel(quiet)
    cluster: dict[str, Any] = {
        "n_workers": workers,
        "threads_per_worker": 1,
        "dashboard_address": None,
        "silence_logs": quiet,
    }
    # Dask has its workers give memory back to the system after every array, which makes imaging take 1.4 times as long.
    environment = {"OMP_NUM_THREADS": 1, "MKL_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1}
    as_usual = dask.config.set({"distributed.nanny.pre-spawn-environ": environment})
    # Where no Prefect server was started by hand, every process that asks for one would start its own, and wait for it.
    with get_client(sync_client=True) as client:
        server = str(client.api_url)
    with as_usual, temporary_settings({PREFECT_API_URL: server}):
        yield flow.with_options(task_runner=DaskTaskRunner(cluster_kwargs=cluster))
