import re
from dataclasses import dataclass
from typing import Literal

import pytest

from braindino.datasets import get_adapter
from braindino.datasets.options import as_type, with_options
from braindino.errors import ConfigError


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


@dataclass(frozen=True)
class Reader:
    image: Literal["raw", "mean"] = "raw"
    subject: re.Pattern[str] = re.compile(r"\d+")


def test_what_an_option_must_be_is_said_in_words():
    with pytest.raises(ConfigError, match="image is 'other', and must be one of 'raw', 'mean'"):
        with_options(Reader(), "mine", {"image": "other"})
    with pytest.raises(ConfigError, match=r"subject is '\(', and must be a regular expression"):
        with_options(Reader(), "mine", {"subject": "("})


@pytest.mark.parametrize("adapter", ["adni", "ppmi", "icbm"])
def test_a_pattern_that_is_none_is_named_with_its_option(adapter):
    with pytest.raises(ConfigError, match=r"preference holds 'mp\(', which is no regular expression"):
        get_adapter(adapter, {"preference": ["mp("]})
    with pytest.raises(ConfigError, match=r"contrast_rules holds '\[', which is no regular expression"):
        get_adapter(adapter, {"contrast_rules": [["[", "T1w"]]})
