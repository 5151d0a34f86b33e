"""scikit-learn is the oracle: the same model on the same rows gives the same predictions."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from braindino.evaluation import inner_folds
from braindino.heads import GRIDS, fit
from tests.heads.helpers import class_problem, number_problem

WIDTHS = pytest.mark.parametrize("d", [12, 150])  # fewer and more columns than training rows


@WIDTHS
@pytest.mark.parametrize("alpha", [0.1, 10.0, 1e5])
def test_ridge_predicts_as_sklearn(d: int, alpha: float) -> None:
    problem = number_problem(d=d, grid=(alpha,))
    oracle = make_pipeline(StandardScaler(), Ridge(alpha=alpha, solver="svd"))
    oracle.fit(problem.features[problem.train].astype(float), problem.targets[problem.train])
    expected = oracle.predict(problem.features[problem.test].astype(float))
    np.testing.assert_allclose(fit(problem).predicted, expected, rtol=1e-8)


@WIDTHS
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("strength", [1e-3, 0.1, 100.0])
def test_logistic_gives_the_probabilities_of_sklearn(d: int, classes: int, strength: float) -> None:
    problem = class_problem(d=d, classes=classes, signal=1.0, grid=(strength,))
    # Unequal classes, so that the class weights matter.
    rare = np.flatnonzero(problem.train & (problem.targets == np.array("c0")))[::2]
    problem.train[rare] = False
    oracle = make_pipeline(
        StandardScaler(),
        LogisticRegression(C=strength, class_weight="balanced", solver="newton-cholesky", tol=1e-12),
    )
    oracle.fit(problem.features[problem.train].astype(float), problem.targets[problem.train])
    result = fit(problem)
    assert result.classes == tuple(oracle.classes_)
    assert result.scores is not None
    expected = oracle.predict_proba(problem.features[problem.test].astype(float))
    np.testing.assert_allclose(result.scores, expected, atol=1e-5)
    assert (result.predicted == oracle.predict(problem.features[problem.test].astype(float))).all()


@pytest.mark.parametrize("k", [1, 3, 5, 10, 20])
def test_knn_votes_as_sklearn(k: int) -> None:
    problem = class_problem("knn", classes=3, grid=(k,))
    oracle = KNeighborsClassifier(k, metric="cosine", algorithm="brute")
    oracle.fit(problem.features[problem.train], problem.targets[problem.train])
    result = fit(problem)
    assert result.scores is not None
    expected = oracle.predict_proba(problem.features[problem.test])
    np.testing.assert_allclose(result.scores, expected, atol=1e-12)
    top = np.sort(expected, axis=1)
    clear = top[:, -1] > top[:, -2]
    assert (result.predicted == oracle.predict(problem.features[problem.test]))[clear].all()
    assert clear.sum() > 10


def test_knn_averages_numbers_as_sklearn() -> None:
    problem = number_problem("knn", grid=(5,))
    oracle = KNeighborsRegressor(5, metric="cosine", algorithm="brute")
    oracle.fit(problem.features[problem.train], problem.targets[problem.train])
    np.testing.assert_allclose(fit(problem).predicted, oracle.predict(problem.features[problem.test]))


def test_ridge_selects_the_alpha_of_a_grid_search_over_the_same_folds() -> None:
    problem = number_problem(d=60, noise=20)
    features = problem.features[problem.train].astype(float)
    targets = problem.targets[problem.train]
    folds = inner_folds(targets.tolist(), problem.groups[problem.train].tolist(), "regression", 0)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Ridge(solver="svd")), {"ridge__alpha": sorted(GRIDS["ridge"])},
        cv=PredefinedSplit(folds), scoring="neg_mean_squared_error",
    ).fit(features, targets)  # fmt: skip
    result = fit(problem)
    assert result.hyperparameters == {"alpha": search.best_params_["ridge__alpha"]}
    # Folds of equal size, so the pooled error is the mean of the folds' errors.
    np.testing.assert_allclose(result.inner_losses, -search.cv_results_["mean_test_score"], rtol=1e-6)


def test_logistic_selects_by_the_out_of_fold_brier_score_of_sklearn_models() -> None:
    problem = class_problem(d=40, signal=0.7, n=120)
    features, targets = problem.features[problem.train].astype(float), problem.targets[problem.train]
    folds = inner_folds(targets.tolist(), problem.groups[problem.train].tolist(), "classification", 0)
    one_hot = (targets[:, None] == np.array(["c0", "c1"])).astype(float)
    weights = 1 / one_hot.sum(axis=0)[one_hot.argmax(axis=1)]
    losses = []
    for strength in GRIDS["logistic"]:
        errors = np.empty(len(targets))
        for fold in range(5):
            model = make_pipeline(
                StandardScaler(),
                LogisticRegression(C=strength, class_weight="balanced", solver="newton-cholesky", tol=1e-12),
            ).fit(features[folds != fold], targets[folds != fold])
            scores = model.predict_proba(features[folds == fold])
            errors[folds == fold] = ((scores - one_hot[folds == fold]) ** 2).sum(axis=1)
        losses.append(np.average(errors, weights=weights))
    result = fit(problem)
    np.testing.assert_allclose(result.inner_losses, losses, rtol=1e-5)
    assert result.hyperparameters == {"C": GRIDS["logistic"][int(np.argmin(losses))]}
