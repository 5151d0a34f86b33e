"""Facts that a source may state more than once: what it contradicts itself about is not known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from braindino.datasets.values import a_few

K = TypeVar("K")
V = TypeVar("V")


@dataclass
class Agreed(Generic[K, V]):
    """Collects facts by key; repeats are welcome, and a key with two different facts has none."""

    _stated: dict[K, set[V]] = field(default_factory=dict)

    def add(self, key: K, fact: V) -> None:
        """One statement of a fact."""
        self._stated.setdefault(key, set()).add(fact)

    def facts(self) -> dict[K, V]:
        """The facts without contradiction, in the order in which their keys came."""
        return {key: next(iter(facts)) for key, facts in self._stated.items() if len(facts) == 1}

    def disputed(self) -> list[K]:
        """The keys of which different facts are stated."""
        return [key for key, facts in self._stated.items() if len(facts) > 1]

    def notes(self, what: str, spelled: Callable[[K], str] = str) -> list[str]:
        """A sentence on the disputed keys, if there are any: "<what> is stated with different values ...".

        The values themselves are never named: they may be dates of birth.
        """
        of = [spelled(key) for key in self.disputed()]
        return [f"{what} is stated with different values and was left out for {a_few(of)}."] if of else []
