"""One small dataset per layout of the demo, written once for all tests of this folder."""

import pytest

from braindino.phantom import write_cohort

N, SEED, SPACING = 8, 5, 4.0


@pytest.fixture(scope="session", params=("bids", "ixi", "manifest"))
def written(request, tmp_path_factory):
    """(layout, folder) of each layout."""
    folder = tmp_path_factory.mktemp("phantom") / request.param
    write_cohort(request.param, folder, N, SEED, SPACING)
    return request.param, folder
