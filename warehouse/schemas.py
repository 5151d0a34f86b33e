"""The tables of the feature store, declared once: a pyarrow schema per table, with a description per column.

Every row is an appended event. `recorded_at` and `job_id` are added at the write; the marts show the latest
event per key, so writers never conflict and nothing is ever updated in place.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

TEXT, INT, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
VECTOR = pa.list_(pa.float32())


@dataclass(frozen=True)
class Table:
    """One event table: its name, the columns that make its key, what a row says, and its schema."""

    name: str
    key: tuple[str, ...]
    description: str
    schema: pa.Schema


def _table(name: str, description: str, key: Iterable[str], columns: Iterable[tuple[str, pa.DataType, str]]) -> Table:
    stamped = [
        *columns,
        ("recorded_at", pa.timestamp("us", tz="UTC"), "when the event was written"),
        ("job_id", TEXT, "the flow run that wrote it"),
    ]
    fields = [
        pa.field(column, kind, nullable=column not in key, metadata={"description": text})
        for column, kind, text in stamped
    ]
    return Table(name, tuple(key), description, pa.schema(fields, metadata={"description": description}))


DATASETS = _table(
    "datasets",
    "A dataset as it was found at one ingest.",
    ("dataset",),
    [
        ("dataset", TEXT, "its name in this home"),
        ("adapter", TEXT, "the adapter that read it"),
        ("same_as", TEXT, "the dataset of this home that the same adapter read before from the same folder; else null"),
        ("title", TEXT, "what it is called in full"),
        ("licence", TEXT, "the licence or agreement its owners state"),
        ("restrictions", TEXT, "restrictions of use, as its owners state them"),
        ("homepage", TEXT, "where its owners describe and give it"),
        ("synthetic", FLAG, "made by a generator, not acquired from people"),
        ("n_scans", INT, "scans that the source lists"),
        ("n_subjects", INT, "subjects that the source lists"),
    ],
)

RECIPES = _table(
    "recipes",
    "A preprocessing recipe with all of its parameters.",
    ("recipe_id",),
    [
        ("recipe_id", TEXT, "name plus hash of everything that changes the voxels"),
        ("name", TEXT, "the recipe's name"),
        ("parameters", TEXT, "its parameters, as JSON"),
        ("imaging_version", INT, "version of the imaging room"),
    ],
)

SCANS = _table(
    "scans",
    "What became of one scan under one recipe.",
    ("recipe_id", "scan_id"),
    [
        ("scan_id", TEXT, "stable hash of dataset and source-native key"),
        ("recipe_id", TEXT, "the recipe"),
        ("dataset", TEXT, "the dataset's name in this home"),
        ("synthetic", FLAG, "made by a generator, not acquired from a person"),
        ("subject", TEXT, "the source's subject id"),
        ("session", TEXT, "the source's session id"),
        ("contrast", TEXT, "T1w, T1c, T2w, FLAIR, PD, ..."),
        ("run", TEXT, "the source's repeat number"),
        ("when", TEXT, "when it was acquired: a date, an offset or an age, as when_kind says; null if unknown"),
        ("when_kind", TEXT, "date, shifted_date, offset_days or age_years"),
        ("when_precision", TEXT, "day, month or year"),
        ("source_key", TEXT, "the source's own ids and entities of this volume"),
        ("source_path", TEXT, "the image's path relative to the dataset's root"),
        ("source_bytes", INT, "size of the scan's files on disk"),
        ("source_fingerprint", TEXT, "hash of names, sizes and modification times of its files"),
        ("description_hash", TEXT, "hash of what the adapter says of it"),
        ("content_hash", TEXT, "hash of decoded voxels and affine, of mask and segmentation too"),
        ("status", TEXT, "stored, refused, absent, pending or, in the mart, excluded"),
        ("reason", TEXT, "reason code of a refusal"),
        ("message", TEXT, "the refusal in one sentence"),
        ("mask_method", TEXT, "provided, nonzero, atlas, or a program with the SHA-256 of its weights"),
        ("mask_score", REAL, "the mask's own figure of trust (atlas: mutual information; else null)"),
        ("brain_ml", REAL, "volume of the brain mask, ml"),
        ("cropped_ml", REAL, "brain volume outside the canvas, ml"),
        ("mask_components", INT, "connected parts of the brain mask"),
        ("border_fraction", REAL, "share of the mask's surface on the border of the acquired field of view"),
        ("template_overlap", REAL, "Dice of the brain mask and the ICBM152 brain laid on it, 0 to 1"),
        ("clip_high", REAL, "share of the brain's voxels at the image's largest value"),
        ("clip_low", REAL, "share of the brain's voxels at the image's smallest value"),
        ("snr", REAL, "signal to noise of the brighter of two tissues: mean / standard deviation of the noise"),
        ("cnr", REAL, "contrast to noise of two tissues: difference of their means / standard deviation of the noise"),
        ("bias_ratio", REAL, "99th over 1st percentile of the bias field that was divided out; null if it was kept"),
        ("n_slices", INT, "stored slices"),
        ("plane", TEXT, "axial, coronal or sagittal: the plane of the stored slices"),
        ("spacing_x", REAL, "acquired voxel size towards the right, mm"),
        ("spacing_y", REAL, "acquired voxel size towards anterior, mm"),
        ("spacing_z", REAL, "acquired voxel size towards superior, mm"),
        ("matrix_x", INT, "acquired voxels towards the right"),
        ("matrix_y", INT, "acquired voxels towards anterior"),
        ("matrix_z", INT, "acquired voxels towards superior"),
        ("orientation", TEXT, "axis codes of the file, such as RAS or LPI"),
        ("oblique_degrees", REAL, "largest angle between a voxel axis and its nearest world axis"),
        ("through_plane_mm", REAL, "spacing between stored slices, mm"),
        ("repairs", TEXT, "what was repaired in the header, separated by semicolons"),
        ("overruled", TEXT, "refusals that a person overruled, as reason: sentence, separated by semicolons"),
        ("vendor", TEXT, "scanner vendor"),
        ("model", TEXT, "scanner model"),
        ("field_strength", REAL, "tesla"),
        ("slice_thickness", REAL, "mm, as the source states it"),
        ("site", TEXT, "where it was acquired"),
        *(
            (f"{fact}_source", TEXT, f"where {fact} came from: sidecar, table, path, documentation or manifest")
            for fact in ("vendor", "model", "field_strength", "slice_thickness", "site")
        ),
        ("has_segmentation", FLAG, "a segmentation is stored beside the slices"),
        ("segmentation_codes", TEXT, "what the numbers of the segmentation mean, as code=meaning; ..."),
        ("p0_1", REAL, "in-brain intensity percentile 0.1"),
        ("p0_5", REAL, "in-brain intensity percentile 0.5"),
        ("p1", REAL, "in-brain intensity percentile 1"),
        ("p99", REAL, "in-brain intensity percentile 99"),
        ("p99_5", REAL, "in-brain intensity percentile 99.5"),
        ("p99_9", REAL, "in-brain intensity percentile 99.9"),
        ("intensity_mean", REAL, "in-brain mean"),
        ("intensity_std", REAL, "in-brain standard deviation"),
        ("store_path", TEXT, "the Zarr group, relative to the home"),
        ("store_bytes", INT, "bytes of the Zarr group"),
        ("store_sha256", TEXT, "SHA-256 over names, sizes and bytes of the group's files"),
        ("seconds", REAL, "wall time from reading to stored slices"),
        ("imaging_version", INT, "version of the imaging room"),
    ],
)

SLICES = _table(
    "slices",
    "One stored slice.",
    ("recipe_id", "scan_id", "content_hash", "slice_index"),
    [
        ("recipe_id", TEXT, "the recipe"),
        ("scan_id", TEXT, "the scan"),
        ("content_hash", TEXT, "the content it was made from"),
        ("slice_index", INT, "index into the stored array, from inferior (axial)"),
        ("position_mm", REAL, "world coordinate of the slice along its axis, mm"),
        ("brain_mm2", REAL, "area of brain, square millimetres"),
        ("lesion_mm2", REAL, "area of the segmentation, square millimetres; null without one"),
    ],
)

LABELS = _table(
    "labels",
    "One fact about a subject or one of its sessions.",
    ("dataset", "subject", "session", "label", "when"),
    [
        ("dataset", TEXT, "the dataset"),
        ("subject", TEXT, "the source's subject id"),
        ("session", TEXT, "the session it belongs to; empty for a fact of the subject"),
        ("label", TEXT, "what is stated: age, sex, diagnosis, ..."),
        ("value", TEXT, "the statement, if text"),
        ("number", REAL, "the statement, if a number"),
        ("unit", TEXT, "unit of the number"),
        ("when", TEXT, "when it held: a date, an offset or an age, as when_kind says; empty if unknown"),
        ("when_kind", TEXT, "date, shifted_date, offset_days or age_years"),
        ("when_precision", TEXT, "day, month or year"),
    ],
)

SUBJECT_LINKS = _table(
    "subject_links",
    "Two names of one person, as a table of a dataset states it.",
    ("dataset", "subject", "other_dataset", "other_subject"),
    [
        ("dataset", TEXT, "the dataset that states it"),
        ("subject", TEXT, "the person's name there"),
        ("other_dataset", TEXT, "the other dataset, by its adapter's name or its name in this home"),
        ("other_subject", TEXT, "the person's name there"),
        ("evidence", TEXT, "the table that states it"),
        ("withdrawn", FLAG, "the dataset no longer states it"),
    ],
)

FINGERPRINTS = _table(
    "fingerprints",
    "What a stored brain looks like, so that a copy of the scan is recognised under any name.",
    ("recipe_id", "scan_id", "content_hash", "fingerprint_version"),
    [
        ("recipe_id", TEXT, "the recipe of the slices it was computed from"),
        ("scan_id", TEXT, "the scan"),
        ("content_hash", TEXT, "the content it was computed from"),
        ("fingerprint_version", INT, "version of the fingerprint"),
        ("fingerprint", pa.binary(), "the fingerprint, as braindino.evaluation writes it; null where it has none"),
    ],
)

SCAN_COPIES = _table(
    "scan_copies",
    "Two scans that were compared as images and found to be copies of one acquisition, or the same brain.",
    ("scan_id", "content_hash", "other_scan_id", "other_content_hash", "fingerprint_version"),
    [
        ("scan_id", TEXT, "the first scan"),
        ("content_hash", TEXT, "its content"),
        ("other_scan_id", TEXT, "the second scan"),
        ("other_content_hash", TEXT, "its content"),
        ("fingerprint_version", INT, "version of the fingerprint"),
        ("grade", TEXT, "copy, or same_person: a hint that links nobody"),
        ("score", REAL, "how alike their finest detail is, 0 to 1"),
        ("likeness", REAL, "how alike the anatomy is, 0 to 1"),
    ],
)

COMPARED_SCANS = _table(
    "compared_scans",
    "A scan that has been compared, as an image, with all that were stored at the time.",
    ("scan_id", "content_hash", "fingerprint_version"),
    [
        ("scan_id", TEXT, "the scan"),
        ("content_hash", TEXT, "its content"),
        ("fingerprint_version", INT, "version of the fingerprint"),
    ],
)

OVERRULES = _table(
    "overrules",
    "What a person decided about a scan; it stands above the rules, whatever is read later.",
    ("scan_id",),
    [
        ("scan_id", TEXT, "the scan, under every recipe"),
        ("dataset", TEXT, "its dataset"),
        ("verdict", TEXT, "exclude: it is not used; accept: it is, in spite of the refusals named in reasons"),
        ("reasons", TEXT, "reason codes of refusals that do not count, separated by semicolons; null for none"),
        ("image_hash", TEXT, "hash of the voxels and affine that the refusals do not count for; null for none"),
        ("why", TEXT, "why, in the person's words"),
        ("who", TEXT, "the person's login name"),
    ],
)

EXTERNAL_DATASETS = _table(
    "external_datasets",
    "A dataset kept for external testing: nobody in it is used for pretraining or for training a head.",
    ("dataset",),
    [("dataset", TEXT, "the dataset's name in this home")],
)

HOLDOUTS = _table(
    "holdouts",
    "A subject frozen for the test of a task before pretraining.",
    ("task", "dataset", "subject"),
    [
        ("task", TEXT, "the task"),
        ("dataset", TEXT, "the dataset"),
        ("subject", TEXT, "the source's subject id"),
        ("seed", INT, "seed of the draw"),
        ("test_fraction", REAL, "share of the subjects that was asked for"),
    ],
)

TRAININGS = _table(
    "trainings",
    "A pretraining job, at its start and at its end.",
    ("training_id",),
    [
        ("training_id", TEXT, "name plus hash of configuration, data and room version"),
        ("status", TEXT, "started, finished, stopped or failed"),
        ("message", TEXT, "why it stopped or failed"),
        ("configuration", TEXT, "the whole configuration, as JSON"),
        ("recipe_id", TEXT, "the recipe of its slices"),
        ("snapshot_id", TEXT, "the snapshot it read"),
        ("synthetic", FLAG, "some of its scans are synthetic"),
        ("n_subjects", INT, "subjects it was given"),
        ("n_scans", INT, "scans it was given"),
        ("n_slices", INT, "slices it was given"),
        ("images_seen", INT, "images drawn so far"),
        ("seconds", REAL, "wall time"),
        ("checkpoint_path", TEXT, "its last checkpoint, relative to the home"),
        ("encoder_id", TEXT, "the encoder it gave, once finished"),
        ("pretraining_version", INT, "version of the pretraining room"),
    ],
)

TRAINING_SUBJECTS = _table(
    "training_subjects",
    "A subject that a training was given.",
    ("training_id", "dataset", "subject"),
    [
        ("training_id", TEXT, "the training"),
        ("dataset", TEXT, "the dataset"),
        ("subject", TEXT, "the source's subject id"),
        ("n_scans", INT, "its scans"),
    ],
)

TRAINING_METRICS = _table(
    "training_metrics",
    "One figure at one step of a training.",
    ("training_id", "step", "metric"),
    [
        ("training_id", TEXT, "the training"),
        ("step", INT, "optimiser steps done"),
        ("images_seen", INT, "images drawn so far"),
        ("metric", TEXT, "loss, loss_dino, loss_ibot, loss_koleo, effective_rank, ..."),
        ("value", REAL, "its value"),
    ],
)

ENCODERS = _table(
    "encoders",
    "What turns slices into features.",
    ("encoder_id",),
    [
        ("encoder_id", TEXT, "name plus hash of weights, architecture, input convention and precision"),
        ("name", TEXT, "a name for people"),
        ("kind", TEXT, "checkpoint, random or timm"),
        ("width", INT, "length of a token"),
        ("weights_sha256", TEXT, "of the weights' file; null for random weights"),
        ("weights_path", TEXT, "the file, relative to the home where it lies inside"),
        ("architecture", TEXT, "network and input convention, as JSON"),
        ("precision", TEXT, "float32 or bfloat16"),
        ("training_id", TEXT, "the training that made it; null if none here"),
        ("pretrained_on", TEXT, "what is known of the subjects it has seen"),
        ("encoders_version", INT, "version of the encoders room"),
    ],
)

EMBEDDINGS = _table(
    "embeddings",
    "One vector of one scan.",
    ("encoder_id", "recipe_id", "scan_id", "content_hash", "pooling"),
    [
        ("encoder_id", TEXT, "the encoder"),
        ("recipe_id", TEXT, "the recipe of the slices"),
        ("scan_id", TEXT, "the scan"),
        ("content_hash", TEXT, "the content it was made from"),
        ("pooling", TEXT, "cls_mean or brain_mean"),
        ("n_slices", INT, "slices it is a mean of"),
        ("embedding", VECTOR, "the vector"),
    ],
)

FITS = _table(
    "fits",
    "One head fitted on frozen features.",
    ("fit_id",),
    [
        ("fit_id", TEXT, "hash of everything that changes its numbers"),
        ("task", TEXT, "the task"),
        ("encoder_id", TEXT, "the encoder, or the floor as floor:<name>"),
        ("recipe_id", TEXT, "the recipe"),
        ("pooling", TEXT, "the pooling; empty for a floor"),
        ("head", TEXT, "logistic, ridge or knn"),
        ("fraction", REAL, "share of the training subjects used"),
        ("seed", INT, "seed of the subset and of the inner folds"),
        ("hyperparameters", TEXT, "those selected inside the training fold, as JSON"),
        ("grid", TEXT, "those it could select from, as JSON"),
        ("classes", TEXT, "class names in the order of the scores, as JSON; null for regression"),
        ("data_hash", TEXT, "hash of scans, contents, targets and splits"),
        ("n_train", INT, "training subjects"),
        ("n_test", INT, "test subjects"),
        ("seen_test_subjects", INT, "test subjects the encoder saw in pretraining; null if unknown"),
        ("synthetic", FLAG, "some of its scans are synthetic"),
        ("snapshot_id", TEXT, "the snapshot it read"),
        ("seconds", REAL, "wall time"),
        ("heads_version", INT, "version of the heads room"),
        ("evaluation_version", INT, "version of the evaluation room"),
    ],
)

PREDICTIONS = _table(
    "predictions",
    "One prediction for one scan of a test split.",
    ("fit_id", "scan_id"),
    [
        ("fit_id", TEXT, "the fit"),
        ("scan_id", TEXT, "the scan"),
        ("content_hash", TEXT, "the content its features were made from"),
        ("subject_uid", TEXT, "the person, at the time of the fit"),
        ("split", TEXT, "test, or external:<dataset>"),
        ("target", TEXT, "the true class, if a classification"),
        ("target_number", REAL, "the true number, if a regression"),
        ("predicted", TEXT, "the predicted class"),
        ("predicted_number", REAL, "the predicted number"),
        ("scores", pa.list_(pa.float64()), "probability per class, in the order of the fit's classes"),
    ],
)

METRICS = _table(
    "metrics",
    "One figure of one fit.",
    ("fit_id", "split", "metric"),
    [
        ("fit_id", TEXT, "the fit"),
        ("task", TEXT, "the task"),
        ("encoder_id", TEXT, "the encoder, or the floor as floor:<name>"),
        ("recipe_id", TEXT, "the recipe"),
        ("pooling", TEXT, "the pooling; empty for a floor"),
        ("head", TEXT, "logistic, ridge or knn"),
        ("fraction", REAL, "share of the training subjects used"),
        ("seed", INT, "seed of the subset and of the inner folds"),
        ("split", TEXT, "test, or external:<dataset>"),
        ("metric", TEXT, "auc, balanced_accuracy, mae, r2, ..."),
        ("value", REAL, "its value"),
        ("ci_low", REAL, "2.5th percentile of the bootstrap over subjects"),
        ("ci_high", REAL, "97.5th percentile of the bootstrap over subjects"),
        ("n", INT, "test subjects"),
        ("n_scans", INT, "test scans"),
        ("n_smallest_class", INT, "test subjects in the smallest class; null for regression"),
        ("smoke_test", FLAG, "under 20 test subjects (per class): the value shows that it runs, no more"),
        ("synthetic", FLAG, "some of its scans are synthetic"),
        ("snapshot_id", TEXT, "the snapshot it read"),
    ],
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        DATASETS, RECIPES, SCANS, SLICES, LABELS, SUBJECT_LINKS, FINGERPRINTS, SCAN_COPIES, COMPARED_SCANS, OVERRULES,
        HOLDOUTS, EXTERNAL_DATASETS, TRAININGS, TRAINING_SUBJECTS,
        TRAINING_METRICS, ENCODERS, EMBEDDINGS, FITS, PREDICTIONS, METRICS,
    )
}  # fmt: skip
