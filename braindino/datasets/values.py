"""Reading single cells of source tables: missing codes, numbers, ages, sexes. One meaning in all adapters."""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

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

# Columns that may identify a person never become labels. Words stand between underscores; `name` alone is a person's,
# and so is that of a person, but not that of a run, a site, a scanner or a medication.
_OF_PERSON = (
    "first|last|middle|given|family|maiden|sur|fore|full|nick|participant|subject|patient|person|child|mother|father"
)
_PRIVATE = re.compile(
    rf"birth|geburt|address|e_?mail|_(?:dob|mrn|ssn|initials|mobile|tel|(?:tele)?phone(?:_?n(?:o|umber))?)s?_"
    rf"|_(?:zip|postal|post_?code|zip_?code|social_security|medical_record)_"
    rf"|_(?:{_OF_PERSON})s?_?names?_|_name_(?:of_)?(?:the_)?(?:{_OF_PERSON})_|^_names?_$|_(?:vor|nach)name_"
)

_ANY_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_TELLING = re.compile(r"[^\W\d_]{3}|\d{6}|\d[-/.]\d+[-/.]\d")  # what may be a name, a number of a person, or a date
_WORD = re.compile(r"[^\W\d_]{3,}")
# Words in which tables say that something is not known or not decided: nobody's name.
_NO_NAMES = frozenset(
    {"ambiguous", "anaplastic", "applicable", "assessed", "codeletion", "deletion", "equivocal", "hemangiopericytoma"}
    | {"iii", "inconclusive", "indeterminate", "insufficient", "intermediate", "invalid", "nec", "negative", "none"}
    | {"nos", "not", "other", "performed", "positive", "refused", "relative", "tested", "unclear", "undetermined"}
)

# What a number can be: of labels, and of facts of a scan. A score outside its scale is a code or a slip of the pen.
_PLAUSIBLE: Mapping[str, Callable[[float], bool]] = {
    "mmse": lambda score: 0 <= score <= 30,
    "cdr": lambda score: score in (0, 0.5, 1, 2, 3),
    "education_years": lambda years: 0 <= years <= 40,
    "who_grade": lambda grade: grade in (1, 2, 3, 4),
    "survival_days": lambda days: 0 <= days < 40_000,
    "days_since_stroke": lambda days: 0 < days < 40_000,
    "field_strength": lambda tesla: 0 < tesla < 25,
    "slice_thickness": lambda mm: 0 < mm <= 50,
}


def is_missing(text: str | None) -> bool:
    """Whether a cell says nothing."""
    return text is None or text.strip().lower() in MISSING


def parse_number(text: str) -> float | None:
    """The cell as a finite number; None if it is not one. Decimal commas are ambiguous, and refused."""
    text = text.strip()
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def parse_whole(text: str) -> int | None:
    """The cell as a whole number that is not negative, as ids are, however written (`7`, `007`, `7.0`); else None."""
    number = parse_number(text)
    return int(number) if number is not None and number >= 0 and number.is_integer() else None


def cap_age(years: float) -> float:
    """Ages over 89 years become 90; others are returned unchanged."""
    return OLDEST if years > 89 else years


def cap_age_text(text: str) -> str:
    """A cell of an age column that is no number: `over 89` if it speaks of such an age, else as it is."""
    return "over 89" if any(89 < float(number) < 130 for number in _ANY_NUMBER.findall(text)) else text


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
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).lower()
    words = re.sub(r"[\W\d_]+", "_", f"_{spaced}_")
    return _PRIVATE.search(words) is not None


def is_plausible(what: str, number: float) -> bool:
    """Whether a label or a fact of this name can have this number; true of names whose range is not known."""
    return what not in _PLAUSIBLE or _PLAUSIBLE[what](number)


def shown(cell: str, who: str) -> str:
    """A cell that could not be used, and whose it is, for notes: `'0.67' (0010001)`, `'Indeterminate' (0010002)`.

    Only a short number or code is shown, and words that are certainly no name, for a cell in the wrong column may hold
    a name or a date of birth.
    """
    words = _WORD.findall(cell.lower())
    if words and _NO_NAMES.issuperset(words) and len(cell) <= 40:
        cell_says = _TELLING.search(_WORD.sub("", cell)) is None
    else:
        cell_says = len(cell) <= 12 and _TELLING.search(cell) is None
    return f"{cell!r} ({who})" if cell_says else who


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
