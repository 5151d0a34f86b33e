"""Files that BIDS datasets have in common."""

from braindino.phantom.layouts.text import json_text


def description(name: str, licence: str, kind: str = "raw") -> str:
    """A `dataset_description.json` that says who made the data: nobody was scanned."""
    made = {"Name": "braindino phantom", "Description": "grown from the ICBM152 template, no person scanned"}
    facts = {"Name": name, "BIDSVersion": "1.9.0", "DatasetType": kind, "License": licence}
    return json_text({**facts, "GeneratedBy": [made]})


def sidecar(image: str) -> str:
    """The path of the sidecar beside a `.nii.gz` image."""
    return image.removesuffix(".nii.gz") + ".json"
