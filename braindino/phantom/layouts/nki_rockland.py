"""The layout of the NKI Rockland sample: the BIDS folder of its S3 bucket, sessions named after study arms."""

from collections.abc import Sequence

import numpy as np

from braindino.phantom.cohort import FEMALE, Subject, make_cohort
from braindino.phantom.layouts.bids_text import description, sidecar
from braindino.phantom.layouts.decoy import tiny_nifti
from braindino.phantom.layouts.people import age_label, draw_ids, pick, sex_code, sex_label
from braindino.phantom.layouts.text import csv_text, json_text, tsv_text
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_ROOT = "RawDataBIDSLatest"
_ARMS = ("BAS1", "BAS2", "FLU1", "FLU2", "TRT")
_SCANNER = {
    "Manufacturer": "Siemens", "ManufacturersModelName": "TrioTim", "MagneticFieldStrength": 3, "SliceThickness": 1,
}  # fmt: skip
_SEQUENCES = {
    "T1w": {"RepetitionTime": 1.9, "EchoTime": 0.00252, "InversionTime": 0.9, "FlipAngle": 9},
    "T2w": {"RepetitionTime": 3.2, "EchoTime": 0.4, "FlipAngle": 120},
}
_FACTS: dict[str, str | float] = {
    "vendor": "Siemens", "model": "TrioTim", "field_strength": 3.0, "slice_thickness": 1.0,
}  # fmt: skip
_BUCKET = "s3://fcp-indi/data/Projects/RocklandSample"


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """A lifespan sample: whole heads stored LAS, T1w in one or two sessions, a T2w of every second person.

    The table of links holds duplicates, and that of the participants lists one person twice and one without images.

    Raises:
        ConfigError: more people than ids.
    """
    subjects = make_cohort(n_subjects, seed, patients=0.0, lesions=0.0, ages=(6.0, 85.0))
    rng = np.random.default_rng((*seed, 1))
    scans: list[ScanFile] = []
    rows: list[Sequence[object]] = []
    labels: list[ToldLabel] = []
    files: dict[str, str | bytes] = {
        f"{_ROOT}/dataset_description.json": description("NKI Rockland", "images open for research")
    }
    *ids, absent = draw_ids(rng, 8326, 86238, n_subjects + 1, "nki_rockland")
    for subject, number in zip(subjects, ids, strict=True):
        name, hand = f"A{number:08d}", pick(rng, ("right", "left", "n/a"), (0.8, 0.1, 0.1))
        arms = sorted(str(arm) for arm in rng.choice(_ARMS, 1 + int(rng.random() < 0.4), replace=False))
        scans += [scan for repeat, arm in enumerate(arms) for scan in _scans(subject, name, arm, repeat)]
        rows.append([f"sub-{name}", subject.age, sex_code(subject, "MALE", "FEMALE"), hand])
        labels += _labels(name, subject.age, subject.sex, hand)
    unseen = f"A{absent:08d}"
    rows += [rows[0], [f"sub-{unseen}", 40.5, "FEMALE", "n/a"]]
    labels += _labels(unseen, 40.5, FEMALE, "n/a")
    files[f"{_ROOT}/participants.tsv"] = tsv_text(("participant_id", "age", "sex", "handedness"), rows)
    for scan in scans:
        files[sidecar(scan.image)] = json_text({**_SCANNER, **_SEQUENCES[scan.contrast]})
        files[_bold(scan.image)] = tiny_nifti((4, 4, 4, 3))
    return Plan(subjects, scans, files | {"aws_links.csv": _links(scans)}, labels)


def _scans(subject: Subject, name: str, arm: str, repeat: int) -> list[ScanFile]:
    contrasts = ("T1w",) if subject.number % 2 else ("T1w", "T2w")
    stem = f"{_ROOT}/sub-{name}/ses-{arm}/anat/sub-{name}_ses-{arm}"
    return [
        ScanFile(
            subject, contrast, f"{stem}_{contrast}.nii.gz", axes="LAS", with_skull=True, repeat=repeat,
            told=Told(name, arm, facts=_FACTS),
        )
        for contrast in contrasts
    ]  # fmt: skip


def _labels(name: str, age: float, sex: str, hand: str) -> list[ToldLabel]:
    labels = [age_label(name, age), sex_label(name, sex)]
    return labels if hand == "n/a" else [*labels, ToldLabel(name, "handedness", hand)]


def _bold(image: str) -> str:
    return image.replace("/anat/", "/func/").replace("_T1w", "_task-rest_bold").replace("_T2w", "_task-rest_bold")


def _links(scans: Sequence[ScanFile]) -> str:
    """Links to the files, as the download script takes them; every third stands twice."""
    links = [[scan.told.subject, f"{_BUCKET}/{scan.image}"] for scan in scans if scan.told]
    return csv_text(("subject", "link"), [*links, *links[::3]])
