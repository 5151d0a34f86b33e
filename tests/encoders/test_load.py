"""Loading encoders, and what an encoder promises."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from braindino.encoders import Encoder, EncoderSpec, load
from braindino.encoders.weights import TRAINING_FORMAT, export_backbone, foreign_state, read_weights, state_sha256
from braindino.errors import CheckpointError, ConfigError
from tests.encoders.helpers import tiny_network

DINOV3 = "vit_small_patch16_dinov3"


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    path = tmp_path / "encoder.safetensors"
    export_backbone(path, tiny_network(seed=1), {"images_seen": "640"})
    return path


@pytest.fixture(scope="module")
def dinov3_state() -> dict[str, torch.Tensor]:
    """A randomly initialised ViT-S of timm, standing for the released weights."""
    torch.manual_seed(0)
    return dict(timm.create_model(DINOV3, pretrained=False, global_pool="token").state_dict())


def checkpoint_encoder(path: Path) -> Encoder:
    return load(EncoderSpec("checkpoint", path=path))


def test_encode_gives_cls_and_a_grid_of_patches(exported: Path) -> None:
    encoder = checkpoint_encoder(exported)
    cls, patches = encoder.encode(torch.rand(5, 32, 24))
    assert cls.shape == (5, 16)
    assert patches.shape == (5, 4, 3, 16)
    assert cls.dtype == patches.dtype == torch.float32
    assert (encoder.width, encoder.patch_size, encoder.kind) == (16, 8, "checkpoint")


def test_slices_are_padded_with_background_to_whole_patches(exported: Path) -> None:
    encoder = checkpoint_encoder(exported)
    odd = torch.rand(2, 27, 19)
    padded = torch.zeros(2, 32, 24)
    padded[:, :27, :19] = odd
    assert torch.equal(encoder.encode(odd).patches, encoder.encode(padded).patches)


def test_an_encoder_is_in_eval_mode_and_never_tracks_gradients(exported: Path) -> None:
    encoder = checkpoint_encoder(exported)
    slices = torch.rand(2, 32, 24, requires_grad=True)
    first, second = encoder.encode(slices), encoder.encode(slices)
    assert not first.cls.requires_grad
    assert torch.equal(first.cls, second.cls)
    assert not encoder._backbone.training


def test_the_exported_encoder_computes_what_the_network_does(exported: Path) -> None:
    slices = torch.rand(2, 32, 24)
    with torch.no_grad():
        cls, patches = tiny_network(seed=1).eval().forward_tokens(slices.unsqueeze(1))
    tokens = checkpoint_encoder(exported).encode(slices)
    torch.testing.assert_close(tokens.cls, cls)
    torch.testing.assert_close(tokens.patches.flatten(1, 2), patches)


def test_the_same_weights_have_the_same_id_in_any_file(exported: Path, tmp_path: Path) -> None:
    weights = read_weights(exported)
    teacher = {f"backbone.{name}": tensor for name, tensor in weights.backbone.items()}
    checkpoint = tmp_path / "step.pt"
    network = {**vars(weights.network), "drop_path": 0.3}
    torch.save({"format": TRAINING_FORMAT, "network": network, "teacher": teacher}, checkpoint)
    first, second = checkpoint_encoder(exported), checkpoint_encoder(checkpoint)
    assert first.encoder_id == second.encoder_id
    assert first.weights_sha256 != second.weights_sha256


def test_the_id_changes_with_weights_and_precision(exported: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    export_backbone(other, tiny_network(seed=2), {})
    ids = {
        checkpoint_encoder(exported).encoder_id,
        checkpoint_encoder(other).encoder_id,
        load(EncoderSpec("checkpoint", path=exported), precision="bfloat16").encoder_id,
    }
    assert len(ids) == 3


def test_random_weights_are_known_by_their_seed() -> None:
    slices = torch.rand(2, 112, 96)
    encoders = [load(EncoderSpec("random", network="vit_micro", seed=seed)) for seed in (3, 3, 4)]
    first, again, other = (encoder.encode(slices).cls for encoder in encoders)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert encoders[0].encoder_id == encoders[1].encoder_id != encoders[2].encoder_id
    assert encoders[0].weights_sha256 is None


def test_loading_leaves_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    load(EncoderSpec("random", network="vit_micro", seed=5))
    assert torch.equal(torch.rand(3), expected)


def test_the_hash_of_weights_covers_names_shapes_and_values() -> None:
    state = {"a": torch.arange(6.0), "b": torch.zeros(2)}
    changed = [
        {"a": torch.arange(6.0), "c": torch.zeros(2)},
        {"a": torch.arange(6.0).view(2, 3), "b": torch.zeros(2)},
        {"a": torch.arange(6.0) + 1, "b": torch.zeros(2)},
        {"a": torch.arange(6.0).half(), "b": torch.zeros(2)},
    ]
    assert state_sha256(state) == state_sha256(dict(reversed(state.items())))
    assert len({state_sha256(other) for other in [state, *changed]}) == 5


def original_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """timm's names turned back into those of the DINOv3 release, with what only its training needs."""
    renamed = {
        name.replace("gamma_1", "ls1.gamma").replace("gamma_2", "ls2.gamma").replace("reg_token", "storage_tokens"): t
        for name, t in state.items()
    }
    width = state["cls_token"].shape[-1]
    renamed["mask_token"] = torch.zeros(1, width)
    renamed["rope_embed.periods"] = torch.ones(16)
    for block in range(12):
        renamed[f"blocks.{block}.attn.qkv.bias_mask"] = torch.zeros(3 * width)
    return renamed


