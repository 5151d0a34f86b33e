"""Beginning at somebody's weights, and giving ours to others."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor

from braindino.encoders import NetworkConfig, build_network
from braindino.encoders.network import token_features
from braindino.errors import CheckpointError
from braindino.pretraining import LogRecord, PretrainConfig, read_checkpoint, train
from braindino.pretraining.config import StartConfig
from braindino.pretraining.start import start_from
from braindino.pretraining.step import initial_state
from braindino.slices import ScanRef
from tests.pretraining.helpers import ALONE, HEAD, NETWORK, same_tensors, tiny_config

Scans = Sequence[ScanRef]


def timm_twin(channels: int) -> torch.nn.Module:
    """timm's own DINOv3 network at the size of these tests."""
    twin: torch.nn.Module = timm.create_model(
        "vit_small_patch16_dinov3", pretrained=False, num_classes=0, global_pool="token", in_chans=channels,
        img_size=NETWORK.image_size, patch_size=NETWORK.patch_size, embed_dim=NETWORK.width, depth=NETWORK.depth,
        num_heads=NETWORK.heads, num_reg_tokens=NETWORK.registers,
    )  # fmt: skip
    return twin.eval()


def original_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """As Meta's releases and BrainDINO's name them."""
    renamed = {}
    for name, tensor in state.items():
        name = (
            name.replace("reg_token", "storage_tokens").replace("gamma_1", "ls1.gamma").replace("gamma_2", "ls2.gamma")
        )
        renamed[f"backbone.{name}"] = tensor
    return renamed


def test_a_training_goes_on_from_a_checkpoint_with_heads(scans: Scans, tmp_path: Path) -> None:
    first = train(tiny_config(), scans, tmp_path / "first")
    state = initial_state(tiny_config(), ALONE)
    sentence = start_from(state.model, StartConfig(str(first.checkpoint)))
    content = read_checkpoint(first.checkpoint)
    assert same_tensors(state.model.student.state_dict(), content["student"])
    assert same_tensors(state.model.teacher.state_dict(), content["teacher"])
    assert "after 8 steps" in sentence
    records: list[LogRecord] = []
    second = tiny_config(start={"weights": str(first.checkpoint)}, crops={"mixed": ((32, 16, 1.0), (24, 8, 2.0))})
    assert train(second, scans, tmp_path / "second", on_log=records.append).finished
    assert "Started from" in records[0].warnings[0]


def test_a_training_goes_on_from_an_exported_encoder(scans: Scans, tmp_path: Path) -> None:
    first = train(tiny_config(), scans, tmp_path / "first")
    state = initial_state(tiny_config(), ALONE)
    assert "without heads" in start_from(state.model, StartConfig(str(first.encoder)))
    teacher = {n: t for n, t in read_checkpoint(first.checkpoint)["teacher"].items() if n.startswith("backbone.")}
    ours = {f"backbone.{name}": tensor for name, tensor in state.model.student.backbone.state_dict().items()}
    assert same_tensors(ours, teacher)


@pytest.mark.parametrize("imagenet", [True, False])
@pytest.mark.parametrize("names", ["timm", "original"])
def test_three_colour_channels_are_folded_exactly(tmp_path: Path, names: str, imagenet: bool) -> None:
    torch.manual_seed(0)
    colour = timm_twin(3)
    path = tmp_path / "weights.pth"
    state = colour.state_dict()
    torch.save({"teacher": original_names(state)} if names == "original" else state, path)
    ours = initial_state(tiny_config(), ALONE).model
    start_from(ours, StartConfig(str(path), imagenet_input=imagenet))
    slices = torch.rand(3, 1, 32, 24)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    shown = (slices - mean) / std if imagenet else slices.expand(-1, 3, -1, -1)
    torch.testing.assert_close(
        token_features(ours.teacher.backbone, slices), colour.forward_features(shown), rtol=1e-4, atol=1e-4
    )


def test_heads_of_a_braindino_style_file_are_taken_where_they_fit(tmp_path: Path) -> None:
    head = {**HEAD, "normalised": False}
    config = tiny_config(dino={"head": head}, ibot={"head": head})
    other = initial_state(tiny_config(run={"seed": 5}), ALONE).model.teacher
    content = original_names(timm_twin(3).state_dict())
    for part in ("dino_head", "ibot_head"):
        for name, tensor in getattr(other, part).state_dict().items():
            content[f"{part}.{name.replace('prototypes', 'last_layer.weight')}"] = tensor
    content["ibot_head.last_layer.weight"] = torch.zeros(99, 8)
    content["backbone.mask_token"] = torch.full((1, 16), 7.0)
    torch.save({"teacher": content}, tmp_path / "braindino.pth")
    model = initial_state(config, ALONE).model
    sentence = start_from(model, StartConfig(str(tmp_path / "braindino.pth"), imagenet_input=False))
    assert sentence.endswith("with dino_head.")
    assert same_tensors(model.student.dino_head.state_dict(), other.dino_head.state_dict())
    assert same_tensors(model.teacher.dino_head.state_dict(), other.dino_head.state_dict())
    tokens = torch.rand(2, 16)
    expected = torch.nn.functional.linear(other.dino_head.project(tokens), other.dino_head.prototypes)
    torch.testing.assert_close(model.teacher.dino_head(tokens), expected)
    assert (model.student.mask_token == 7).all()


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    model = initial_state(tiny_config(), ALONE).model
    with pytest.raises(CheckpointError, match="There is no weights file"):
        start_from(model, StartConfig(str(tmp_path / "none.pth")))
    (tmp_path / "broken.pth").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(CheckpointError, match=r"broken\.pth cannot be read as weights"):
        start_from(model, StartConfig(str(tmp_path / "broken.pth")))
    torch.save(build_network(NetworkConfig("other", (32, 24), 8, 32, 2, 2)).backbone.state_dict(), tmp_path / "o.pth")
    with pytest.raises(CheckpointError, match="are of another network"):
        start_from(model, StartConfig(str(tmp_path / "o.pth")))


def test_timm_loads_what_is_exported(scans: Scans, tmp_path: Path) -> None:
    result = train(tiny_config(run={"images": 8}), scans, tmp_path)
    options = {
        "num_classes": 0, "global_pool": "token", "in_chans": 1, "img_size": NETWORK.image_size,
        "patch_size": NETWORK.patch_size, "embed_dim": NETWORK.width, "depth": NETWORK.depth,
        "num_heads": NETWORK.heads, "num_reg_tokens": NETWORK.registers,
    }  # fmt: skip
    theirs = timm.create_model("vit_small_patch16_dinov3", checkpoint_path=str(result.encoder), **options).eval()
    config: PretrainConfig = tiny_config()
    ours = initial_state(config, ALONE).model
    start_from(ours, StartConfig(str(result.encoder)))
    slices = torch.rand(2, 1, 32, 24)
    torch.testing.assert_close(theirs.forward_features(slices), token_features(ours.teacher.backbone, slices))
