"""Fixtures shared by all rooms."""

import os
from pathlib import Path

import pytest

from flows.environment import silence_exit

silence_exit()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real, openly licensed scans; a test that needs it is skipped where it is not.

    `BRAINDINO_REAL_DATA` names it; without that, a folder `shared/data` beside the checkout is taken.
    """
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("BRAINDINO_REAL_DATA", default))
    if not folder.is_dir():
        pytest.skip("no real scans here: set BRAINDINO_REAL_DATA to their folder")
    return folder
