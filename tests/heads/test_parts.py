"""Scaling, the shared decomposition, and the paths at their edges."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from braindino.heads.knn import knn_path
from braindino.heads.logistic import logistic_path
from braindino.heads.ridge import ridge_path
from braindino.heads.scaling import principal_axes, standardise, unit_rows


def test_scaling_is_that_of_sklearn_fitted_on_the_training_rows() -> None:
    rng = np.random.default_rng(0)
    train, other = rng.normal(3, 2, size=(20, 4)), rng.normal(9, 5, size=(7, 4))
    oracle = StandardScaler().fit(train)
    scaled = standardise(train, other)
    np.testing.assert_allclose(scaled[0], oracle.transform(train))
    np.testing.assert_allclose(scaled[1], oracle.transform(other))


def test_a_column_constant_in_training_carries_nothing_into_the_test() -> None:
    train, other = np.full((5, 1), np.float32(0.1)).astype(float), np.array([[7.0], [0.1]])
    assert (standardise(train, other)[0] == 0).all()
    assert (standardise(train, other)[1] == 0).all()


@pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
def test_the_principal_axes_keep_all_products_with_the_training_rows(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    train, other = standardise(rng.normal(size=shape), rng.normal(size=(5, shape[1])))
    spectrum = principal_axes(train, other)
    np.testing.assert_allclose(spectrum.train @ spectrum.train.T, train @ train.T, atol=1e-9)
    np.testing.assert_allclose(spectrum.other @ spectrum.train.T, other @ train.T, atol=1e-9)
    np.testing.assert_allclose(spectrum.axes.T @ spectrum.axes, np.eye(len(spectrum.power)), atol=1e-9)
    singular = np.linalg.svd(train, compute_uv=False)
    np.testing.assert_allclose(spectrum.power, singular[: len(spectrum.power)] ** 2, rtol=1e-8)


def test_ridge_coefficients_are_those_of_sklearn() -> None:
    """A unit step along each standardised column shows its coefficient."""
    rng = np.random.default_rng(1)
    train, targets = rng.normal(2, 3, size=(25, 40)), rng.normal(size=(25, 1))
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    steps = np.vstack([mean, mean + np.diag(deviation)])
    predicted = ridge_path(train, targets, steps, [0.5, 50.0])[:, :, 0]
    for alpha, row in zip((0.5, 50.0), predicted, strict=True):
        oracle = Ridge(alpha=alpha, solver="svd").fit((train - mean) / deviation, targets[:, 0])
        np.testing.assert_allclose(row[1:] - row[0], oracle.coef_, atol=1e-9)
        assert row[0] == pytest.approx(oracle.intercept_)


def test_features_without_any_spread_predict_the_mean_or_even_chances() -> None:
    flat, other = np.ones((6, 3)), np.zeros((2, 3))
    assert ridge_path(flat, np.arange(6.0)[:, None], other, [1.0]).ravel() == pytest.approx([2.5, 2.5])
    uneven = np.eye(2)[[0, 0, 0, 0, 1, 1]]
    np.testing.assert_allclose(logistic_path(flat, uneven, other, [1.0])[0], 0.5, atol=1e-6)


def test_a_class_without_training_rows_gets_no_probability_and_a_lone_class_all_of_it() -> None:
    rng = np.random.default_rng(0)
    train, other = rng.normal(size=(8, 3)), rng.normal(size=(4, 3))
    three = logistic_path(train, np.eye(3)[[0, 2] * 4], other, [0.1, 1.0])
    two = logistic_path(train, np.eye(2)[[0, 1] * 4], other, [0.1, 1.0])
    assert (three[:, :, 1] == 0).all()
    np.testing.assert_array_equal(three[:, :, [0, 2]], two)
    lone = logistic_path(train, np.eye(2)[[1] * 8], other, [0.1])
    np.testing.assert_array_equal(lone[0], np.tile([0.0, 1.0], (4, 1)))


def test_the_order_of_the_grid_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    train, other, targets = rng.normal(size=(40, 5)), rng.normal(size=(4, 5)), np.eye(2)[[0, 1] * 20]
    strengths = [10.0, 0.01, 1.0]
    np.testing.assert_array_equal(
        logistic_path(train, targets, other, strengths)[[1, 2, 0]],
        logistic_path(train, targets, other, sorted(strengths)),
    )


def test_knn_sees_directions_not_lengths_and_breaks_ties_by_row() -> None:
    train = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
    votes = np.eye(3)
    nearest = knn_path(train, votes, np.array([[100.0, 1.0], [0.0, 0.1]]), [1])[0]
    np.testing.assert_array_equal(nearest, [[1, 0, 0], [0, 1, 0]])
    assert (unit_rows(np.zeros((1, 2))) == 0).all()
