"""The adapters by name."""

from braindino.datasets.base import Adapter
from braindino.datasets.bids import BidsAdapter
from braindino.datasets.ixi import IxiAdapter
from braindino.datasets.manifest import ManifestAdapter
from braindino.datasets.values import nearest
from braindino.errors import ConfigError

ADAPTERS: dict[str, Adapter] = {
    "bids": BidsAdapter(),
    "ixi": IxiAdapter(),
    "manifest": ManifestAdapter(),
}


def get_adapter(name: str) -> Adapter:
    """The adapter called `name`.

    Raises:
        ConfigError: there is none; the sentence lists the known ones and the nearest.
    """
    try:
        return ADAPTERS[name]
    except KeyError:
        guess = nearest(name, ADAPTERS)
        hint = f" Did you mean {guess!r}?" if guess else ""
        known = ", ".join(sorted(ADAPTERS))
        message = f"There is no adapter called {name!r}.{hint} Known: {known}. Use bids or manifest for others."
        raise ConfigError(message) from None
