"""The vision transformer and its tokens."""

import subprocess
import sys
from typing import Any

import pytest
import timm
import torch

from braindino.encoders import NETWORKS, NetworkConfig, build_network
from braindino.encoders.network import get_network
from braindino.errors import ConfigError
from tests.encoders.helpers import TINY, tiny_network


@pytest.mark.parametrize(("height", "width"), [(32, 24), (8, 8), (40, 16)])
def test_tokens_have_one_patch_per_square_of_the_image(height: int, width: int) -> None:
    cls, patches = tiny_network().forward_tokens(torch.rand(3, 1, height, width))
    assert cls.shape == (3, 16)
    assert patches.shape == (3, (height // 8) * (width // 8), 16)


def test_patches_are_in_row_major_order() -> None:
    network = tiny_network().eval()
    image = torch.zeros(1, 1, 32, 24)
    changed = image.clone()
    changed[0, 0, 8:16, 16:24] = 1.0  # row 1, column 2 of a 4 x 3 grid: patch 5
    difference = (network.forward_tokens(changed)[1] - network.forward_tokens(image)[1]).norm(dim=-1)[0]
    assert difference.argmax() == 1 * 3 + 2


def test_a_masked_patch_hides_its_pixels_from_every_token() -> None:
    network = tiny_network().eval()
    image = torch.rand(1, 1, 32, 24)
    other = image.clone()
    other[0, 0, :8, :8] = torch.rand(8, 8)  # patch 0
    hidden = torch.zeros(1, 12, dtype=torch.bool)
    hidden[0, 0] = True
    for seen, same in ((None, False), (hidden, True)):
        first, second = network.forward_tokens(image, seen), network.forward_tokens(other, seen)
        assert torch.equal(first[0], second[0]) is same
        assert torch.equal(first[1], second[1]) is same


def test_the_mask_token_learns_from_masked_patches() -> None:
    network = tiny_network()
    mask = torch.zeros(2, 12, dtype=torch.bool)
    mask[0, 3] = True
    network.forward_tokens(torch.rand(2, 1, 32, 24), mask)[1].sum().backward()
    assert network.mask_token.grad is not None
    assert network.mask_token.grad.abs().sum() > 0


@pytest.mark.parametrize("name", ["vit_small", "vit_base"])
def test_the_published_sizes_are_timms_dinov3(name: str) -> None:
    with torch.device("meta"):
        ours = build_network(NETWORKS[name]).backbone.state_dict()
    theirs = timm.create_model(f"{name}_patch16_dinov3", in_chans=1, device="meta").state_dict()
    assert {key: value.shape for key, value in ours.items()} == {k: v.shape for k, v in theirs.items()}


def test_an_unknown_network_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean vit_small"):
        get_network("vit_smal")


def test_sizes_that_cannot_work_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"multiple of 4 x heads \(4 x 3\)"):
        NetworkConfig("odd", TINY.image_size, patch_size=8, width=16, depth=1, heads=3)
    with pytest.raises(ConfigError, match=r"network.depth is 0"):
        NetworkConfig("flat", TINY.image_size, patch_size=8, width=16, depth=0, heads=2)


def test_training_rooms_do_not_need_the_imaging_stack() -> None:
    """A GPU machine may have torch, timm and tensorstore only."""
    code = (
        "import sys\n"
        "for name in ('zarr', 'nibabel', 'SimpleITK', 'sklearn', 'nilearn', 'scipy', 'prefect', 'duckdb'):\n"
        "    sys.modules[name] = None\n"
        "import braindino.encoders, braindino.pretraining\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("size", [(32, 24), (40, 16)])
def test_training_runs_blocks_with_the_numbers_of_timms_own(size: tuple[int, int]) -> None:
    network = tiny_network().eval()
    images = torch.rand(3, 1, *size)
    cls, patches = network.forward_tokens(images)
    theirs = network.backbone.forward_features(images)  # type: ignore[operator]
    torch.testing.assert_close(cls, theirs[:, 0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(patches, theirs[:, -patches.shape[1] :], rtol=1e-5, atol=1e-5)


def test_a_dropped_branch_is_left_out_and_a_kept_one_scaled() -> None:
    network = tiny_network().eval()
    images = torch.rand(2, 1, 32, 24)
    whole = torch.ones(2, 2, 2)  # [depth, branch, sample]
    torch.testing.assert_close(network.forward_tokens(images, None, whole)[0], network.forward_tokens(images)[0])
    dropped = whole.clone()
    dropped[:, :, 1] = 0
    first, second = network.forward_tokens(images, None, dropped)[0]
    torch.testing.assert_close(first, network.forward_tokens(images)[0][0])
    # With no branch left, every image's CLS token is the parameter itself, normalised.
    backbone: Any = network.backbone
    torch.testing.assert_close(second, backbone.norm(backbone.cls_token)[0, 0])
