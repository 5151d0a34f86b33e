"""Building small dataset trees for the tests: real names and table lines, images of a few bytes."""

import json
from pathlib import Path

import pytest

from braindino.errors import DatasetError

# What a scan of a subject that was never fetched looks like in a copied git-annex tree (OpenNeuro ds000030).
ANNEX_POINTER = (
    "../../.git/annex/objects/KM/vk/MD5E-s11637742--75cab8005361c2504ba5a7f02ecbacd7.nii.gz/"
    "MD5E-s11637742--75cab8005361c2504ba5a7f02ecbacd7.nii.gz"
)


def write(root: Path, files: dict[str, str | bytes | dict]) -> Path:
    """Writes files by relative path: text as it is (no line-end translation), bytes, or a dict as JSON."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            text = json.dumps(content) if isinstance(content, dict) else content
            path.write_text(text, encoding="utf-8", newline="")
    return root


def bids(root: Path, files: dict[str, str | bytes | dict]) -> Path:
    """A BIDS tree with a dataset_description.json and these files."""
    return write(root, {"dataset_description.json": {"Name": "example", "BIDSVersion": "1.9.0"}, **files})


def values(discovery, label: str) -> dict[str, object]:
    """{subject: value or number} of one label."""
    found = [item for item in discovery.labels if item.label == label]
    return {item.subject: item.value if item.number is None else item.number for item in found}


def problems(adapter, root: Path) -> str:
    """The text of the one error that says why the tree at `root` cannot be read."""
    with pytest.raises(DatasetError) as caught:
        adapter.discover(root, "mine")
    assert caught.value.dataset == "mine"
    return "\n".join(caught.value.problems)
