"""Logistic regression for all penalties, from the strongest to the weakest, each starting at the last."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize

from braindino.errors import FitError
from braindino.heads.scaling import Array, principal_axes, standardise

_TOLERANCE = 1e-8  # of the gradient in whitened coordinates, where a unit step is about one Newton step
_MAX_STEPS = 5000


def logistic_path(train: Array, targets: Array, other: Array, strengths: Sequence[float]) -> Array:
    """Class probabilities [strengths, m, classes] for `other` [m, d].

    `train` is [n, d], `targets` one-hot [n, classes]. Columns are standardised by the training rows.
    Minimises sum_i w_i loss_i + ||W||^2 / (2 C), intercept free, as scikit-learn's LogisticRegression with
    class_weight="balanced": each class present weighs the same in all, since results are judged by balanced
    accuracy and macro AUC; the probabilities are those of equally frequent classes. Two classes share one
    weight vector. A class without a training row gets probability zero, a lone class probability one.

    Raises:
        FitError: when the optimiser does not converge.
    """
    present = np.flatnonzero(targets.sum(axis=0) > 0)
    scores = np.zeros((len(strengths), len(other), targets.shape[1]))
    if len(present) == 1:
        scores[:, :, present] = 1.0
        return scores
    spectrum = principal_axes(*standardise(train, other))
    labels = targets[:, present]
    weights = labels @ (len(labels) / (len(present) * labels.sum(axis=0)))
    coefficients = np.zeros((spectrum.train.shape[1] + 1, 1 if len(present) == 2 else len(present)))
    inputs = np.column_stack([spectrum.other, np.ones(len(other))])
    for position in np.argsort(strengths):
        penalty = 1.0 / strengths[position]
        coefficients = _solve(spectrum.train, spectrum.power, labels, weights, penalty, coefficients)
        scores[position][:, present] = np.exp(_log_probabilities(inputs @ coefficients))
    return scores


def _log_probabilities(logits: Array) -> Array:
    """Log class probabilities [m, classes]; one column of logits is that of the second of two classes."""
    if logits.shape[1] == 1:
        logits = np.column_stack([np.zeros(len(logits)), logits])
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs


def _solve(coordinates: Array, power: Array, labels: Array, weights: Array, penalty: float, start: Array) -> Array:
    """Coefficients [r + 1, columns], intercept last, at one penalty.

    In the principal axes the Hessian at equal probabilities is near diagonal; dividing by its root makes all
    directions alike, and L-BFGS needs tens of steps instead of hundreds.
    """
    classes = labels.shape[1]
    curvature = 0.25 if classes == 2 else 1.0 / classes
    diagonal = np.append(curvature * power + penalty, curvature * len(labels))
    whiten = 1.0 / np.sqrt(diagonal)[:, None]
    inputs = np.column_stack([coordinates, np.ones(len(labels))]) * whiten.T
    ridge = penalty * whiten**2
    ridge[-1] = 0.0  # the intercept is not penalised
    objective = _objective(inputs, labels, weights, ridge, start.shape)
    found = minimize(
        objective, (start / whiten).ravel(), jac=True, method="L-BFGS-B",
        options={"gtol": _TOLERANCE, "ftol": 0, "maxiter": _MAX_STEPS, "maxfun": 2 * _MAX_STEPS},
    )  # fmt: skip
    # At the limit of precision the line search may end early; the gradient says whether that mattered.
    if not np.abs(found.jac).max() < 1e3 * _TOLERANCE:
        raise FitError(
            f"The logistic regression at C={1 / penalty:g} did not converge in {_MAX_STEPS} steps: "
            "take smaller values of C into the grid."
        )
    return np.asarray(found.x.reshape(start.shape) * whiten, dtype=np.float64)


def _objective(
    inputs: Array, labels: Array, weights: Array, ridge: Array, shape: tuple[int, ...]
) -> Callable[[Array], tuple[float, Array]]:
    """The penalised loss and its gradient as a function of flat whitened coefficients."""
    free = slice(1, None) if shape[1] == 1 else slice(None)
    weighted = weights[:, None]

    def value_and_gradient(flat: Array) -> tuple[float, Array]:
        coefficients = flat.reshape(shape)
        logs = _log_probabilities(inputs @ coefficients)
        pull = ridge * coefficients
        loss = -np.sum(weighted * labels * logs) + 0.5 * np.sum(pull * coefficients)
        residual = weighted * (np.exp(logs) - labels)[:, free]
        return float(loss), (inputs.T @ residual + pull).ravel()

    return value_and_gradient
