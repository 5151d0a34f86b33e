"""The layout of ADNI: a folder per image id, several versions of one scan, and visits that are not the scans' days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import numpy as np

from braindino.phantom.cohort import PATIENT, Subject, make_cohort
from braindino.phantom.layouts.adni_tables import Participant, Visit, adnimerge, dxsum, mpragemeta
from braindino.phantom.layouts.decoy import tiny_nifti
from braindino.phantom.layouts.loni import Image, Listed, collection_csv, metadata_xml
from braindino.phantom.layouts.people import age_label, draw_ids, sex_code, sex_label
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_PHASES = {"ADNI1": date(2006, 3, 1), "ADNI2": date(2012, 3, 1), "ADNI3": date(2018, 3, 1)}
_SCALED = "MPR; GradWarp; B1 Correction; N3; Scaled"
# The T1w images of a scan session, the best first; what follows is another version or a repeat of it.
_T1W = {
    "ADNI1": (_SCALED, "MPR; GradWarp; B1 Correction; N3", "MPR-R; GradWarp; B1 Correction; N3; Scaled", "MPRAGE"),
    "ADNI2": ("MPR; GradWarp; B1 Correction; N3", "MPRAGE"),
    "ADNI3": ("Accelerated Sagittal MPRAGE",),
}
_SCANNERS = (("SIEMENS", "Siemens", "TrioTim"), ("Philips Medical Systems", "Philips", "Intera"),
             ("GE MEDICAL SYSTEMS", "GE", "SIGNA EXCITE"))  # fmt: skip
_MONTHS = {"bl": 0, "m06": 6, "m12": 12, "m24": 24}
_DICOM_EVERY = 9  # a multiple of the phases: people of the newest, whose originals need no correction
_DAYS = 30.44  # in a month
_SCANNED = ("bl", "m12")


@dataclass(frozen=True)
class _Session:
    """The images of one day: the one T1w that counts, a FLAIR perhaps, and what lies beside them."""

    person: Participant
    visit: Visit
    age: float
    t1w: Image
    flair: Image | None
    beside: tuple[Image, ...]
    has_xml: bool

    @property
    def tesla(self) -> float:
        return 1.5 if self.person.phase == "ADNI1" else 3.0

    @property
    def in_meta(self) -> bool:
        return self.person.phase == "ADNI1"  # whose images MPRAGEMETA lists

    @property
    def is_dicom(self) -> bool:
        return self.person.subject.number % _DICOM_EVERY == 0  # whose T1w were downloaded as the scanner wrote them

    def facts(self, image: Image) -> dict[str, str | float]:
        facts: dict[str, str | float] = {"site": self.person.ptid[:3]}
        if image is self.t1w and (self.has_xml or self.is_dicom):
            _, vendor, model = _scanner(self.person)
            return {**facts, "vendor": vendor, "model": model, "field_strength": self.tesla, "slice_thickness": 1.2}
        return {**facts, "field_strength": self.tesla} if self.in_meta and image is self.t1w else facts


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """People of three phases, scanned twice within weeks of a visit; some got worse between their visits.

    Where there are processed images, the original lies beside them, and repeats too; every ninth person's T1w
    are DICOM. Every second session has XML files. The last visit's diagnosis has not reached ADNIMERGE yet.

    Raises:
        ConfigError: more people than ids.
    """
    subjects = make_cohort(n_subjects, seed, lesions=0.0, ages=(56.0, 91.0))
    rng = np.random.default_rng((*seed, 1))
    numbers = draw_ids(rng, 2, 4999, n_subjects, "adni")
    people = [_participant(subject, number, rng) for subject, number in zip(subjects, numbers, strict=True)]
    sessions = [session for person in people for session in _sessions(person, rng)]
    files: dict[str, str | bytes] = {
        "ADNIMERGE.csv": adnimerge(people),
        "DXSUM_PDXCONV_ADNIALL.csv": dxsum(people),
        "MPRAGEMETA.csv": mpragemeta((session.t1w, session.tesla) for session in sessions if session.in_meta),
        "ADNI_Collection_8_15_2024.csv": collection_csv(row for session in sessions for row in _listed(session)),
    }
    for session in sessions:
        files |= {image.path: tiny_nifti(compressed=False) for image in session.beside}
        if session.has_xml:
            files[f"ADNI/{session.t1w.stem}.xml"] = metadata_xml(_listed(session)[0], _protocol(session))
    labels = [label for person in people for label in _labels(person)]
    labels += [age_label(item.person.ptid, item.age, item.t1w.session) for item in sessions]
    return Plan(subjects, [scan for session in sessions for scan in _scans(session)], files, labels)


def _participant(subject: Subject, number: int, rng: np.random.Generator) -> Participant:
    phase = list(_PHASES)[(subject.number - 1) % len(_PHASES)]
    start = _PHASES[phase] + timedelta(days=int(rng.integers(0, 500)))
    if subject.diagnosis == PATIENT:
        course: Sequence[str] = (("MCI", "MCI", "AD", "AD"), ("AD", "AD", "AD", "AD"))[int(rng.integers(2))]
    else:
        course = (("CN", "CN", "CN", "CN"), ("CN", "CN", "MCI", "MCI"))[int(rng.integers(2))]
    visits = tuple(
        Visit(
            code, start + timedelta(days=round(_DAYS * months) + int(rng.integers(0, 20)) * (months > 0)), diagnosis,
            None if code == "m06" and subject.number % 2 else int(rng.integers(18, 31)), in_merge=code != "m24",
        )
        for (code, months), diagnosis in zip(_MONTHS.items(), course, strict=True)
    )  # fmt: skip
    apoe4 = (0, 1, 2, None)[int(rng.choice(4, p=(0.5, 0.3, 0.1, 0.1)))]
    ptid = f"{int(rng.integers(2, 137)):03d}_S_{number:04d}"
    return Participant(subject, ptid, phase, int(rng.integers(8, 21)), apoe4, visits)


def _sessions(person: Participant, rng: np.random.Generator) -> list[_Session]:
    baseline = person.visits[0].day
    sessions: list[_Session] = []
    for visit in person.visits:
        if visit.code not in _SCANNED:
            continue
        day = visit.day + timedelta(days=int(rng.integers(-25, 45)))
        taken = datetime.combine(day, time(int(rng.integers(8, 18)), int(rng.integers(0, 50)), 44))
        number, series = int(rng.integers(20000, 900000)), int(rng.integers(14000, 250000))
        t1w, *others = [
            Image("ADNI", person.ptid, words, taken + timedelta(minutes=8 * ("-R" in words)), number + 7 * place,
                  series + ("-R" in words), processed=";" in words)
            for place, words in enumerate(_T1W[person.phase])
        ]  # fmt: skip
        flair = replace(t1w, description="Sagittal 3D FLAIR", number=number + 40, series=series + 5)
        beside = [
            *others,
            replace(t1w, description="3 Plane Localizer", number=number + 50, processed=False),
            replace(t1w, description="Axial DTI", number=number + 51, series=series + 6, processed=False),
            replace(t1w, description="AV45 Coreg Avg", number=number + 52, series=series + 7, modality="PT"),
        ]
        age = person.age + (day - baseline).days / 365.25
        has_xml = (person.subject.number + len(sessions)) % 2 == 0
        has_flair = person.phase == "ADNI3"
        sessions.append(_Session(person, visit, age, t1w, flair if has_flair else None, tuple(beside), has_xml))
    return sessions


def _scans(session: _Session) -> list[ScanFile]:
    subject = replace(session.person.subject, age=round(session.age, 2))
    axes = {"ADNI1": "RAS", "ADNI2": "PSR", "ADNI3": "PIL"}[session.person.phase]
    told = Told(
        session.person.ptid, session.t1w.session, None, ("date", session.t1w.session), session.facts(session.t1w)
    )
    scans = [
        ScanFile(
            subject, "T1w", session.t1w.folder if session.is_dicom else session.t1w.path, axes=axes, with_skull=True,
            singleton=session.person.phase == "ADNI1",
            dicom=session.t1w.series_of(_tags(session)) if session.is_dicom else None, told=told,
        )
    ]  # fmt: skip
    if session.flair is not None:
        of_flair = replace(told, facts=session.facts(session.flair))
        scans.append(ScanFile(subject, "FLAIR", session.flair.path, axes=axes, with_skull=True, told=of_flair))
    return scans


def _labels(person: Participant) -> list[ToldLabel]:
    name = person.ptid
    labels = [sex_label(name, person.subject.sex), ToldLabel(name, "education_years", person.education, "years")]
    if person.apoe4 is not None:
        labels.append(ToldLabel(name, "apoe4_alleles", person.apoe4))
    for visit in person.visits:
        when = ("date", visit.day.isoformat())
        labels.append(ToldLabel(name, "diagnosis", visit.diagnosis, when=when))
        if visit.mmse is not None:
            labels.append(ToldLabel(name, "mmse", visit.mmse, when=when))
    return labels


def _listed(session: _Session) -> list[Listed]:
    person = session.person
    group, sex = person.visits[0].diagnosis, sex_code(person.subject, "M", "F")
    images = [session.t1w, *session.beside, *([session.flair] if session.flair else [])]
    return [
        Listed(image, group, sex, round(session.age), session.visit.code, "PET" if image.modality == "PT" else "MRI")
        for image in images
    ]


def _scanner(person: Participant) -> tuple[str, str, str]:
    return _SCANNERS[int(person.ptid[:3]) % len(_SCANNERS)]


def _tags(session: _Session) -> dict[str, str | float]:
    maker, _, model = _scanner(session.person)
    return {
        "Manufacturer": maker, "ManufacturerModelName": model, "MagneticFieldStrength": session.tesla,
        "SliceThickness": 1.2, "PatientID": session.person.ptid,
    }  # fmt: skip


def _protocol(session: _Session) -> dict[str, str]:
    maker, _, model = _scanner(session.person)
    return {
        "Manufacturer": maker, "Mfg Model": model, "Field Strength": f"{session.tesla}", "TR": "2400.0", "TE": "3.6",
        "TI": "1000.0", "Pixel Spacing X": "1.25", "Pixel Spacing Y": "1.25", "Slice Thickness": "1.2",
        "Matrix X": "192.0", "Matrix Y": "192.0", "Matrix Z": "160.0",
    }  # fmt: skip
