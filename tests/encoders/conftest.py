"""timm is imported by this room first, which makes torchvision importable where its operators are missing."""

import braindino.encoders  # noqa: F401
