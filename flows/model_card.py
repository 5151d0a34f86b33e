"""The card beside an exported encoder: what it saw, how it was trained, how to load it, under whose terms."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import warehouse
from braindino import keys, pretraining
from braindino.encoders import NetworkConfig

Row = dict[str, Any]
CARD_FILE = "MODEL_CARD.md"


@dataclass(frozen=True)
class Card:
    """What a card says of a finished training."""

    training: Row
    """Of `trainings`."""
    scans: list[Row]
    """That it was given."""
    config: pretraining.PretrainConfig
    encoder_id: str
    n_held_out: int
    begun_with: str
    """Whose weights it began with; empty for random ones."""
    metrics: dict[str, float]


def write_card(store: warehouse.Warehouse, card: Card, folder: Path) -> Path:
    """Write the card into the folder of the encoder, in one atomic step."""
    terms = store.query("select dataset, licence, restrictions from datasets").to_pylist()
    path = folder / CARD_FILE
    partial = path.with_name(path.name + ".partial")
    partial.write_text(_text(card, _coverage(card.scans, {row["dataset"]: row for row in terms})))
    partial.replace(path)
    return path


def _coverage(scans: list[Row], terms: dict[str, Row]) -> list[Row]:
    by_dataset: dict[str, list[Row]] = defaultdict(list)
    for scan in scans:
        by_dataset[scan["dataset"]].append(scan)
    return [
        {
            "dataset": f"{name} (synthetic)" if any(scan["synthetic"] for scan in some) else name,
            "subjects": len({scan["subject_uid"] for scan in some}),
            "scans": len(some),
            "slices": sum(scan["n_slices"] for scan in some),
            "contrasts": ", ".join(sorted({scan["contrast"] for scan in some if scan["contrast"]})),
            "licence": terms.get(name, {}).get("licence") or "not stated",
            "restrictions": terms.get(name, {}).get("restrictions"),
        }
        for name, some in sorted(by_dataset.items())
    ]


def _text(card: Card, coverage: list[Row]) -> str:
    row, config, network = card.training, card.config, card.config.network
    synthetic = "**Some of its training data are synthetic.** " if row["synthetic"] else ""
    begun = f"begun with {card.begun_with}" if card.begun_with else "begun with random weights"
    gram = f"Gram anchoring (weight {config.gram.weight})" if config.gram.weight else "no Gram anchoring"
    return f"""---
library_name: timm
license: other
tags: [brain-mri, self-supervised, dinov3]
---

# {card.encoder_id}

The EMA teacher of the training `{row["training_id"]}`: a vision transformer for grey axial brain-MRI slices
({network.name}, {network.depth} blocks of width {network.width}, patches of {network.patch_size} pixels,
{network.registers} registers). {synthetic}Not for clinical use.

## Data

{row["n_subjects"]:,} subjects, {row["n_scans"]:,} scans, {row["n_slices"]:,} axial slices. {card.n_held_out:,} stored
scans of frozen test subjects were left out. Recipe `{row["recipe_id"]}`, snapshot `{row["snapshot_id"]}`.

{_table(coverage)}

## Training

{row["images_seen"]:,} images in batches of {config.data.batch_size:,}, {begun}; DINO, iBOT and KoLeo, {gram};
seed {config.run.seed}, {config.run.precision}, version {row["pretraining_version"]} of pretraining,
{row["seconds"]:,.0f} s. The last figures, as logged:

{_figures(card.metrics)}

The whole configuration: `{keys.canonical_json(config)}`

## Use

Slices are float32 [B, 1, H, W], cut off at the in-brain percentiles of the window `{config.data.window}` and mapped
onto 0..1, 0 outside the brain; H and W are multiples of {network.patch_size}.

```python
{_snippet(network)}
```

With this project: `braindino embed --encoder {card.encoder_id}`.

## Licence

The weights carry what the terms of the datasets above ask of what is made from them; read these before you pass
the weights on.
{_restrictions(coverage)}"""


def _table(coverage: list[Row]) -> str:
    lines = ["| dataset | subjects | scans | slices | contrasts | licence |", "| --- | --: | --: | --: | --- | --- |"]
    return "\n".join(
        lines
        + [
            f"| {row['dataset']} | {row['subjects']:,} | {row['scans']:,} | {row['slices']:,} | {row['contrasts']} | "
            f"{row['licence']} |"
            for row in coverage
        ]
    )


def _figures(metrics: dict[str, float]) -> str:
    wanted = ("loss", "loss_", "effective_rank", "target_entropy", "prototypes_in_use", "agreement", "knn_")
    lines = [f"| {name} | {value:.4g} |" for name, value in sorted(metrics.items()) if name.startswith(wanted)]
    return "\n".join(["| figure | value |", "| --- | --: |", *lines])


def _snippet(network: NetworkConfig) -> str:
    return f"""import timm

encoder = timm.create_model(
    "vit_small_patch16_dinov3", checkpoint_path="encoder.safetensors", num_classes=0, global_pool="token",
    in_chans={network.in_channels}, img_size={network.image_size}, patch_size={network.patch_size},
    embed_dim={network.width}, depth={network.depth}, num_heads={network.heads}, num_reg_tokens={network.registers},
    mlp_ratio={network.mlp_ratio}, dynamic_img_size=True,
).eval()
features = encoder(slices)  # CLS, [B, {network.width}]"""


def _restrictions(coverage: list[Row]) -> str:
    return "".join(f"\n- {row['dataset']}: {row['restrictions']}" for row in coverage if row["restrictions"]) + "\n"
