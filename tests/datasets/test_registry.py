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


def test_options_replace_the_fields_of_an_adapter():
    changed = get_adapter("adni", {"one_per_session": False, "preference": ["mprage", ""]})
    assert (changed.one_per_session, changed.preference) == (False, ("mprage", ""))
    assert get_adapter("adni").one_per_session, "the registered adapter stays as it is"
    assert get_adapter("oasis1", {"image": "raw"}).image == "raw"


def test_unknown_and_wrong_options_are_named_at_once_beside_the_known_ones():
    with pytest.raises(ConfigError) as caught:
        get_adapter("ppmi", {"one_per_sesion": True, "dicom_headers": "yes"})
    text = str(caught.value)
    assert "Did you mean 'one_per_session'?" in text
    assert "dicom_headers is 'yes', and must be bool" in text
    assert "one_per_session = True" in text


def test_a_choice_is_one_of_its_words():
    with pytest.raises(ConfigError, match="t88_masked"):
        get_adapter("oasis1", {"image": "atlas"})


def test_an_adapter_without_options_says_so():
    with pytest.raises(ConfigError, match="has no options"):
        get_adapter("bids", {"depth": 2})
