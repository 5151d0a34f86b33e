"""What the cells of ADNI's study tables mean: codes of diagnoses in three phases, of sex, and of genes."""

from collections.abc import Callable
from dataclasses import replace

from braindino.datasets.label_columns import LabelColumn, sex_column
from braindino.datasets.values import parse_number

MISSING_CODES = frozenset({"-4", "-4.0", "-1", "-1.0"})  # in all tables of the study

Said = Callable[[str], str]  # the cell of a row by the name of its column, "" where it says nothing

_WORDS = {"cn": "CN", "nl": "CN", "mci": "MCI", "dementia": "AD", "ad": "AD"}
# The phases of the study stated diagnoses in one of three columns. Codes above 3 are conversions, of which the later
# state is meant: 4 normal to MCI, 5 MCI to dementia, 6 normal to dementia, 7 MCI to normal, 8 and 9 back from dementia.
_STATES = {"1": "CN", "2": "MCI", "3": "AD"}
_CHANGES = _STATES | {"4": "MCI", "5": "AD", "6": "AD", "7": "CN", "8": "MCI", "9": "CN"}
DX_COLUMNS = {"DIAGNOSIS": _STATES, "DXCHANGE": _CHANGES, "DXCURREN": _STATES}


def _diagnosis(text: str) -> str | None:
    """The word of ADNIMERGE; older versions also write `MCI to Dementia`, of which the last is meant."""
    return _WORDS.get(text.lower().split(" to ")[-1].strip())


def _between(low: float, high: float) -> Callable[[str], float | None]:
    def read(text: str) -> float | None:
        number = parse_number(text)
        return number if number is not None and low <= number <= high else None

    return read


def diagnosis_of_codes(said: Said) -> str:
    """The state that the first column with a cell means; words, as some exports have them, and unknown codes stay."""
    for column, meanings in DX_COLUMNS.items():
        if text := said(column):
            number = parse_number(text)
            return text if number is None else meanings.get(f"{number:g}", text)
    return ""


def alleles(said: Said) -> str:
    """How many of the two alleles are e4."""
    genes = [parse_number(said(column)) for column in ("APGEN1", "APGEN2")]
    return "" if None in genes else str(genes.count(4))


DIAGNOSIS = LabelColumn("diagnosis", ("DX",), _diagnosis, silent=MISSING_CODES)
MMSE = LabelColumn("mmse", ("MMSE",), _between(0, 30), silent=MISSING_CODES, optional=True)
CDR = LabelColumn("cdr", ("CDGLOBAL",), _between(0, 3), silent=MISSING_CODES)  # CDRSB, the sum of its boxes, is no CDR
SEX = replace(
    sex_column("PTGENDER", codes={"1": "male", "2": "female", "male": "male", "female": "female"}), silent=MISSING_CODES
)
EDUCATION = LabelColumn("education_years", ("PTEDUCAT",), _between(0, 30), "years", silent=MISSING_CODES, optional=True)
APOE4 = LabelColumn("apoe4_alleles", ("APOE4",), _between(0, 2), silent=MISSING_CODES, optional=True)
