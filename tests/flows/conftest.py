"""A Prefect of its own per test process, and small homes made of synthetic scans."""

import os
import tempfile
from pathlib import Path

import pytest

# Prefect reads its settings when it is first imported: they must stand before any flow is.
os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="braindino-prefect-")
os.environ.update(
    DO_NOT_TRACK="1",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    PREFECT_LOGGING_LEVEL="CRITICAL",
    PREFECT_LOGGING_SERVER_LEVEL="CRITICAL",
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="120",
)
os.environ.pop("PREFECT_API_URL", None)
os.environ.pop("BRAINDINO_HOME", None)

from braindino import phantom

# Tests of a group run in one process: Prefect's own server, and the long fixtures of two files, then start once.
OTHERS = pytest.mark.xdist_group("flows")
GROUPS = {name: pytest.mark.xdist_group(name) for name in ("test_line", "test_twenty")}


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/flows/" in str(item.path):
            item.add_marker(GROUPS.get(item.path.stem, OTHERS))


@pytest.fixture(scope="session")
def bids_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic BIDS dataset, written once; tests that change it take a copy."""
    root = tmp_path_factory.mktemp("raw") / "tiny_bids"
    phantom.write_cohort("bids", root, 6, seed=1, spacing_mm=4.0)
    return root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"
