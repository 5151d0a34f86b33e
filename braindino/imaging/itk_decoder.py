"""Decodes one NRRD or MetaImage file with SimpleITK, in a process of its own.

`python itk_decoder.py SOURCE FOLDER RULE` writes FOLDER/header.json and, if RULE is "first" or "mean", the file
FOLDER/voxels.npy [x, y, z]. It imports nothing of this project, so that it starts fast. ITK's MetaImage reader can be
crashed by a damaged file; here that costs nothing.
"""

import json
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name its own documentation uses


def main(source: str, folder: Path, rule: str) -> None:
    """Reads the header, and the voxels if they are wanted."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(source)
    reader.ReadImageInformation()
    header = {
        "shape": reader.GetSize(),
        "components": reader.GetNumberOfComponents(),
        "type": sitk.GetPixelIDValueAsString(reader.GetPixelIDValue()),
        "spacing": reader.GetSpacing(),
        "origin": reader.GetOrigin(),
        "direction": reader.GetDirection(),
    }
    (folder / "header.json").write_text(json.dumps(header))
    if rule == "header":
        return
    image = reader.Execute()  # a view of its voxels does not keep it alive
    voxels = sitk.GetArrayViewFromImage(image).T
    if voxels.ndim > 3:
        series = voxels.reshape(*voxels.shape[:3], -1, order="F")
        voxels = series[..., 0] if rule == "first" else series.mean(axis=3, dtype=np.float32)
    np.save(folder / "voxels.npy", np.asfortranarray(voxels))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
