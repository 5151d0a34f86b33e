"""Writes manifests for real, openly licensed scans that come in no standard layout.

    python -m tests.real.manifests SCANS DEST

SCANS is the folder that `BRAINDINO_REAL_DATA` names. One manifest per source dataset is written to DEST, so that
`braindino ingest manifest DEST/<name>.csv` reads it. Ages, sexes and contrasts are those of the sources' own tables.
"""

import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

Row = dict[str, str]
COLUMNS = (
    "subject", "session", "image", "contrast", "mask", "segmentation", "skull_stripped", "age", "sex", "vendor",
    "field_strength", "label:ms_type",
)  # fmt: skip


def _table(path: Path, key: str) -> dict[str, Row]:
    with path.open(newline="") as stream:
        return {row[key]: row for row in csv.DictReader(stream)}


def ms_cross_sectional(scans: Path) -> Iterator[Row]:
    """Patients of the cross-sectional MS set in MNI space, stripped, with the consensus lesion mask."""
    folder = scans / "open_ms_data" / "cross_sectional"
    patients = _table(folder / "demographics_from_README.csv", "id")
    ending = "_N4_noneck_reduced_winsor_regtoFLAIR_brain_N4_regtoMNI.nii.gz"
    for patient in sorted((folder / "MNI").iterdir()):
        told = patients[patient.name]
        for prefix, contrast in {"T1": "T1w", "T1POST": "T1c", "T2": "T2w", "FLAIR": "FLAIR"}.items():
            yield {
                "subject": patient.name, "image": str(patient / f"{prefix}{ending}"), "contrast": contrast,
                "segmentation": str(patient / "GOLD_STANDARD_N4_noneck_reduced_winsor_regtoFLAIR_regtoMNI.nii.gz"),
                "skull_stripped": "true", "age": told["age"], "sex": told["sex"], "label:ms_type": told["ms_type"],
            }  # fmt: skip


def ms_longitudinal(scans: Path) -> Iterator[Row]:
    """Patients of the longitudinal MS set: raw heads with skull, two studies."""
    folder = scans / "open_ms_data" / "longitudinal"
    patients = _table(folder / "demographics.csv", "patient_id")
    contrasts = {"T1W": "T1w", "T2W": "T2w", "FLAIR": "FLAIR"}
    for image in sorted((folder / "raw").glob("patient*/study*_*.nii.gz")):
        study, suffix = image.name.removesuffix(".nii.gz").split("_")
        told = patients[str(int(image.parent.name.removeprefix("patient")))]
        age = float(told["patient_age_at_first_study"])
        if study == "study2":
            age += float(told["days_between_studies"]) / 365.25
        yield {
            "subject": image.parent.name, "session": study, "image": str(image), "contrast": contrasts[suffix],
            "skull_stripped": "false", "age": f"{age:.2f}", "sex": told["sex"], "label:ms_type": told["ms_type"],
        }  # fmt: skip


def foundation_samples(scans: Path) -> Iterator[Row]:
    """The sample scans that accompany a brain foundation model: one glioblastoma patient and one child, stripped."""
    folder = scans / "brainiac_sample" / "src" / "BrainIAC" / "data" / "sample" / "processed"
    for suffix, contrast in {"t1n": "T1w", "t1c": "T1c", "t2w": "T2w", "t2f": "FLAIR"}.items():
        yield {
            "subject": "UPENN-GBM-00001",
            "image": str(folder / f"00001_{suffix}.nii.gz"),
            "contrast": contrast,
        }
    yield {"subject": "pixar009", "image": str(folder / "subpixar009_T1w.nii.gz"), "contrast": "T1w"}


