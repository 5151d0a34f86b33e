"""A stored cohort that is made once for this room."""

from collections.abc import Sequence

import pytest

from braindino.slices import ScanRef
from tests.pretraining.helpers import write_cohort


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Sequence[ScanRef]:
    """Six subjects, one scan each."""
    return write_cohort(tmp_path_factory.mktemp("slices"), subjects=6)
