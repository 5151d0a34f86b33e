"""Does pretraining learn? Embeddings of held-out people, trained against random weights, over three seeds.

    python -m tests.benchmarks.bench_learning HOME --tasks synthetic|real [--images 40000] [--seeds 0 1 2] [--set ...]

HOME holds scans ingested under `--recipe`. Half of the people, chosen by a hash of their names, are kept out of
pretraining; linear heads (logistic or ridge, their penalty chosen among training people) are fitted on the other half
and judged on those kept out. The tasks are named here, before anything is trained, and all are reported:

    synthetic: age, sex, diagnosis, lesion, contrast, of scans
    real:      contrast, dataset and height (the slice's place from bottom to top), of single slices

Scores are the area under the ROC curve (its mean over classes) or, for numbers, the share of pairs in their true order.
The difference to the same network with its initial weights is averaged over seeds; its interval is a bootstrap over
people, paired. `--gram` also trains each seed with Gram anchoring and compares the two.
"""

import argparse
import dataclasses
import hashlib
import json
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import warehouse
from braindino.encoders.network import TokenNetwork
from braindino.encoders.pool import patch_brain_fraction
from braindino.pretraining import PretrainConfig, load_config, read_checkpoint, train
from braindino.pretraining.step import initial_state
from braindino.pretraining.team import Team
from braindino.slices import ScanRef, apply_window, open_scan, window_bounds

TASKS = {"synthetic": ("age", "sex", "diagnosis", "lesion", "contrast"), "real": ("contrast", "dataset", "height")}
SETTINGS = (
    "run.precision=bfloat16", "schedule.ema_momentum=0.99", "optimiser.learning_rate=2e-3", "run.keep=1",
    "schedule.warmup_images=4000", "schedule.freeze_last_layer_images=1000", "run.log_every=100",
)  # fmt: skip
SLICES = 12
CPU = Team(torch.device("cpu"))


@dataclass(frozen=True)
class Case:
    """One scan, its person and its labels."""

    ref: ScanRef
    held_out: bool
    labels: dict[str, str | float]


@dataclass(frozen=True)
class Rows:
    """What heads are fitted on: one row per scan or slice."""

    features: np.ndarray
    people: np.ndarray
    held_out: np.ndarray
    targets: dict[str, np.ndarray]


