"""Neighbours vote, and a person's own scans do not."""

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier

from braindino.pretraining.probe import NEIGHBOURS, balanced_accuracy_of_neighbours


def test_it_is_the_balanced_accuracy_of_scikit_learns_neighbours() -> None:
    """With one scan a person: leave one out, centred features, votes weighed by exp(cosine / 0.1)."""
    rng = np.random.default_rng(0)
    labels = np.array(["a"] * 20 + ["b"] * 10 + ["c"] * 15)
    features = rng.normal(size=(45, 6)) + np.repeat(rng.normal(size=(3, 6)), (20, 10, 15), axis=0)
    centred = features - features.mean(0)
    guessed = [
        KNeighborsClassifier(NEIGHBOURS, metric="cosine", weights=lambda d: np.exp((1 - d) / 0.1))
        .fit(np.delete(centred, row, 0), np.delete(labels, row))
        .predict(centred[row : row + 1])[0]
        for row in range(45)
    ]
    people = np.array([f"p{row}" for row in range(45)])
    found = balanced_accuracy_of_neighbours(torch.from_numpy(features), labels, people)
    assert found == pytest.approx(balanced_accuracy_score(labels, guessed))


def test_knowing_the_person_is_of_no_help() -> None:
    """Features that tell people apart and nothing else: two scans of each, classes without any relation to them."""
    rng = np.random.default_rng(1)
    person = rng.normal(size=(40, 8))
    features = torch.from_numpy(np.repeat(person, 2, axis=0) + 0.01 * rng.normal(size=(80, 8)))
    labels, people = np.repeat(rng.permutation(["a", "b"] * 20), 2), np.repeat(np.arange(40), 2).astype(str)
    accuracy = balanced_accuracy_of_neighbours(features, labels, people)
    assert accuracy is not None
    assert 0.25 < accuracy < 0.75


def test_small_classes_and_missing_labels_are_left_out() -> None:
    features, people = torch.randn(8, 3), np.arange(8).astype(str)
    labels = np.array(["a", "a", "a", "b", "b", "", "", ""])
    assert balanced_accuracy_of_neighbours(features, labels, people) is None
