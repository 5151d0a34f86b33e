"""One volume: read, orient, find the brain, resample, measure; `preprocess` is the front door."""

from braindino.imaging.content import content_hash
from braindino.imaging.external_masks import require_mask_program
from braindino.imaging.parts import files_of
from braindino.imaging.preprocess import preprocess, preprocess_volume
from braindino.imaging.quality import QualityLimits
from braindino.imaging.read import check_header, read_volume
from braindino.imaging.recipe import IMAGING_VERSION, RECIPES, Recipe, get_recipe
from braindino.imaging.result import Facts, Preprocessed, SliceFacts
from braindino.imaging.volume import Volume, make_volume
from braindino.intensity import Intensity

__all__ = [
    "IMAGING_VERSION",
    "RECIPES",
    "Facts",
    "Intensity",
    "Preprocessed",
    "QualityLimits",
    "Recipe",
    "SliceFacts",
    "Volume",
    "check_header",
    "content_hash",
    "files_of",
    "get_recipe",
    "make_volume",
    "preprocess",
    "preprocess_volume",
    "read_volume",
    "require_mask_program",
]