def cases_of(home: Path, recipe: str) -> list[Case]:
    """The stored axial scans of a home with their labels; half of the people held out."""
    store = warehouse.open(home)
    scans = store.query(
        "select * from scans where status = 'stored' and plane = 'axial' and recipe_id like ? order by scan_id",
        [f"{recipe}-%"],
    ).to_pylist()
    told: dict[str, dict[str, Any]] = {}
    for row in store.query("select scan_id, label, value, number from labelled_scans").to_pylist():
        told.setdefault(row["scan_id"], {})[row["label"]] = row["value"] if row["number"] is None else row["number"]
    people = sorted({row["subject_uid"] for row in scans}, key=lambda uid: hashlib.sha256(uid.encode()).digest())
    kept = set(people[: len(people) // 2])
    return [
        Case(
            ScanRef(
                str(home / row["store_path"]),
                row["scan_id"],
                row["subject_uid"],
                row["dataset"],
                row["n_slices"],
                "axial",
            ),
            row["subject_uid"] in kept,
            {**told.get(row["scan_id"], {}), "dataset": row["dataset"]},
        )
        for row in scans
    ]


@torch.no_grad()
def rows_of(network: TokenNetwork, cases: Sequence[Case], tasks: Sequence[str], window: str) -> Rows:
    """CLS and the brain patches' mean, side by side: of every scan, or of single slices where a task needs them."""
    by_slice = "height" in tasks
    features, people, held_out = [], [], []
    targets: dict[str, list[Any]] = {task: [] for task in tasks}
    for case in cases:
        scan = open_scan(case.ref.path)
        places = (np.arange(SLICES) + 0.5) / SLICES
        indices = (places * scan.n_slices).astype(int).tolist()
        low, high = window_bounds(scan.intensity, window)
        stored, brain = scan.image(indices), scan.brain(indices)
        images = torch.from_numpy(np.asarray(apply_window(stored, low, high), np.float32)).unsqueeze(1)
        cls, patches = network.forward_tokens(images)
        share = patch_brain_fraction(torch.from_numpy(brain), network.config.patch_size).flatten(1)
        mean = torch.einsum("bnd,bn->bd", patches, share) / share.sum(1, keepdim=True).clamp_min(1e-6)
        found = torch.cat([cls, mean], dim=1).numpy()
        for row, place in zip(found if by_slice else found.mean(0, keepdims=True), places, strict=False):
            features.append(row)
            people.append(case.ref.subject_uid)
            held_out.append(case.held_out)
            for task in tasks:
                targets[task].append(place if task == "height" else case.labels.get(task))
    return Rows(
        np.array(features),
        np.array(people),
        np.array(held_out),
        {task: np.array(values, dtype=object) for task, values in targets.items()},
    )


def predictions(rows: Rows, task: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of held-out rows: people, targets, predictions [n] or [n, classes], and the classes (empty for numbers)."""
    target = rows.targets[task]
    known = np.array([value is not None for value in target])
    fit, test = known & ~rows.held_out, known & rows.held_out
    if isinstance(target[known][0], (int, float)):
        head = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 5, 13)))
        head.fit(rows.features[fit], target[fit].astype(float))
        return rows.people[test], target[test].astype(float), head.predict(rows.features[test]), np.array([])
    logistic = LogisticRegressionCV(Cs=np.logspace(-4, 1, 6), cv=4, max_iter=2000, scoring="neg_log_loss")
    head = make_pipeline(StandardScaler(), logistic).fit(rows.features[fit], target[fit].astype(str))
    return rows.people[test], target[test].astype(str), head.predict_proba(rows.features[test]), head.classes_


def score(target: np.ndarray, predicted: np.ndarray, classes: np.ndarray) -> float:
    """Mean one-against-rest AUC over the classes there are, or the share of pairs in their true order."""
    if not len(classes):
        order = np.sign(target[:, None] - target[None, :])
        return float((np.sign(predicted[:, None] - predicted[None, :]) == order)[order != 0].mean())
    areas = [
        roc_auc_score(target == name, predicted[:, column])
        for column, name in enumerate(classes)
        if 0 < (target == name).sum() < len(target)
    ]
    return float(np.mean(areas)) if areas else float("nan")


def compare(first: list[Rows], second: list[Rows], task: str, rounds: int = 500) -> dict[str, float]:
    """Scores over seeds, their difference, and its paired bootstrap interval over held-out people."""
    pairs = [(predictions(a, task), predictions(b, task)) for a, b in zip(first, second, strict=True)]
    people = pairs[0][0][0]
    unique = np.unique(people)
    positions = {uid: np.flatnonzero(people == uid) for uid in unique}

    def scores(chosen: np.ndarray) -> np.ndarray:
        return np.array([[score(t[chosen], p[chosen], c) for _, t, p, c in pair] for pair in pairs]).mean(0)

    rng = np.random.default_rng(0)
    draws = [np.concatenate([positions[uid] for uid in rng.choice(unique, len(unique))]) for _ in range(rounds)]
    differences = [one - other for one, other in map(scores, draws)]
    low, high = np.nanquantile(differences, [0.025, 0.975])
    one, other = scores(np.arange(len(people)))
    return {"first": one, "second": other, "difference": one - other, "low": low, "high": high, "people": len(unique)}


def teacher_of(config: PretrainConfig, checkpoint: Path | None) -> TokenNetwork:
    """The teacher of a checkpoint, or as it is before the first step."""
    teacher = initial_state(config, CPU).model.teacher
    if checkpoint is not None:
        teacher.load_state_dict(read_checkpoint(checkpoint)["teacher"])
    return teacher.eval()


def trained(config: PretrainConfig, cases: list[Case], tasks: Sequence[str], folder: Path) -> dict[int, Rows]:
    """Rows of the teacher before the first step and at every milestone, by images seen."""
    train(config, [case.ref for case in cases if not case.held_out], folder)
    window = config.data.window
    curve = {0: rows_of(teacher_of(config, None), cases, tasks, window)}
    for checkpoint in sorted(folder.glob("step-*.pt")):
        images = int(checkpoint.name[5:14]) * config.data.batch_size
        curve[images] = rows_of(teacher_of(config, checkpoint), cases, tasks, window)
    return curve


def report(title: str, tasks: Sequence[str], first: list[Rows], second: list[Rows]) -> None:
    """Print a line per task."""
    print(title)
    for task in tasks:
        found = compare(first, second, task)
        print(
            f"  {task:10} {found['first']:.3f} against {found['second']:.3f}: {found['difference']:+.3f} "
            f"[{found['low']:+.3f}, {found['high']:+.3f}], {found['people']} held-out people",
            flush=True,
        )


def main() -> None:
    """Train, embed, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--tasks", choices=list(TASKS), required=True)
    parser.add_argument("--recipe", default="isotropic_2mm")
    parser.add_argument("--preset", default="vit_tiny_cpu")
    parser.add_argument("--images", type=int, default=40_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--gram", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="key=value")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    tasks, cases = TASKS[options.tasks], cases_of(options.home.resolve(), options.recipe)
    quarter = options.images // 4
    curves, anchored = [], []
    for seed in options.seeds:
        settings = [*SETTINGS, f"run.images={options.images}", f"run.seed={seed}", *options.set]
        config = load_config(options.preset, settings)
        steps = -(-quarter // config.data.batch_size)
        run = dataclasses.replace(config.run, milestone_every=steps, checkpoint_every=10**9, keep=1)
        config = dataclasses.replace(config, run=run)
        with tempfile.TemporaryDirectory() as folder:
            curves.append(trained(config, cases, tasks, Path(folder)))
            print(f"seed {seed} trained", flush=True)
        if options.gram:
            gram = dataclasses.replace(config.gram, weight=2.0, teacher_images=options.images // 2, ramp_images=quarter)
            with tempfile.TemporaryDirectory() as folder:
                anchored.append(trained(dataclasses.replace(config, gram=gram), cases, tasks, Path(folder)))
            print(f"seed {seed} trained with Gram", flush=True)
    people = {case.ref.subject_uid for case in cases}
    print(
        f"{options.tasks}: {len(cases)} scans of {len(people)} people, {options.images:,} images, seeds {options.seeds}"
    )
    print(json.dumps(dataclasses.asdict(config.network)))
    random = [curve[0] for curve in curves]
    for images in sorted(curves[0])[1:]:
        report(f"after {images:,} images, trained against random weights", tasks, [c[images] for c in curves], random)
    last = max(curves[0])
    if anchored:
        report("Gram on against off, at the end", tasks, [c[last] for c in anchored], [c[last] for c in curves])


if __name__ == "__main__":
    main()
