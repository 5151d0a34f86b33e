"""Compiling the chains of small operations around the networks, where `run.compile` asks for it."""

from collections.abc import Callable
from functools import cache
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
R = TypeVar("R")


def maybe_compiled(function: Callable[P, R], wanted: bool) -> Callable[P, R]:
    """The function, or what torch.compile makes of it: once in a process, when it is first called."""
    return _compiled(function) if wanted else function


@cache
def _compiled(function: Callable[P, R]) -> Callable[P, R]:
    return torch.compile(function)
