"""`prefect deployment run pretrain/pretrain`, for real: a server, a pool, a worker, the deployments of prefect.yaml."""

import inspect
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow

import warehouse
from braindino.datasets import ADAPTERS
from flows.ingest import ingest
from flows.survey import GENERIC

CHECKOUT = Path(__file__).resolve().parents[2]
PREFECT = Path(sys.executable).parent / "prefect"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A Prefect server of its own on loopback; yields the environment in which its clients run."""
    port = free_port()
    environment = {
        **os.environ,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "BRAINDINO_HOME": str(tmp_path / "home"),
        "PATH": f"{PREFECT.parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    log = (tmp_path / "server.log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{environment['PREFECT_API_URL']}/health", timeout=1)
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.25)
        else:
            pytest.fail(f"the server did not start: {(tmp_path / 'server.log').read_text()[-2000:]}")
        yield environment
    finally:
        stop(process)
        log.close()


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks a process to end, and ends it: a Prefect worker now and then sits out the request."""
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def prefect(*arguments: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [PREFECT, "--no-prompt", *arguments],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def deployments() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((CHECKOUT / "prefect.yaml").read_text())["deployments"]
    return found


def test_every_deployment_names_a_flow_that_exists_with_its_parameters() -> None:
    for deployment in deployments():
        file, function = deployment["entrypoint"].split(":")
        module = __import__(file.removesuffix(".py").replace("/", "."), fromlist=[function])
        flow = getattr(module, function)
        assert isinstance(flow, Flow), deployment
        assert set(deployment.get("parameters", {})) <= set(inspect.signature(flow.fn).parameters), deployment


def test_every_dataset_has_a_schedule_of_its_own_and_the_others_share_one() -> None:
    scheduled = [d for d in deployments() if d.get("schedules")]
    (nightly,) = (d for d in scheduled if d["name"] == "nightly")
    assert nightly["parameters"] == {"others_only": True}
    datasets = [d for d in scheduled if d is not nightly]
    assert {d["name"] for d in datasets} == set(ADAPTERS) - set(GENERIC)
    assert all(d["parameters"] == {"name": d["name"]} for d in datasets)


def test_no_two_schedules_begin_at_the_same_minute() -> None:
    crons = [schedule["cron"] for d in deployments() for schedule in d.get("schedules", [])]
    assert len(set(crons)) == len(crons) > 20


def test_what_is_deployed_runs_on_a_worker(server: dict[str, str], bids_root: Path) -> None:
    home = Path(server["BRAINDINO_HOME"])
    ingest("bids", str(bids_root), "tiny", "isotropic_2mm", str(home), 1)
    prefect("work-pool", "create", "braindino", "--type", "process", environment=server)
    prefect("deploy", "--all", environment=server)
    worker = subprocess.Popen(
        [PREFECT, "worker", "start", "--pool", "braindino", "--limit", "1"],
        env=server, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        overrides = '["run.images=32", "data.batch_size=8"]'
        parameters = ["--param", f"overrides={overrides}", "--param", "recipe=isotropic_2mm"]
        prefect("deployment", "run", "pretrain/pretrain", *parameters, "--watch", environment=server)
        # A home without this dataset: its schedule comes to nothing, and that is no failure.
        prefect("deployment", "run", "ingest_known/ixi", "--watch", environment=server)
    finally:
        stop(worker)
    (row,) = warehouse.open(home).query("select status, images_seen, encoder_id, job_id from trainings").to_pylist()
    assert (row["status"], row["images_seen"]) == ("finished", 32)
    assert row["encoder_id"]
    assert row["job_id"] != "local"
