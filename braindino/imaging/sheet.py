"""One page on which a person judges a scan in a second: three planes with the mask's outline, figures, verdict.

Views are radiological: the patient's right is on the left of axial and coronal views, and anterior on the left of
sagittal ones. Voxels are shown as they were acquired, in millimetres: those of a thick stack are long.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec, SubplotSpec
from matplotlib.patheffects import withStroke

from braindino.imaging.findings import Finding
from braindino.imaging.volume import Volume
from braindino.planes import PLANE_ACROSS, PLANES

GOOD, BAD, DOUBT, PLAIN = "#1a7f37", "#c62828", "#b26a00", "#5f6b76"
_MASK_COLOUR, _LESION_COLOUR = "#39d353", "#ff7043"
_LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))  # per RAS axis, towards lower and higher coordinates
_STRIP = 9  # slices of the acquired plane
_MARGIN_MM = 28.0  # around the mask: as much of the head as tells whether brain was left out
_WINDOW = (0.5, 99.5)
_LEGEND = "radiological view: the patient's right is on the left    green: brain mask    orange: segmentation"


@dataclass(frozen=True)
class Sheet:
    """What stands on the page.

    `volume` is in RAS order, `mask` and `segmentation` lie on its grid. `positions_mm`, `brain_mm2` and `lesion_mm2`
    are those of the stored slices of the plane `plane`. `colour` is that of the verdict.
    """

    title: str
    verdict: str
    colour: str
    message: str
    volume: Volume | None
    mask: np.ndarray | None = None
    segmentation: np.ndarray | None = None
    plane: str = "axial"
    positions_mm: Sequence[float] = ()
    brain_mm2: Sequence[float] = ()
    lesion_mm2: Sequence[float] | None = None
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def draw(sheet: Sheet) -> Figure:
    """The page, 1500 x 1000 pixels at 100 to the inch; `savefig` writes it."""
    figure = Figure(figsize=(15, 10), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        4, 3, height_ratios=(0.8, 4.6, 1.9, 2.8), left=0.012, right=0.988, top=0.99, bottom=0.055, hspace=0.07,
        wspace=0.03,
    )  # fmt: skip
    _banner(figure.add_subplot(grid[0, :]), sheet)
    if sheet.volume is None:
        nothing = figure.add_subplot(grid[1:3, :])
        nothing.axis("off")
        nothing.text(0.5, 0.5, "nothing of the image can be read", ha="center", color=PLAIN, fontsize=20)
    else:
        view = _View(sheet.volume, sheet.mask, sheet.segmentation)
        for column, axis in enumerate((2, 1, 0)):
            view.show(figure.add_subplot(grid[1, column]), axis, view.middle[axis])
        _strip(figure, grid[2, :], view, sheet.plane)
    _areas(figure.add_subplot(GridSpecFromSubplotSpec(1, 1, grid[3, 0])[0]), sheet)
    _table(figure.add_subplot(grid[3, 1]), sheet.findings)
    _notes(figure.add_subplot(grid[3, 2]), sheet.notes)
    figure.text(0.988, 0.012, _LEGEND, fontsize=9, color=PLAIN, ha="right")
    return figure


class _View:
    """An image with its outlines, cut to what matters, and the grey levels it is shown with."""

    def __init__(self, volume: Volume, mask: np.ndarray | None, segmentation: np.ndarray | None) -> None:
        self.volume, self.mask, self.segmentation = volume, mask, segmentation
        inside = volume.data[mask] if mask is not None and mask.any() else volume.data[volume.data > volume.data.min()]
        low, high = np.percentile(inside, _WINDOW) if inside.size else (0.0, 1.0)
        self.window = (float(low), float(max(high, low + 1e-6)))
        size = np.array(volume.data.shape)
        self.low, self.high = np.zeros(3, int), size - 1
        self.middle = [int(n) // 2 for n in size]
        if mask is not None and mask.any():
            ends = [np.flatnonzero(mask.any(axis=axes))[[0, -1]] for axes in ((1, 2), (0, 2), (0, 1))]
            margin = np.ceil(_MARGIN_MM / volume.spacing).astype(int)
            self.low = np.maximum(0, [end[0] for end in ends] - margin)
            self.high = np.minimum(size - 1, [end[1] for end in ends] + margin)
            self.middle = [int(np.rint(end.mean())) for end in ends]
        if segmentation is not None and segmentation.any():
            # Where most of the lesion is, for it is what has to be looked at.
            sums = (np.count_nonzero(segmentation, axis=axes) for axes in ((1, 2), (0, 2), (0, 1)))
            self.middle = [int(np.argmax(count)) for count in sums]

    def slices(self, axis: int, count: int) -> list[int]:
        """Voxel indices of that many slices, spread over the brain."""
        inner = np.linspace(self.low[axis], self.high[axis], count + 2)[1:-1]
        if self.mask is not None and self.mask.any():
            found = np.flatnonzero(self.mask.any(axis=tuple({0, 1, 2} - {axis})))
            inner = np.linspace(found[0], found[-1], count + 2)[1:-1]
        return [int(index) for index in np.unique(np.rint(inner))]

    def show(self, axes: Axes, axis: int, index: int, letters: bool = True) -> None:
        """One slice across a world axis, with outlines and, at its edges, the directions they face."""
        (across, across_sense), (up, _), _ = PLANES[PLANE_ACROSS[axis]]
        cut = tuple(index if a == axis else slice(self.low[a], self.high[a] + 1) for a in range(3))
        # Both in-plane axes are in RAS order: rows go up, and the limits of the axes turn the columns round.
        spacing = self.volume.spacing
        width, height = (float((self.high[a] - self.low[a] + 1) * spacing[a]) for a in (across, up))
        axes.imshow(
            self.volume.data[cut].T, cmap="gray", origin="lower", interpolation="nearest",
            extent=(0.0, width, 0.0, height), vmin=self.window[0], vmax=self.window[1],
        )  # fmt: skip
        columns = (np.arange(self.high[across] - self.low[across] + 1) + 0.5) * spacing[across]
        rows = (np.arange(self.high[up] - self.low[up] + 1) + 0.5) * spacing[up]
        for drawn, colour in ((self.mask, _MASK_COLOUR), (self.segmentation, _LESION_COLOUR)):
            plane = None if drawn is None else drawn[cut].T > 0
            if plane is not None and plane.any() and min(plane.shape) > 1:
                axes.contour(columns, rows, plane.astype(float), levels=[0.5], colors=[colour], linewidths=1.1)
        axes.set(xlim=(width, 0) if across_sense < 0 else (0, width), ylim=(0, height), xticks=[], yticks=[])
        axes.set_facecolor("black")
        axes.set_aspect("equal")
        if letters:
            left, right = _LETTERS[across][::across_sense]
            for x, y, letter in ((0.02, 0.5, left), (0.98, 0.5, right), (0.5, 0.02, "P" if up == 1 else "I"),
                                 (0.5, 0.98, "A" if up == 1 else "S")):  # fmt: skip
                axes.text(
                    x, y, letter, transform=axes.transAxes, color="#ffd54f", fontsize=13, fontweight="bold",
                    path_effects=[withStroke(linewidth=2.5, foreground="black")],
                    ha={0.02: "left", 0.98: "right"}.get(x, "center"),
                    va={0.02: "bottom", 0.98: "top"}.get(y, "center"),
                )  # fmt: skip


def _strip(figure: Figure, place: SubplotSpec, view: _View, plane: str) -> None:
    axis, sense = PLANES[plane][2]
    chosen = view.slices(axis, _STRIP)[::sense]
    inner = GridSpecFromSubplotSpec(1, len(chosen), place, wspace=0.02)
    for position, index in enumerate(chosen):
        view.show(figure.add_subplot(inner[position]), axis, index, letters=False)


def _banner(axes: Axes, sheet: Sheet) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], facecolor=sheet.colour)
    axes.text(0.008, 0.72, sheet.verdict, color="white", fontsize=17, fontweight="bold", va="center")
    axes.text(0.992, 0.74, _short(sheet.title, 100), color="white", fontsize=11, ha="right", va="center")
    axes.text(0.008, 0.3, "\n".join(_wrapped(sheet.message, 215)[:2]), color="white", fontsize=10, va="center")


def _areas(axes: Axes, sheet: Sheet) -> None:
    """The brain's area from slice to slice: a step or a hole in it is a fault of the mask or of the stack."""
    box = axes.get_position()
    axes.set_position((box.x0 + 0.035, box.y0 + 0.03, box.width - 0.05, box.height - 0.055))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)
    axes.set_title("area of brain per slice, cm²", fontsize=10, loc="left")
    if not len(sheet.positions_mm):
        axes.text(0.5, 0.5, "no slices", transform=axes.transAxes, ha="center", color=PLAIN)
        axes.set(xticks=[], yticks=[])
        return
    axes.fill_between(sheet.positions_mm, np.asarray(sheet.brain_mm2) / 100, color=_MASK_COLOUR, alpha=0.35, lw=0)
    axes.plot(
        sheet.positions_mm, np.asarray(sheet.brain_mm2) / 100, color=GOOD, lw=1.2, marker=".", ms=3.5 if len(
            sheet.positions_mm) < 80 else 0,
    )  # fmt: skip
    if sheet.lesion_mm2 is not None and np.any(np.asarray(sheet.lesion_mm2, float) > 0):
        # Lesions are small beside a brain: they have a scale of their own.
        right = axes.twinx()
        right.plot(sheet.positions_mm, np.asarray(sheet.lesion_mm2, float) / 100, color=_LESION_COLOUR, lw=1.2)
        right.tick_params(labelsize=9, colors=_LESION_COLOUR)
        right.spines[["top", "left"]].set_visible(False)
        right.set_ylim(bottom=0)
        right.set_title("segmentation, cm²", fontsize=10, loc="right", color=_LESION_COLOUR)
    (_, _, (across, _)) = PLANES[sheet.plane]
    low, high = _LETTERS[across]
    axes.set_xlabel(f"{low}  ←  mm  →  {high}      ({sheet.plane} slices)", fontsize=9)
    axes.set_ylim(bottom=0)


