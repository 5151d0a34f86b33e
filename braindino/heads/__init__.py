"""Light heads on frozen features: fitted, selected and scaled inside the training subjects only."""

from braindino.heads.fitting import fit, fit_many
from braindino.heads.problem import GRIDS, Fit, Head, Problem

HEADS_VERSION = 1
"""Raised by hand when a fit's numbers change for the same problem; golden tests guard it."""

__all__ = ["GRIDS", "HEADS_VERSION", "Fit", "Head", "Problem", "fit", "fit_many"]