def test_dinov3_files_load_under_either_naming_and_agree_with_timm(
    dinov3_state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    timm_file, original_file = tmp_path / "timm.safetensors", tmp_path / "teacher.pth"
    save_file(dinov3_state, timm_file)
    # As released: under "teacher", each name after "backbone.", beside the heads.
    wrapped = {f"backbone.{name}": tensor for name, tensor in original_names(dinov3_state).items()}
    torch.save({"teacher": {**wrapped, "dino_head.last_layer.weight": torch.zeros(2, 2)}}, original_file)
    encoders = [load(EncoderSpec("timm", path=path, network=DINOV3)) for path in (timm_file, original_file)]
    assert len({encoder.encoder_id for encoder in encoders}) == 1

    slices = torch.rand(1, 40, 33)
    tokens = encoders[1].encode(slices)
    assert tokens.patches.shape == (1, 3, 3, 384)

    reference = timm.create_model(
        DINOV3, pretrained=True, pretrained_cfg_overlay={"file": str(timm_file)}, global_pool="token"
    ).eval()
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    image = torch.nn.functional.pad(slices.unsqueeze(1).expand(-1, 3, -1, -1), (0, 15, 0, 8))
    with torch.no_grad():
        expected = reference.forward_features((image - mean.view(3, 1, 1)) / std.view(3, 1, 1))
    torch.testing.assert_close(tokens.cls, expected[:, 0])
    torch.testing.assert_close(tokens.patches.flatten(1, 2), expected[:, 5:])


def test_weights_under_other_peoples_wrappings_are_found(tmp_path: Path) -> None:
    tensor = torch.arange(3.0)
    for index, content in enumerate(
        [{"a": tensor}, {"model": {"a": tensor}}, {"state_dict": {"a": tensor}}, {"teacher": {"backbone.a": tensor}}]
    ):
        path = tmp_path / f"{index}.pth"
        torch.save({**content, "epoch": 3}, path)
        assert list(foreign_state(path)) == ["a"]


def test_files_that_cannot_be_used_are_refused_in_one_sentence(
    exported: Path, dinov3_state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(exported.read_bytes()[:200])
    short = tmp_path / "short.safetensors"
    save_file({key: value for key, value in dinov3_state.items() if not key.startswith("blocks.11")}, short)
    code = tmp_path / "code.pt"
    torch.save({"teacher": print}, code)
    cases = [
        (EncoderSpec("checkpoint", path=tmp_path / "none.pt"), "There is no weights file"),
        (EncoderSpec("checkpoint", path=damaged), "cannot be read as weights"),
        (EncoderSpec("checkpoint", path=code), "cannot be read as weights"),
        (EncoderSpec("timm", path=short, network=DINOV3), r"lacks blocks\.11.*of another network"),
        (EncoderSpec("timm", path=exported, network=DINOV3), "of another network"),
        (EncoderSpec("checkpoint", path=short), "no checkpoint or encoder of this project"),
    ]
    for spec, sentence in cases:
        with pytest.raises(CheckpointError, match=sentence):
            load(spec)


def test_incomplete_specs_are_refused(exported: Path) -> None:
    for spec, sentence in [
        (EncoderSpec("checkpoint"), "kind checkpoint needs path"),
        (EncoderSpec("random"), "kind random needs network"),
        (EncoderSpec("timm", path=exported, network="resnet50"), "no DINOv3 network 'resnet50'"),
        (EncoderSpec("other"), "Unknown kind of encoder"),  # type: ignore[arg-type]
    ]:
        with pytest.raises(ConfigError, match=sentence):
            load(spec)
    with pytest.raises(ConfigError, match="Unknown precision"):
        load(EncoderSpec("checkpoint", path=exported), precision="float16")  # type: ignore[arg-type]
