"""Discovery of 20,000 scans against a bare walk through the same tree, in one run.

    python -m tests.benchmarks.bench_discovery [--scans 20000] [--trees bids brats2023_men adni]

Prints seconds of both, their ratio, and the peak of memory of a process that does nothing but discover. Each tree is
walked once before, so that both find the file system's cache warm. Wanted: under 30 s on two cores, under 1 GB.
"""

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from braindino.datasets import get_adapter

TESLA = {"Manufacturer": "Siemens", "ManufacturersModelName": "Prisma", "MagneticFieldStrength": 3, "SliceThickness": 1}
IDA_HEADER = "Image Data ID,Subject,Group,Sex,Age,Visit,Modality,Description,Type,Acq Date,Format,Downloaded\n"
IDA_XML = (
    "<idaxs><project><protocolTerm><protocol term='Manufacturer'>GE</protocol><protocol term='Field Strength'>3.0"
    "</protocol></protocolTerm></project></idaxs>"
)
CONTRASTS = ("t1n", "t1c", "t2w", "t2f")


def put(path: Path, text: str = "x") -> None:
    """Writes a small file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def write_bids(root: Path, scans: int) -> None:
    """Two scans of each subject, each with its sidecar, and participants.tsv."""
    put(root / "dataset_description.json", '{"Name": "large", "BIDSVersion": "1.9.0"}')
    rows = ["participant_id\tage\tsex\n"]
    for number in range(scans // 2):
        subject = f"sub-{number:05d}"
        rows.append(f"{subject}\t{20 + number % 60}\t{'MF'[number % 2]}\n")
        for suffix in ("T1w", "FLAIR"):
            put(root / subject / "anat" / f"{subject}_{suffix}.nii.gz")
            put(root / subject / "anat" / f"{subject}_{suffix}.json", json.dumps(TESLA))
    put(root / "participants.tsv", "".join(rows))


def write_brats(root: Path, scans: int) -> None:
    """Cases of four contrasts and a mask, and the clinical table."""
    rows = ["BraTS ID,Age,Sex,Grade,Split\n"]
    for number in range(scans // 4):
        case = f"BraTS-MEN-{number:05d}-000"
        rows.append(f"{case},{20 + number % 60},{'MF'[number % 2]},{1 + number % 3},training\n")
        for token in (*CONTRASTS, "seg"):
            put(root / "BraTS-MEN-Train" / case / f"{case}-{token}.nii.gz")
    put(root / "Meningioma_clinical_data.csv", "".join(rows))


def write_adni(root: Path, scans: int) -> None:
    """Four visits of each subject, each image in a folder of its own with an XML sidecar, and two tables."""
    listed, merged = [IDA_HEADER], ["RID,PTID,VISCODE,EXAMDATE,AGE,PTGENDER,MMSE,DX\n"]
    name = "MPR__GradWarp__B1_Correction__N3__Scaled"
    for image in range(scans):
        rid, visit = image // 4, image % 4
        subject, day = f"{rid % 900:03d}_S_{rid:04d}", date(2006, 1, 1) + timedelta(days=rid % 900 + 180 * visit)
        stem = f"ADNI_{subject}_MR_{name}_Br_20070219173850420_S{image}_I{image}"
        put(root / "ADNI" / subject / name / f"{day}_08_16_44.0" / f"I{image}" / f"{stem}.nii")
        put(root / "ADNI" / f"{stem}.xml", IDA_XML)
        words = name.replace("__", "; ")
        listed.append(f"I{image},{subject},CN,M,70,m06,MRI,{words},Processed,{day:%m/%d/%Y},NiFTI,1/1/2024\n")
        merged.append(f"{rid},{subject},{'bl' if not visit else f'm{6 * visit:02d}'},{day},70.5,Male,29,CN\n")
    put(root / "Collection.csv", "".join(listed))
    put(root / "ADNIMERGE.csv", "".join(merged))


TREES: dict[str, Callable[[Path, int], None]] = {
    "bids": write_bids,
    "brats2023_men": write_brats,
    "adni": write_adni,
}


def walk(root: Path) -> float:
    """Seconds of listing every folder: what no discovery can do without."""
    started = time.perf_counter()
    for _ in os.walk(root):
        pass
    return time.perf_counter() - started


def discover(adapter: str, root: Path) -> tuple[float, int, float]:
    """Seconds, how many scans, and the peak of memory in MB of a fresh process."""
    started = time.perf_counter()
    found = get_adapter(adapter).discover(root, "large")
    seconds = time.perf_counter() - started
    return seconds, len(found.scans), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Builds the trees in a temporary folder, and prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scans", type=int, default=20_000)
    parser.add_argument("--trees", nargs="+", choices=TREES, default=list(TREES))
    options = parser.parse_args()
    print(f"{'tree':14} {'scans':>6} {'os.walk s':>10} {'discovery s':>12} {'ratio':>6} {'peak MB':>8}")
    for adapter in options.trees:
        with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context("spawn").Pool(1) as pool:
            root = Path(folder) / "download"
            TREES[adapter](root, options.scans)
            walk(root)
            alone = walk(root)
            seconds, scans, peak = pool.apply(discover, (adapter, root))
        print(f"{adapter:14} {scans:6d} {alone:10.2f} {seconds:12.2f} {seconds / alone:6.1f} {peak:8.0f}")


if __name__ == "__main__":
    main()
