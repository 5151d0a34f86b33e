"""The adapters by name."""

from collections.abc import Mapping

from braindino.datasets.abide1 import Abide1Adapter
from braindino.datasets.adhd200 import Adhd200Adapter
from braindino.datasets.adni import AdniAdapter
from braindino.datasets.aomic_id1000 import AomicId1000Adapter
from braindino.datasets.atlas import AtlasAdapter
from braindino.datasets.base import Adapter
from braindino.datasets.bids import BidsAdapter
from braindino.datasets.brats2021 import Brats2021Adapter
from braindino.datasets.brats2023_men import Brats2023MenAdapter
from braindino.datasets.brats2023_met import Brats2023MetAdapter
from braindino.datasets.brats2024_goat import Brats2024GoatAdapter
from braindino.datasets.dlbs import DlbsAdapter
from braindino.datasets.hcp_ya import HcpYaAdapter
from braindino.datasets.icbm import IcbmAdapter
from braindino.datasets.ixi import IxiAdapter
from braindino.datasets.long579 import Long579Adapter
from braindino.datasets.manifest import ManifestAdapter
from braindino.datasets.nki_rockland import NkiRocklandAdapter
from braindino.datasets.oasis1 import Oasis1Adapter
from braindino.datasets.options import with_options
from braindino.datasets.pixar import PixarAdapter
from braindino.datasets.ppmi import PpmiAdapter
from braindino.datasets.ucsf_pdgm import UcsfPdgmAdapter
from braindino.datasets.upenn_gbm import UpennGbmAdapter
from braindino.datasets.values import nearest
from braindino.errors import ConfigError

ADAPTERS: dict[str, Adapter] = {
    "abide1": Abide1Adapter(),
    "adhd200": Adhd200Adapter(),
    "adni": AdniAdapter(),
    "aomic_id1000": AomicId1000Adapter(),
    "atlas": AtlasAdapter(),
    "bids": BidsAdapter(),
    "brats2021": Brats2021Adapter(),
    "brats2023_men": Brats2023MenAdapter(),
    "brats2023_met": Brats2023MetAdapter(),
    "brats2024_goat": Brats2024GoatAdapter(),
    "dlbs": DlbsAdapter(),
    "hcp_ya": HcpYaAdapter(),
    "icbm": IcbmAdapter(),
    "ixi": IxiAdapter(),
    "long579": Long579Adapter(),
    "manifest": ManifestAdapter(),
    "nki_rockland": NkiRocklandAdapter(),
    "oasis1": Oasis1Adapter(),
    "pixar": PixarAdapter(),
    "ppmi": PpmiAdapter(),
    "ucsf_pdgm": UcsfPdgmAdapter(),
    "upenn_gbm": UpennGbmAdapter(),
}


def get_adapter(name: str, options: Mapping[str, object] | None = None) -> Adapter:
    """The adapter called `name`, with `options` in place of its fields of the same names.

    Raises:
        ConfigError: there is no such adapter, or it has no such option, or not one of that type; the sentence lists the
            known ones and the nearest.
    """
    try:
        adapter = ADAPTERS[name]
    except KeyError:
        guess = nearest(name, ADAPTERS)
        hint = f" Did you mean {guess!r}?" if guess else ""
        known = ", ".join(sorted(ADAPTERS))
        message = f"There is no adapter called {name!r}.{hint} Known: {known}. Use bids or manifest for others."
        raise ConfigError(message) from None
    return with_options(adapter, name, options or {})
