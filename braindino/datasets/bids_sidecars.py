"""Acquisition facts from BIDS sidecars, following the inheritance principle."""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from braindino.datasets.base import Acquisition
from braindino.datasets.bids_names import BidsName, applies, parse_name
from braindino.datasets.values import is_plausible, parse_number

_VENDORS = {"siemens": "Siemens", "ge": "GE", "general": "GE", "philips": "Philips", "hitachi": "Hitachi"} | {
    "toshiba": "Toshiba", "canon": "Canon", "hyperfine": "Hyperfine", "bruker": "Bruker",
    "uih": "United Imaging", "united": "United Imaging",
}  # fmt: skip
_FACTS = {"MagneticFieldStrength": "field_strength", "SliceThickness": "slice_thickness"}


class SidecarReader:
    """Reads sidecars for one discovery, each shared one once, and remembers which could not be read or believed."""

    def __init__(self) -> None:
        self.unreadable: list[Path] = []
        self.implausible: list[Path] = []
        # Sidecars of one image are large at times (dcmstack dumps); only the shared ones are worth keeping.
        self._read = lru_cache(maxsize=32)(self._read_file)

    def merged(self, name: BidsName, sidecars: tuple[Path, ...]) -> dict[str, Any]:
        """The metadata of an image: of all sidecars that apply to it, the innermost has the last word.

        An unreadable sidecar counts as empty.
        """
        applying = [(path, parse_name(path.stem)) for path in sidecars]
        applying = [(path, sidecar) for path, sidecar in applying if applies(sidecar, name)]
        applying.sort(key=lambda item: (len(item[0].parts), len(item[1].entities)))
        merged: dict[str, Any] = {}
        for path, _ in applying:
            merged.update(self._read(path))
        return merged

    def read(self, path: Path) -> dict[str, Any]:
        """The metadata of one sidecar by itself."""
        return self._read(path)

    def _read_file(self, path: Path) -> dict[str, Any]:
        try:
            # A pipe would be waited for without end.
            content = json.loads(path.read_bytes()) if path.is_file() else None
        except (OSError, ValueError, RecursionError):
            content = None
        if isinstance(content, dict):
            if any(_number(content, key) is not None and _fact(content, key) is None for key in _FACTS):
                self.implausible.append(path)
            return content
        self.unreadable.append(path)
        return {}


def acquisition_of(metadata: dict[str, Any], site: str | None = None) -> Acquisition:
    """Vendor, model, field strength (tesla) and slice thickness (mm), as far as stated plausibly."""
    vendor = vendor_name(_text(metadata, "Manufacturer"))
    # The standard says ManufacturersModelName; early datasets wrote DICOM's ManufacturerModelName.
    model = _text(metadata, "ManufacturersModelName") or _text(metadata, "ManufacturerModelName")
    strength, thickness = _fact(metadata, "MagneticFieldStrength"), _fact(metadata, "SliceThickness")
    told = Acquisition.of("sidecar", vendor, model, strength, thickness)
    return told.or_else(Acquisition.of("table", site=site))


def vendor_name(text: str | None) -> str | None:
    """One spelling per vendor (`SIEMENS`, `Siemens Healthineers` -> `Siemens`); unknown ones as written."""
    if not text:
        return None
    return _VENDORS.get(re.split(r"[^a-z]", text.lower())[0], text)


def is_stripped(name: BidsName, metadata: dict[str, Any]) -> bool | None:
    """Whether the image says that it is skull-stripped: in the sidecar, or by `desc-brain` in its name."""
    stated = metadata.get("SkullStripped")
    if isinstance(stated, bool):
        return stated
    return True if name.entities.get("desc") == "brain" else None


def _text(metadata: dict[str, Any], key: str) -> str | None:
    value = metadata.get(key)
    return value.strip() or None if isinstance(value, str) else None


def _number(metadata: dict[str, Any], key: str) -> float | None:
    value = metadata.get(key)
    return parse_number(str(value).lower().removesuffix("t")) if isinstance(value, (int, float, str)) else None


def _fact(metadata: dict[str, Any], key: str) -> float | None:
    """A number of `_FACTS` that a scan can have; field strengths may be stated in gauss."""
    number = _number(metadata, key)
    if number is not None and number > 1000 and key == "MagneticFieldStrength":
        number /= 10_000
    return number if number is not None and is_plausible(_FACTS[key], number) else None
