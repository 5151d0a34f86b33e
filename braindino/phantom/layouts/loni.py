"""What downloads from LONI's Image and Data Archive (IDA) have in common: folders, names, the collection's table."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from braindino.phantom.plan import DicomSeries

_COLLECTION = (
    "Image Data ID", "Subject", "Group", "Sex", "Age", "Visit", "Modality", "Description", "Type", "Acq Date",
    "Format", "Downloaded",
)  # fmt: skip


@dataclass(frozen=True)
class Image:
    """One image of a download; `number` and `series` are its ids at the archive.

    File names hold a `modality` and a `mark` that differ between projects; the folder of an image is named after its
    `leaf`: the image (`I`) or the series (`S`).
    """

    project: str
    subject: str
    description: str
    taken: datetime
    number: int
    series: int
    processed: bool = False
    modality: str = "MR"
    mark: str = "Br"
    leaf: str = "I"

    @property
    def session(self) -> str:
        """The date of acquisition, as in the folder's name."""
        return self.taken.date().isoformat()

    @property
    def id(self) -> str:
        """Its id, as in the collection's table: `I40966`."""
        return f"I{self.number}"

    @property
    def stem(self) -> str:
        """The name of its file, less the ending."""
        return "_".join((*self._first_words, f"S{self.series}", self.id))

    @property
    def folder(self) -> str:
        """Its folder, from the root of the download."""
        leaf = self.id if self.leaf == "I" else f"S{self.series}"
        return f"{self.project}/{self.subject}/{self._words}/{self.taken.strftime('%Y-%m-%d_%H_%M_%S.0')}/{leaf}"

    @property
    def path(self) -> str:
        """Its NIfTI file, from the root of the download."""
        return f"{self.folder}/{self.stem}.nii"

    def series_of(self, tags: Mapping[str, str | float]) -> DicomSeries:
        """Its DICOM files, whose names tell the slice; `tags` are by DICOM keyword."""
        file = "_".join((*self._first_words, "{slice}", f"S{self.series}", self.id)) + ".dcm"
        when = {"StudyDate": self.taken.strftime("%Y%m%d"), "SeriesDescription": self.description}
        return DicomSeries(file, tuple({**when, "SeriesNumber": 3, **tags}.items()))

    @property
    def _first_words(self) -> tuple[str, ...]:
        stamp = self.taken.strftime("%Y%m%d%H%M%S") + "850"
        return self.project, self.subject, self.modality, self._words, self.mark, stamp

    @property
    def _words(self) -> str:
        return re.sub(r"[^A-Za-z0-9-]", "_", self.description)


@dataclass(frozen=True)
class Listed:
    """A row of the collection's table: an image and what is said of its subject at that time."""

    image: Image
    group: str
    sex: str
    age: object
    visit: str
    modality: str = "MRI"


def collection_csv(rows: Iterable[Listed]) -> str:
    """The table that comes with every download of a collection: each cell in quotes, dates as 8/15/2006."""
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(_COLLECTION)
    for row in rows:
        image, day = row.image, row.image.taken
        kind = "Processed" if image.processed else "Original"
        acquired = f"{day.month}/{day.day}/{day.year}"
        writer.writerow(
            [image.id, image.subject, row.group, row.sex, row.age, row.visit, row.modality, image.description, kind,
             acquired, "NiFTI", "8/15/2024"]
        )  # fmt: skip
    return stream.getvalue()


def metadata_xml(row: Listed, protocol: Mapping[str, str]) -> str:
    """The metadata of one image; `protocol` are the terms of its acquisition, such as `Field Strength`."""
    image = row.image
    terms = "".join(
        f'          <protocol term="{escape(term)}">{escape(value)}</protocol>\n' for term, value in protocol.items()
    )
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<idaxs xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <project>
    <projectIdentifier>{image.project}</projectIdentifier>
    <subject>
      <subjectIdentifier>{image.subject}</subjectIdentifier>
      <researchGroup>{escape(row.group)}</researchGroup>
      <subjectSex>{row.sex}</subjectSex>
      <visit><visitIdentifier>{escape(row.visit)}</visitIdentifier></visit>
      <study>
        <subjectAge>{row.age}</subjectAge>
        <series>
          <seriesIdentifier>{image.series}</seriesIdentifier>
          <modality>MRI</modality>
          <dateAcquired>{image.taken.isoformat(sep=" ")}.0</dateAcquired>
          <imagingProtocol>
            <imageUID>{image.number}</imageUID>
            <description>{escape(image.description)}</description>
            <protocolTerm>
{terms}            </protocolTerm>
          </imagingProtocol>
        </series>
      </study>
    </subject>
  </project>
</idaxs>
"""
