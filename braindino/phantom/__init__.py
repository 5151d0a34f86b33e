"""A synthetic cohort, grown from the ICBM152 template and written in the layouts of real datasets."""

from braindino.phantom.cohort import Subject, make_cohort
from braindino.phantom.layouts import LAYOUTS
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel
from braindino.phantom.render import Rendered, render
from braindino.phantom.write import MARKER, plan_cohort, write_cohort

__all__ = [
    "LAYOUTS",
    "MARKER",
    "Plan",
    "Rendered",
    "ScanFile",
    "Subject",
    "Told",
    "ToldLabel",
    "make_cohort",
    "plan_cohort",
    "render",
    "write_cohort",
]
