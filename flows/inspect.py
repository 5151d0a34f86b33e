"""`braindino inspect`: one page on a scan of the home, or on a file that is looked at without storing anything."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import warehouse
from braindino import imaging, slices
from braindino.errors import BrainDINOError, ConfigError, ScanRefused, StoreError
from braindino.imaging.examine import Examination, examine, stored_on_grid
from braindino.imaging.findings import findings
from braindino.imaging.orient import to_ras
from braindino.imaging.quality import OVERRULABLE
from braindino.imaging.sheet import BAD, DOUBT, GOOD, PLAIN, Sheet, draw
from flows.find_scan import find_rows, recipe_of_row, source_of_row
from flows.ingest_plan import Work

Row = dict[str, Any]
_COLOURS = {"stored": GOOD, "refused": BAD, "excluded": DOUBT, "pending": DOUBT, "absent": PLAIN}


@dataclass(frozen=True)
class Inspected:
    """The page that was written, and what it says."""

    path: Path
    verdict: str
    message: str


def inspect_path(image: Path, recipe_name: str, out: Path | None) -> Inspected:
    """Looks at a file, or a folder of one DICOM series; nothing is stored.

    Args:
        image: the file or folder.
        recipe_name: whose limits and slices.
        out: the PNG; by default the image's name in the working folder.
    """
    recipe = imaging.get_recipe(recipe_name)
    seen = examine(image, recipe)
    verdict, message = _would_be(seen)
    sheet = _sheet_of(seen, image.name, verdict, message, None, {"recipe_id": recipe.recipe_id, "status": None})
    stem = image.name.removesuffix(".gz").removesuffix(".nii") or "image"
    return _written(sheet, out or Path.cwd() / f"{stem}.png", verdict, message)


def inspect_scan(store: warehouse.Warehouse, scan: str, recipe_name: str | None, out: Path | None) -> Inspected:
    """Looks at a scan of the home: as stored, with the image around it where the source is still there.

    Args:
        store: the home's tables.
        scan: its scan_id, the beginning of one, or its source_path.
        recipe_name: under which recipe; by default the one it was read under last.
        out: the PNG; by default inspect-<scan_id>.png among the home's reports.

    Raises:
        ConfigError: there is no such scan, or several, or none under the recipe.
    """
    row = _row_of(find_rows(store, scan), recipe_name)
    try:
        work, missing = source_of_row(store, row), None
    except BrainDINOError as error:
        work, missing = None, str(error)
    verdict, message = _decided(row)
    title = f"{row['scan_id']}  {row['dataset']}  {row['source_path']}"
    if row["store_path"] is not None and row["status"] in ("stored", "excluded"):
        sheet = _sheet_of_stored(store, row, work, title, verdict, message)
    elif work is not None and work.scan.image_present:
        seen = examine(
            work.scan.image, recipe_of_row(row), brain_mask=work.scan.brain_mask, segmentation=work.scan.segmentation,
            skull_stripped=work.scan.skull_stripped, orientation=work.scan.orientation, age_years=work.age_years,
        )  # fmt: skip
        sheet = _sheet_of(seen, title, verdict, message, work.age_years, row)
    else:
        notes = (missing or "The image is not there.",)
        sheet = Sheet(title, verdict, _COLOURS[row["status"]], message, None, notes=notes)
    return _written(sheet, out or store.home.reports / f"inspect-{row['scan_id']}.png", verdict, message)


def _row_of(rows: list[Row], recipe_name: str | None) -> Row:
    if recipe_name is None:
        return rows[0]
    wanted = imaging.get_recipe(recipe_name).recipe_id
    for row in rows:
        if row["recipe_id"] == wanted:
            return row
    known = ", ".join(row["recipe_id"] for row in rows)
    raise ConfigError(f"{rows[0]['source_path']} was not read under {wanted}; it was under {known}.")


def _decided(row: Mapping[str, Any]) -> tuple[str, str]:
    """What became of a scan, in a word and a sentence."""
    message = row["message"] or ""
    if row["status"] == "excluded":
        return "EXCLUDED", f"By a person: {row['excluded_why']}"
    if row["status"] == "stored" and row["reason"]:
        return f"STORED, file since unusable: {row['reason']}", message
    if row["status"] == "stored" and row["overruled"]:
        return "STORED, accepted by a person", str(row["overruled"])
    reason = f": {row['reason']}" if row["reason"] else ""
    return f"{str(row['status']).upper()}{reason}", message


def _would_be(seen: Examination) -> tuple[str, str]:
    if seen.refusal is None:
        return "WOULD BE STORED", ""
    return f"WOULD BE REFUSED: {seen.refusal.reason.value}", str(seen.refusal)


def _sheet_of(
    seen: Examination, title: str, verdict: str, message: str, age: float | None, row: Mapping[str, Any]
) -> Sheet:
    """The page of an image that was looked at just now."""
    refusal, result = seen.refusal, seen.result
    notes = [note for note in _facts_in_words({**row, **seen.measured}) if not note.startswith("overruled: ")]
    if refusal is not None:
        can = "A person may accept it" if refusal.reason in OVERRULABLE else "Nobody can accept it"
        notes.insert(0, f"{can} (braindino accept).")
    colour = _COLOURS.get(row["status"], GOOD if refusal is None else BAD)
    areas: dict[str, Any] = {}
    if result is not None:
        areas = {
            "plane": result.plane,
            "positions_mm": [s.position_mm for s in result.slices],
            "brain_mm2": [s.brain_mm2 for s in result.slices],
            "lesion_mm2": None if result.segmentation is None else [s.lesion_mm2 or 0.0 for s in result.slices],
        }
    return Sheet(
        title, verdict, colour, message, seen.volume, seen.mask, seen.segmentation,
        findings=findings(seen.measured, age), notes=tuple(notes), **areas,
    )  # fmt: skip


def _sheet_of_stored(
    store: warehouse.Warehouse, row: Row, work: Work | None, title: str, verdict: str, message: str
) -> Sheet:
    """The page of a scan as it is stored: nothing is computed anew but the view."""
    notes = list(_facts_in_words(row))
    age = None if work is None else work.age_years
    sheet = Sheet(
        title, verdict, DOUBT if row["reason"] else _COLOURS[row["status"]], message, None,
        findings=findings(row, age), plane=row["plane"] or "axial", **_areas(store, row),
    )  # fmt: skip
    try:
        stored = slices.open_scan(store.home.root / row["store_path"])
        brain, labels = stored.brain(), stored.segmentation() if stored.has_segmentation else None
        affine = np.asarray(stored.attributes["affine"], dtype=np.float64)
        volume = _source_volume(row, work)
        if volume is not None:
            mask, lesion = stored_on_grid(volume, affine, brain, labels)
        else:
            notes.insert(0, "The source is not there as it was read: the stored slices are shown, not what is around.")
            volume, mask, lesion = _stored_volume(stored.image(), brain, labels, affine)
        sheet = replace(sheet, volume=volume, mask=mask, segmentation=lesion)
    except StoreError as error:
        notes.insert(0, f"{error} `braindino verify` tells how.")
    return replace(sheet, notes=tuple(notes))


def _areas(store: warehouse.Warehouse, row: Row) -> dict[str, Any]:
    """Positions and areas of the stored slices; of excluded scans, too, which no mart shows."""
    found = store.query(
        "select position_mm, brain_mm2, lesion_mm2 from staging.stg_slices "
        "where recipe_id = ? and scan_id = ? and content_hash = ? order by slice_index",
        [row["recipe_id"], row["scan_id"], row["content_hash"]],
    ).to_pydict()
    lesion = found["lesion_mm2"]
    return {
        "positions_mm": found["position_mm"],
        "brain_mm2": found["brain_mm2"],
        "lesion_mm2": lesion if any(area is not None for area in lesion) else None,
    }


def _source_volume(row: Row, work: Work | None) -> imaging.Volume | None:
    """The image that the slices were made from, in RAS order; None where it is gone, or another lies there now."""
    if work is None or row["reason"] or work.source_fingerprint != row["source_fingerprint"]:
        return None
    try:
        rule = recipe_of_row(row).four_d
        return to_ras(imaging.read_volume(work.scan.image, rule, orientation=work.scan.orientation))
    except (ScanRefused, ConfigError):
        return None


def _stored_volume(
    image: np.ndarray, brain: np.ndarray, labels: np.ndarray | None, affine: np.ndarray
) -> tuple[imaging.Volume, np.ndarray, np.ndarray | None]:
    """Stored slices as a volume in RAS order, with mask and labels on its grid."""
    volume = imaging.Volume(image.T.astype(np.float32), affine, "slices")
    mask, lesion = (None if part is None else to_ras(volume.with_data(part.T)).data for part in (brain, labels))
    assert mask is not None
    return to_ras(volume), mask > 0, lesion


def _facts_in_words(row: Mapping[str, Any]) -> Iterator[str]:
    """What the header and the processing say, one line each; what is unknown is left out."""
    known = {name: value for name, value in row.items() if value is not None}
    if "spacing_x" in known:
        size = " x ".join(f"{known[f'spacing_{axis}']:.2f}" for axis in "xyz")
        voxels = " x ".join(str(known[f"matrix_{axis}"]) for axis in "xyz")
        turned = f", {known['oblique_degrees']:.0f}° oblique" if known.get("oblique_degrees", 0) >= 0.5 else ""
        yield f"{voxels} voxels of {size} mm (right, anterior, superior), file {known['orientation']}{turned}"
    if "mask_method" in known:
        yield f"brain mask: {known['mask_method']}"
    if "through_plane_mm" in known and "plane" in known:
        yield f"{known['plane']} slices every {known['through_plane_mm']:.2f} mm"
    people = [f"{name} {known[name]}" for name in ("subject", "session", "contrast", "run") if name in known]
    if people:
        yield ", ".join(people)
    if known.get("synthetic"):
        yield "SYNTHETIC: made by a generator, not acquired from a person"
    for name in ("repairs", "overruled"):
        told = known.get(name, ())
        for text in told.split("; ") if isinstance(told, str) else told:
            yield f"{name}: {text}"
    if "recipe_id" in known:
        yield f"recipe {known['recipe_id']}"


def _written(sheet: Sheet, out: Path, verdict: str, message: str) -> Inspected:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        draw(sheet).savefig(out, metadata={"Software": "BrainDINO"}, format="png")
    except OSError as error:
        raise ConfigError(f"{out} cannot be written ({error.strerror}); give another --out.") from error
    return Inspected(out, verdict, message)
