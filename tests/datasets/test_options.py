import re
from typing import Literal

import pytest

from braindino.datasets.options import as_type


@pytest.mark.parametrize(
    ("value", "kind", "meant"),
    [
        (2, float, 2.0),
        (["a", "b"], tuple[str, ...], ("a", "b")),
        ([["t1", "T1w"]], tuple[tuple[str, str], ...], (("t1", "T1w"),)),
        (["T1c"], frozenset[str], frozenset({"T1c"})),
        (None, int | None, None),
        ("raw", Literal["raw", "mean"], "raw"),
        (r"\d+", re.Pattern[str], re.compile(r"\d+")),
    ],
)
def test_values_of_a_file_become_those_of_the_field(value, kind, meant):
    assert as_type(value, kind) == meant


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, int),
        (1, bool),
        (True, float),
        ("a", tuple[str, ...]),
        (["a"], tuple[str, str]),
        ([1], frozenset[str]),
        ("other", Literal["raw", "mean"]),
        ("(", re.Pattern[str]),
        (None, str),
    ],
)
def test_others_are_refused(value, kind):
    with pytest.raises(ValueError):  # noqa: PT011 - the value is all there is to say
        as_type(value, kind)
