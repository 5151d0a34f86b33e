"""The flow `demo`: the whole line on a small synthetic cohort, from files as downloaded to SQL and a results table."""

import os
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

from prefect import flow

import warehouse
from braindino import phantom
from flows.display import print_rows
from flows.embed import embed
from flows.environment import resolve_home
from flows.fit_heads import fit_heads
from flows.ingest import ingest
from flows.ingest_report import say_summary
from flows.pretrain import PretrainSummary, pretrain
from flows.probe import probe
from flows.results import print_results

RECIPE = "isotropic_2mm"
SEED = 20260


@dataclass(frozen=True)
class Part:
    """One synthetic dataset of the demo: its layout on disk, its name in the home and how many subjects it has."""

    layout: str
    name: str
    subjects: int

    def root(self, raw: Path) -> Path:
        """What the ingest is pointed at."""
        folder = raw / self.name
        return folder / "manifest.csv" if self.layout == "manifest" else folder


PARTS = (
    Part("ixi", "synthetic_ixi", 14),
    Part("bids", "synthetic_bids", 26),
    Part("manifest", "synthetic_clinic", 16),
)

QUESTIONS = (
    (
        "What became of the scans?",
        "select dataset, status, mask_method, reason, count(*) as scans, round(avg(brain_ml)) as brain_ml\n"
        "from scans group by all order by all",
    ),
    (
        "Which other people's T1w scans look most like that of the oldest person, to the trained encoder?",
        "with t1w as (\n"
        "    select s.dataset, s.subject, s.subject_uid, l.number as age, e.embedding\n"
        "    from embeddings e join encoders c using (encoder_id) join scans s using (scan_id)\n"
        "    join labelled_scans l on l.scan_id = s.scan_id and l.label = 'age'\n"
        "    where e.pooling = 'brain_mean' and c.kind = 'checkpoint' and s.contrast = 'T1w'),\n"
        "oldest as (from t1w order by age desc, subject_uid limit 1)\n"
        "select t.dataset, t.subject, t.age, o.age as age_of_oldest,\n"
        "    list_cosine_similarity(t.embedding, o.embedding) as similarity\n"
        "from t1w t join oldest o on t.subject_uid <> o.subject_uid order by similarity desc limit 3",
    ),
    (
        "How far does each contrast tell people's age, and how far does guessing from sex alone?",
        "select s.contrast, count(distinct s.subject_uid) as test_subjects,\n"
        "    avg(abs(p.predicted_number - p.target_number)) filter (e.kind = 'checkpoint') as mae_trained,\n"
        "    avg(abs(p.predicted_number - p.target_number)) filter (p.encoder_id = 'floor:age_sex') as mae_sex_alone\n"
        "from predictions p join scans s using (scan_id) left join encoders e on e.encoder_id = p.encoder_id\n"
        "where p.task = 'age' and p.head = 'ridge' and p.fraction = 1 group by all order by all",
    ),
)


def _say(step: str) -> None:
    print(f"\n--- {step}", flush=True)


def make_cohort(raw: Path) -> None:
    """Writes the synthetic datasets that are not there yet."""
    for part in PARTS:
        folder = raw / part.name
        if (folder / "SYNTHETIC").exists():
            print(f"{part.name}: already there")
            continue
        started = time.perf_counter()
        phantom.write_cohort(part.layout, folder, part.subjects, seed=SEED, workers=os.cpu_count() or 1)
        print(f"{part.name}: {part.subjects} synthetic subjects written in {time.perf_counter() - started:.1f} s")


def _say_pretraining(home: Path, summary: PretrainSummary) -> None:
    verb = "was trained before" if summary.already_done else "trained"
    print(
        f"{summary.training_id} {verb}: {summary.images_seen:,} images from {summary.n_scans} scans in "
        f"{summary.seconds:.0f} s; {summary.n_held_out} scans of the tasks' frozen test subjects were left out."
    )
    curve = warehouse.open(home).query(
        "select metric, arg_min(value, step) as first, arg_max(value, step) as last from training_metrics "
        "where training_id = ? and metric in ('loss', 'loss_dino', 'loss_ibot', 'loss_koleo', 'effective_rank', "
        "'target_entropy') group by metric order by metric",
        [summary.training_id],
    )
    print_rows(("metric", "first", "last"), curve.to_pylist())


def _say_probe(home: Path) -> None:
    print("what it learned, as measured: test subjects that pretraining never saw, trained against random weights")
    print_rows(("task", "metric", "pooling", "trained", "random", "n"), probe(home))


@flow(name="demo", persist_result=False)
def demo(home: str | None = None) -> None:
    """Runs everything on synthetic data; a second run finds everything done.

    Args:
        home: the demo's home folder; by default `demo` inside BRAINDINO_HOME or ./data.
    """
    started = time.perf_counter()
    where = Path(home).resolve() if home else resolve_home(None) / "demo"
    print(
        "BrainDINO demo. Every scan is SYNTHETIC, grown from the ICBM152 template: no figure says anything of people."
    )
    _say("1 of 6: a synthetic cohort in three native layouts")
    make_cohort(where / "raw")
    _say("2 of 6: ingest (read, orient, find the brain, resample, store)")
    for part in PARTS:
        say_summary(ingest(part.layout, str(part.root(where / "raw")), part.name, RECIPE, str(where)))
    _say("3 of 6: freeze the test subjects, then pretrain on the rest")
    trained = pretrain("vit_tiny_cpu", [], RECIPE, str(where))
    _say_pretraining(where, trained)
    _say("4 of 6: embed every scan, with the trained encoder and with random weights")
    embedded = embed(["trained", "random"], RECIPE, str(where))
    print(f"{embedded.computed} scans embedded, {embedded.up_to_date} were up to date")
    _say("5 of 6: fit heads on the frozen features, floors beside them (synthetic data)")
    fitted = fit_heads(recipe=RECIPE, seeds=[0, 1], home=str(where))
    print(f"{fitted.fitted} heads fitted, {fitted.up_to_date} were up to date")
    for line in fitted.skipped:
        print(f"skipped {line}")
    print_results(where, fraction=1.0, metrics=("auc", "mae"))
    _say_probe(where)
    _say("6 of 6: ask in SQL")
    for question, query in QUESTIONS:
        print(f"\n{question}\n" + textwrap.indent(query, "    "))
        table = warehouse.open(where).query(query)
        print_rows(table.column_names, table.to_pylist())
    _say(f"done in {time.perf_counter() - started:.0f} s; the home is {where}")
    print(_next(where))


def _next(home: Path) -> str:
    shown = home.relative_to(Path.cwd()) if home.is_relative_to(Path.cwd()) else home
    return (
        "What to type next:\n"
        f"  export BRAINDINO_HOME={shown}\n"
        '  braindino sql "select * from refusals"\n'
        '  braindino sql "select task, encoder_id, head, fraction, mean, ci_low, ci_high, n from results"\n'
        "  braindino status\n"
        "and on your own data, in a home of its own:\n"
        "  braindino ingest bids /path/to/dataset --home ./data --dry-run"
    )
