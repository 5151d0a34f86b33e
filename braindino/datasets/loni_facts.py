"""How an image was acquired: by the IDA's XML sidecars, and by the header of a DICOM series."""

import os
from pathlib import Path
from xml.etree import ElementTree

from braindino.datasets.base import Acquisition
from braindino.datasets.bids_sidecars import acquisition_of

# The terms of the IDA's protocol, and DICOM's tags, by their names in BIDS.
_TERMS = {
    "Manufacturer": "Manufacturer",
    "Mfg Model": "ManufacturersModelName",
    "Field Strength": "MagneticFieldStrength",
    "Slice Thickness": "SliceThickness",
}
_TAGS = {
    "Manufacturer": "Manufacturer",
    "ManufacturerModelName": "ManufacturersModelName",
    "MagneticFieldStrength": "MagneticFieldStrength",
    "SliceThickness": "SliceThickness",
}


def xml_facts(path: Path) -> Acquisition | None:
    """Vendor, model, field strength and slice thickness of an IDA sidecar; None if it cannot be read.

    Some sidecars are stubs without content, and state nothing. Nothing else is taken from them: they also hold the
    subject's age and group.
    """
    if not path.is_file():  # a pipe would be waited for without end
        return None
    try:
        terms = ElementTree.parse(path).getroot().iter()
    except (OSError, ValueError, LookupError, ElementTree.ParseError):  # the middle two of odd encodings
        return None
    # A name may carry a namespace, `{http://ida.loni.usc.edu}protocol`.
    stated = {term.get("term"): term.text for term in terms if term.tag.rsplit("}")[-1] == "protocol" and term.text}
    return acquisition_of({name: stated[term] for term, name in _TERMS.items() if term in stated})


def dicom_facts(folder: Path) -> Acquisition:
    """The same facts by the header of the first file of a DICOM series; none if it cannot be read.

    Four tags are read and nothing else: no name, date or comment of the header is ever held.
    """
    import pydicom  # few datasets come as DICOM

    try:
        with os.scandir(folder) as files:
            first = min(entry.name for entry in files if entry.name.endswith(".dcm") and entry.is_file())
        header = pydicom.dcmread(folder / first, stop_before_pixels=True, specific_tags=list(_TAGS))
        stated = {name: str(header[tag].value) for tag, name in _TAGS.items() if tag in header}
    except Exception:  # pydicom raises all sorts of errors on broken headers; what they lack is unknown
        return Acquisition()
    told = acquisition_of(stated)
    return Acquisition.of("dicom", told.vendor, told.model, told.field_strength, told.slice_thickness)