def viewers_images(scans: Path) -> Iterator[Row]:
    """Demonstration images of a viewer and of toolboxes: many formats, some no structural scan at all."""
    images: Mapping[str, tuple[str, str]] = {
        "niivue-demo-images/MR_Gd.nii.gz": ("gd", "T1c"),
        "niivue-demo-images/chris_MRA.nii.gz": ("chris", "MRA"),
        "niivue-demo-images/chris_PD.nii.gz": ("chris", "PD"),
        "niivue-demo-images/chris_t1.nii.gz": ("chris", "T1w"),
        "niivue-demo-images/pcasl.nii.gz": ("chris", "ASL"),
        "niivue-demo-images/register/T1_head_ext2.nii.gz": ("register", "T1w"),
        "niivue-demo-images/register/T2w.nii.gz": ("register", "T2w"),
        "niivue-demo-images/register/dwi.nii.gz": ("register", "DWI"),
        "niivue-demo-images/register/fmri.nii.gz": ("register", "BOLD"),
        "niivue_formats/packages/niivue/demos/images/complex.nii.gz": ("complex", "BOLD"),
        "niivue_formats/packages/niivue/demos/images/fs/brainmask.mgz": ("freesurfer", "T1w"),
        "niivue_formats/packages/niivue/demos/images/norm.mgz": ("freesurfer_norm", "T1w"),
        "niivue_formats/packages/niivue/demos/images/fs/wm.mgz": ("freesurfer_wm", "segmentation"),
        "niivue_formats/packages/niivue/demos/images/ras.hdr": ("ras", "T1w"),
        "torchio-data/data/fernando/t1_seg_gif.nii.gz": ("fernando_seg", "segmentation"),
        "torchio-data/data/fernando/t2.nii.gz": ("fernando", "FLAIR"),
        "py_synthsr/FLAIR.nii.gz": ("synthsr", "FLAIR"),
        "dcm_qa_xa30/Ref/5_anat-T1w_acq-tfl.nii": ("xa30", "T1w"),
        "dcm_qa_xa30/Ref/8_gre_field_mapping_e1.nii": ("xa30", "fieldmap"),
        "dcm_qa_xa30/Ref/11_DWI_dir80_PA.nii": ("xa30", "DWI"),
        "dcm_qa_philips_enh/Ref/1903_WIP_SOURCE_-_3DpCASL_cl.nii.gz": ("philips", "ASL"),
        "dcm_qa_philips_enh/Ref/2001_WIP_fcMRI_Field_Mapping_cl_e1.nii.gz": ("philips", "fieldmap"),
    }
    for path, (subject, contrast) in images.items():
        yield {"subject": subject, "image": str(scans / path), "contrast": contrast}


def dicom_series(scans: Path) -> Iterator[Row]:
    """DICOM series of three scanners: a file per slice, gzipped files, and one file of many frames."""
    series = {
        "dcm_qa_decubitus/In/HFS/3_t1_fl2d_sag": "supine",
        "dcm_qa_decubitus/In/HFDL/2_t1_fl2d_sag": "on_the_side",
        "dcm_qa_philips_enh/In/cl": "philips",
        "dcm_qa_xa30/In/5_anat-T1w_acq-tfl": "xa30",
    }
    for path, subject in series.items():
        yield {"subject": subject, "image": str(scans / path), "contrast": "T1w", "skull_stripped": "false"}


MANIFESTS = {
    "dicom_series": dicom_series,
    "ms_cross_sectional": ms_cross_sectional,
    "ms_longitudinal": ms_longitudinal,
    "foundation_samples": foundation_samples,
    "viewers_images": viewers_images,
}


def write_manifests(scans: Path, destination: Path) -> list[Path]:
    """Writes every manifest and returns their paths."""
    destination.mkdir(parents=True, exist_ok=True)
    written = []
    for name, rows_of in MANIFESTS.items():
        rows = list(rows_of(scans))
        used = [column for column in COLUMNS if any(column in row for row in rows)]
        path = destination / f"{name}.csv"
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, used)
            writer.writeheader()
            writer.writerows({column: row.get(column, "") for column in used} for row in rows)
        written.append(path)
    return written


if __name__ == "__main__":
    for written_path in write_manifests(Path(sys.argv[1]), Path(sys.argv[2])):
        print(written_path)
