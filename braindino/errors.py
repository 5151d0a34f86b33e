"""Typed errors. Each text says what happened, to what, and what to do next; each carries a reason code."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a scan was refused: the codes that stand in the column `reason` of the mart `scans`."""

    MISSING_FILE = "missing_file"
    UNSUPPORTED_FORMAT = "unsupported_format"
    UNREADABLE = "unreadable"
    TRUNCATED = "truncated"
    NOT_3D = "not_3d"
    TIME_SERIES = "time_series"
    NOT_SCALAR = "not_scalar"
    EMPTY = "empty"
    CONSTANT = "constant"
    NOT_FINITE = "not_finite"
    BAD_GEOMETRY = "bad_geometry"
    DICOM_NO_SERIES = "dicom_no_series"
    DICOM_SEVERAL_SERIES = "dicom_several_series"
    DICOM_MIXED = "dicom_mixed"
    DICOM_GAP = "dicom_gap"
    DICOM_DUPLICATE = "dicom_duplicate"
    MASK_UNREADABLE = "mask_unreadable"
    MASK_MISMATCH = "mask_mismatch"
    MASK_UNCERTAIN = "mask_uncertain"
    NOT_STRIPPED = "not_stripped"
    SEGMENTATION_UNREADABLE = "segmentation_unreadable"
    SEGMENTATION_MISMATCH = "segmentation_mismatch"
    BRAIN_TOO_SMALL = "brain_too_small"
    BRAIN_TOO_LARGE = "brain_too_large"
    BRAIN_CROPPED = "brain_cropped"
    TOO_FEW_SLICES = "too_few_slices"
    SATURATED = "saturated"
    INTERNAL = "internal"


class BrainDINOError(Exception):
    """The base of every error this project raises on purpose; its text is one sentence for a person."""


class ScanRefused(BrainDINOError):
    """One scan cannot be used.

    It is recorded with its reason and counted; it never stops a run. `attempt` is the brain mask that was refused,
    where there is one to look at; it stays in the process it was found in.
    """

    def __init__(self, reason: Reason, message: str, attempt: object = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.attempt = attempt

    def __reduce__(self) -> tuple[type["ScanRefused"], tuple[Reason, str]]:
        # Exceptions with two arguments do not survive pickling (process pools, Dask) by default.
        return type(self), (self.reason, str(self))


class DatasetError(BrainDINOError):
    """A dataset's folder or tables are not as expected; `problems` lists all that is wrong, each with its remedy."""

    def __init__(self, dataset: str, problems: tuple[str, ...]) -> None:
        super().__init__(f"{dataset}: " + " ".join(problems))
        self.dataset = dataset
        self.problems = problems

    def __reduce__(self) -> tuple[type["DatasetError"], tuple[str, tuple[str, ...]]]:
        return type(self), (self.dataset, self.problems)


class ConfigError(BrainDINOError):
    """A parameter is unknown or out of range."""


class StoreError(BrainDINOError):
    """A slice store is missing, short or of another layout."""


class CheckpointError(BrainDINOError):
    """A checkpoint or weights file cannot be used."""


class TrainingError(BrainDINOError):
    """A training cannot start or had to stop (no data, divergence, collapse)."""


class FitError(BrainDINOError):
    """A head cannot be fitted (too few subjects, one class only)."""