def _table(axes: Axes, findings: Sequence[Finding]) -> None:
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    if not findings:
        axes.text(0.5, 0.5, "no figures", ha="center", color=PLAIN)
    for row, finding in enumerate(findings):
        y = 0.955 - row * 0.077
        limited = finding.low is not None or finding.high is not None
        colour = PLAIN if not limited else GOOD if finding.passed else BAD
        weight = "bold" if limited and not finding.passed else "normal"
        axes.text(0.03, y, "●" if limited else "○", color=colour, fontsize=11, va="center")
        axes.text(0.075, y, finding.figure, color=colour, fontsize=10.5, va="center", fontweight=weight)
        axes.text(0.66, y, _number(finding.value, finding.unit), color=colour, fontsize=10.5, va="center", ha="right",
                  fontweight=weight)  # fmt: skip
        axes.text(0.70, y, _limits(finding), color=PLAIN, fontsize=9.5, va="center")


def _number(value: float, unit: str) -> str:
    if unit == "share":
        if 0 < value < 1e-4:
            return "under 0.01 %"
        return f"{100 * value:.2g} %" if value < 0.1 else f"{100 * value:.0f} %"
    text = f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.2f}"
    return f"{text} {unit}".strip()


def _limits(finding: Finding) -> str:
    low, high = (None if limit is None else _number(limit, finding.unit) for limit in (finding.low, finding.high))
    if low and high:
        return f"{low} to {high}"
    return f"at least {low}" if low else f"at most {high}" if high else ""


def _notes(axes: Axes, notes: Sequence[str]) -> None:
    axes.axis("off")
    lines = [line for note in notes for line in _wrapped(note, 66)]
    if len(lines) > 13:
        lines = [*lines[:12], "..."]
    axes.text(0.02, 0.98, "\n".join(lines), transform=axes.transAxes, fontsize=9.5, va="top", color="#24292f",
              linespacing=1.3)  # fmt: skip


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > width and lines[-1]:
            lines.append("  ")
        lines[-1] = f"{lines[-1]} {word}" if lines[-1].strip() else lines[-1] + word
    return lines


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
