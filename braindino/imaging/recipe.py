"""How a volume becomes slices: every parameter that changes a stored voxel, and nothing else."""

import difflib
from dataclasses import dataclass, replace
from typing import Literal

from braindino.errors import ConfigError
from braindino.keys import short_hash

IMAGING_VERSION = 3
"""Version of this room's results; raised by hand when a recipe gives other voxels (golden tests guard it)."""


@dataclass(frozen=True)
class Recipe:
    """A preprocessing recipe; `recipe_id` changes with any parameter and with the version of this room.

    Canvases are voxels of `spacing_mm`, brain-centred: an axial slice is `canvas_ap` rows x `canvas_lr`
    columns, a coronal one `canvas_si` x `canvas_lr`, a sagittal one `canvas_si` x `canvas_ap`. Brains measure
    up to 190 x 157 x 149 mm, so the default holds them with a margin and a third fewer pixels than 256 x 256.
    """

    name: str
    spacing_mm: float = 1.0
    canvas_ap: int = 224
    canvas_lr: int = 192
    canvas_si: int = 192
    thick_mm: float = 2.5
    """A volume whose largest spacing is at least this, and twice its in-plane spacing, is a thick stack."""
    thick: Literal["keep", "resample"] = "keep"
    """A thick stack keeps its acquired slices (no slices are invented), or is resampled like any volume."""
    four_d: Literal["refuse", "first", "mean"] = "refuse"
    """What is taken of a 4-D series of volumes."""
    mask: Literal["auto", "provided", "nonzero", "atlas", "synthstrip", "hd-bet"] = "auto"
    """Where the brain mask comes from; "auto" takes the first of the next three that applies, the last two are
    programs that must be installed (see `external_masks`)."""
    interpolation: Literal["linear", "bspline"] = "linear"
    center: Literal["brain"] = "brain"
    n_slices: int | None = None
    """A fixed number of slices, spread evenly over the brain; None stores every slice that holds brain."""
    bias_field: bool = False
    """Whether the bias field is corrected (N4, Tustison et al. 2010) before the brain is cut out."""

    @property
    def recipe_id(self) -> str:
        """The recipe's name with a hash of its parameters and of `IMAGING_VERSION`."""
        return f"{self.name}-{short_hash([self, IMAGING_VERSION], 8)}"


_ISOTROPIC = Recipe("isotropic")

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _ISOTROPIC,
        replace(
            _ISOTROPIC,
            name="isotropic_2mm",
            spacing_mm=2.0,
            canvas_ap=112,
            canvas_lr=96,
            canvas_si=96,
            thick_mm=5.0,
        ),
        replace(_ISOTROPIC, name="isotropic_synthstrip", mask="synthstrip"),
        replace(_ISOTROPIC, name="isotropic_hd_bet", mask="hd-bet"),
        replace(_ISOTROPIC, name="isotropic_n4", bias_field=True),
        # arXiv 2604.27277: pretraining on 256^3, downstream 128 uniform slices of 256 x 256. Both resample
        # thick stacks.
        Recipe("paper_pretrain", canvas_ap=256, canvas_lr=256, canvas_si=256, thick="resample"),
        Recipe("paper_downstream", canvas_ap=256, canvas_lr=256, canvas_si=256, thick="resample", n_slices=128),
    )
}


def get_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        ConfigError: there is none; the text names the nearest and all known ones.
    """
    if name in RECIPES:
        return RECIPES[name]
    nearest = difflib.get_close_matches(name, RECIPES, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise ConfigError(f"There is no recipe {name!r}.{hint} Known recipes: {', '.join(RECIPES)}.")
