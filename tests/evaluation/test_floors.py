import numpy as np
import pytest

from braindino.errors import ConfigError
from braindino.evaluation import FLOORS, floor_matrix

TRAIN = np.array([True, True, True, False])


def test_missing_numbers_take_the_training_median_and_an_indicator() -> None:
    floor = floor_matrix("age_sex", {"age": [20.0, 40.0, None, 90.0], "sex": ["F", "M", None, "F"]}, TRAIN)
    assert floor.names == ("age", "age missing", "sex missing", "sex=F", "sex=M")
    assert floor.features.dtype == np.float32
    np.testing.assert_array_equal(
        floor.features, [[20, 0, 0, 1, 0], [40, 0, 0, 0, 1], [30, 1, 1, 0, 0], [90, 0, 0, 1, 0]]
    )


def test_test_rows_do_not_change_what_training_rows_are_filled_with() -> None:
    values = {"age": [20.0, 40.0, float("nan"), 90.0], "sex": ["F", "M", "F", "F"]}
    other = {**values, "age": [20.0, 40.0, float("nan"), 5000.0]}
    first, second = (floor_matrix("age_sex", columns, TRAIN).features[:3] for columns in (values, other))
    np.testing.assert_array_equal(first, second)


def test_the_target_is_left_out() -> None:
    columns = {"age": [20.0, 40.0, 50.0, 90.0], "sex": ["F", "M", "F", "F"]}
    assert floor_matrix("age_sex", columns, TRAIN, exclude=("age",)).names == ("sex=F", "sex=M")
    assert floor_matrix("age_sex", {"age": columns["age"]}, TRAIN, exclude=("sex",)).names == ("age",)
    with pytest.raises(ConfigError, match="no column left once age, sex is excluded"):
        floor_matrix("age_sex", {}, TRAIN, exclude=("age", "sex"))


def test_field_strengths_are_categories() -> None:
    columns = {name: [None] * 4 for name in FLOORS["site"].categories}
    floor = floor_matrix("site", {**columns, "field_strength": [1.5, 3.0, 3, None]}, TRAIN)
    assert [name for name in floor.names if "field" in name] == [
        "field_strength missing", "field_strength=1.5", "field_strength=3",
    ]  # fmt: skip
    assert "vendor missing" in floor.names


def test_nothing_known_at_all_is_a_constant_matrix_without_nan() -> None:
    columns = {name: [None] * 4 for name in (*FLOORS["geometry"].numbers, *FLOORS["geometry"].categories)}
    floor = floor_matrix("geometry", columns, TRAIN)
    assert np.isfinite(floor.features).all()
    assert np.ptp(floor.features, axis=0).max() == 0


def test_geometry_holds_header_facts_only() -> None:
    used = set(FLOORS["geometry"].numbers) | set(FLOORS["geometry"].categories)
    assert not used & {"brain_ml", "n_slices", "cropped_ml", "intensity_mean"}


def test_unknown_floors_and_absent_columns_are_named() -> None:
    with pytest.raises(ConfigError, match="no floor 'scanner'; the known ones are age_sex, site, geometry"):
        floor_matrix("scanner", {}, TRAIN)
    with pytest.raises(ConfigError, match="needs the columns sex, which are not given"):
        floor_matrix("age_sex", {"age": [1.0] * 4}, TRAIN)
