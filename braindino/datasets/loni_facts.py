"""How an image was acquired, by the IDA's XML sidecars."""

from pathlib import Path
from xml.etree import ElementTree

from braindino.datasets.base import Acquisition
from braindino.datasets.bids_sidecars import acquisition_of

# The terms of the IDA's protocol by their names in BIDS.
_TERMS = {
    "Manufacturer": "Manufacturer",
    "Mfg Model": "ManufacturersModelName",
    "Field Strength": "MagneticFieldStrength",
    "Slice Thickness": "SliceThickness",
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
