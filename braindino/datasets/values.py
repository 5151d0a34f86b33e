"""Reading single cells of source tables: missing codes, numbers, ages, sexes. One meaning in all adapters."""

import difflib
import math
import re
from collections.abc import Iterable, Sequence

# Codes for "not known" that public tables use; see ABIDE (-9999, a stray backtick), ADHD-200 (-999, pending,
# withheld), UPENN-GBM (Not Available), DLBS (NA, xx). Zero is never among them: where a source writes 0 for
# missing (IXI), its own adapter says so.
MISSING = frozenset(
    {
        "",
        "n/a",
        "na",
        "nan",
        "none",
        "null",
        "nil",
        "`",
        "-",
        "--",
        "?",
        "xx",
        "unknown",
        "pending",
        "withheld",
    }
    | {"not available", "not applicable", "missing", "-999", "-999.0", "-9999", "-9999.0"}
)

OLDEST = 90.0  # ages over 89 identify people; they are all stored as 90 (HIPAA safe harbour, 45 CFR 164.514(b)(2))
_AGE_OVER_89 = re.compile(r"^\s*(?:>\s*)?(?:89|9\d)\s*\+\s*$|^\s*>\s*89\s*$|^\s*>=\s*90\s*$")
_SEXES = {"m": "male", "male": "male", "man": "male", "boy": "male"} | {
    "f": "female", "female": "female", "woman": "female", "girl": "female",
}  # fmt: skip

_HANDS = {"r": "right", "right": "right", "l": "left", "left": "left"} | dict.fromkeys(
    ("a", "ambi", "ambidextrous", "mixed", "both"), "ambidextrous"
)

# Columns that may identify a person never become labels.
_PRIVATE = re.compile(r"birth|\bdob\b|\b(?:first|last|sur|full|patient)[ _]?name\b|\binitials\b|address|e-?mail|phone")


def is_missing(text: str | None) -> bool:
    """Whether a cell says nothing."""
    return text is None or text.strip().lower() in MISSING


def parse_number(text: str) -> float | None:
    """The cell as a finite number; None if it is not one. Decimal commas are ambiguous, and refused."""
    try:
        number = float(text.strip())
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def cap_age(years: float) -> float:
    """Ages over 89 years become 90; others are returned unchanged."""
    return OLDEST if years > 89 else years


def parse_age(text: str) -> float | None:
    """An age in years, capped at 90; None if the cell is not an age between 0 and 130 years."""
    if _AGE_OVER_89.match(text):
        return OLDEST
    years = parse_number(text)
    return cap_age(years) if years is not None and 0 <= years <= 130 else None


def parse_sex(text: str) -> str | None:
    """`male` or `female`; None for anything else. Numbers differ in meaning between tables."""
    return _SEXES.get(text.strip().lower())


def parse_handedness(text: str) -> str | None:
    """`right`, `left` or `ambidextrous`; None for anything else: scores and codes differ in meaning between tables."""
    return _HANDS.get(text.strip().lower())


def is_private(column: str) -> bool:
    """Whether a column may identify a person (birth dates, names, addresses): it never becomes a label."""
    return _PRIVATE.search(column.lower()) is not None


def is_age_column(column: str) -> bool:
    """Whether a column holds an age by its name: `age_op`, `AgeMRI_W1`, `AGE_AT_SCAN`, but not `AgeGroup`."""
    words = re.split(r"[^a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column).lower())
    return "age" in words


def all_numbers(cells: Iterable[str]) -> bool:
    """Whether every non-missing cell of a column is a number (a column without any is not numeric)."""
    present = [cell for cell in cells if not is_missing(cell)]
    return bool(present) and all(parse_number(cell) is not None for cell in present)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, if one is like it at all."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    matches = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[matches[0]] if matches else None


def a_few(items: Sequence[str], limit: int = 5) -> str:
    """`a, b, c and 7 more`, for sentences about many things."""
    shown = ", ".join(items[:limit])
    return shown if len(items) <= limit else f"{shown} and {len(items) - limit} more"
