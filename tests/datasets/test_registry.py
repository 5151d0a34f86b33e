import pytest

from braindino.datasets import ADAPTERS, get_adapter
from braindino.errors import ConfigError


def test_every_adapter_says_what_it_reads_and_under_which_licence():
    for name, adapter in ADAPTERS.items():
        assert adapter.info.name == name
        assert adapter.info.licence


def test_an_unknown_adapter_names_the_nearest():
    with pytest.raises(ConfigError, match="Did you mean 'manifest'"):
        get_adapter("manifst")
