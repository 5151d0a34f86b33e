"""What a series description tells: the archives of LONI name images by what the scanner's operator had typed."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from braindino.errors import ConfigError

ContrastRules = tuple[tuple[str, str], ...]

# Tried in this order on a description in plain words; the first that is found in it decides, "" leaves the image out.
# Left out are localizers, diffusion, functional and vessel images, PET, phantoms, images with two echoes in one stack,
# slabs of the hippocampus, and what was derived: maps, reformats, masked and spatially normalized copies.
CONTRAST_RULES: ContrastRules = (
    (r"\b(loc|3 ?plane|3pl|survey|calibration|phantom|pet|fdg|av45|pib|tau)\b|locali[sz]er|scout", ""),
    (r"\b(dti|dwi|adc|trace|b0|b ?1000|tensor|diffusion|hardi|noddi)\b|colfa|^fa\b", ""),
    (r"\b(rest|resting|rs ?fmri|fmri|bold|epi|[cp]*asl|perfusion|cbf|field ?map(ping)?|map)\b", ""),
    (r"\b(mra|tof|angio|swi|swan|gre|star|pha|mip|mt on|mt off|nm ?mt|mtc)\b|t2 ?\*|neuromelanin", ""),
    (r"hippo|segment|tissue|\b(mask|masked|normali[sz]ed|warped|harp)\b", ""),
    (r"reformat|\bmpr (ax|cor|range|tra)|^(transverse|coronal|sagittal|axial|reference)$", ""),
    (r"\bpd\b.*\bt2\b|\bt2\b.*\bpd\b|\bdual\b|\bdouble echo\b", ""),
    (r"(?<!t1 )\bflair|dark ?fluid", "FLAIR"),
    (r"mp ?rage|\bmpr\b|\bm?t1|\bir f?spgr\b|\bf?spgr\b|\bbravo\b|turbo ?flash", "T1w"),
    (r"\bt2", "T2w"),
    (r"\bpd|proton", "PD"),
)  # fmt: skip
REPEAT = r"\brepeat\b|\bmpr r\b|\brpt\b"


@lru_cache(maxsize=65536)
def in_words(description: str) -> str:
    """`MPR; GradWarp; N3` of a table and `MPR__GradWarp__N3` of a folder are the same words: `mpr gradwarp n3`."""
    return " ".join(re.findall(r"[a-z0-9*]+", description.lower()))


def require_patterns(rules: ContrastRules, preference: Sequence[str]) -> None:
    """Checks the patterns that an adapter was given.

    Raises:
        ConfigError: one of them is no regular expression.
    """
    stated = [("contrast_rules", pattern) for pattern, _ in rules] + [("preference", each) for each in preference]
    for option, pattern in stated:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            text = f"The option {option} holds {pattern!r}, which is no regular expression ({error}); mend it."
            raise ConfigError(text) from error


def contrast_reader(rules: ContrastRules) -> Callable[[str], str | None]:
    """A function that tells the contrast of a description; None for those left out and those that no rule knows."""
    compiled = [(re.compile(pattern), contrast) for pattern, contrast in rules]

    @lru_cache(maxsize=65536)
    def contrast_of(description: str) -> str | None:
        words = in_words(description)
        return next((contrast or None for pattern, contrast in compiled if pattern.search(words)), None)

    return contrast_of


def rank(description: str, preference: Sequence[str]) -> tuple[bool, int]:
    """How far behind others an image of this description stands: repeats last, else as the patterns are ordered."""
    words = in_words(description)
    position = next((place for place, pattern in enumerate(preference) if re.search(pattern, words)), len(preference))
    return re.search(REPEAT, words) is not None, position
