"""Let timm be imported where torchvision's compiled operators are not usable.

torchvision's wheel links CUDA; beside a CPU build of torch its import stops at `operator torchvision::nms
does not exist`. A vision transformer needs none of those operators, so declaring their schemas is enough. On
a machine where torchvision imports, nothing happens.
"""

import importlib
import sys

import torch

# A library's definitions live as long as the object does.
_kept: list[torch.library.Library] = []

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def ensure_torchvision() -> None:
    """Make `import torchvision`, and so `import timm`, succeed; call it before the first import of timm.

    Raises whatever else stops the import of torchvision: only the missing operators are dealt with.
    """
    if "torchvision" in sys.modules:
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        if not _kept:
            library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
            for schema in _SCHEMAS:
                library.define(schema)  # type: ignore[no-untyped-call]
            _kept.append(library)
        importlib.import_module("torchvision")
