"""The page shows every view as its letters say, in true proportions, whatever there is to show."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from braindino.imaging import make_volume
from braindino.imaging.findings import findings
from braindino.imaging.sheet import BAD, GOOD, Sheet, draw
from tests.imaging.helpers import brain_volume, ellipsoid

VOLUME = brain_volume()
MASK = VOLUME.data > 0
PLAIN = Sheet("brain.nii", "STORED", GOOD, "", VOLUME, MASK)


def views(figure: Figure) -> list[Axes]:
    """The axes that show an image: axial, coronal, sagittal, then the strip."""
    figure.canvas.draw()  # only then have views their proportions
    return [axes for axes in figure.axes if axes.images]


def letters(axes: Axes) -> dict[str, tuple[float, float]]:
    """Where the letters stand, as fractions of the view from its lower left."""
    return {text.get_text(): text.get_position() for text in axes.texts}


def brightest(axes: Axes) -> tuple[float, float]:
    """Where the brightest voxel is seen, as fractions of the view from its lower left."""
    data = np.asarray(axes.images[0].get_array())
    row, column = np.unravel_index(int(data.argmax()), data.shape)
    left, right, bottom, top = axes.images[0].get_extent()
    x = left + (column + 0.5) / data.shape[1] * (right - left)
    y = bottom + (row + 0.5) / data.shape[0] * (top - bottom)
    seen = axes.transAxes.inverted().transform(axes.transData.transform((x, y)))
    return float(seen[0]), float(seen[1])


def outlined(axes: Axes) -> tuple[float, float]:
    """The middle of what is outlined, likewise."""
    points = np.concatenate([path.vertices for path in axes.collections[0].get_paths()])
    seen = axes.transAxes.inverted().transform(axes.transData.transform(points))
    middle = (seen.min(axis=0) + seen.max(axis=0)) / 2
    return float(middle[0]), float(middle[1])


def test_every_view_faces_as_its_letters_say() -> None:
    """One bright voxel lies to the right, to the front and above: it must be seen beside R, A and S."""
    corner = (30, 38, 30)
    data = np.where(MASK, 100.0, 0.0).astype(np.float32)
    data[corner] = 200
    beside = {0: "R", 1: "A", 2: "S"}
    for column, axis in enumerate((2, 1, 0)):
        marked = np.zeros(data.shape, np.uint8)
        marked[corner] = 1  # the views go through it
        figure = draw(replace(PLAIN, volume=VOLUME.with_data(data), segmentation=marked))
        axes = views(figure)[column]
        at, seen = letters(axes), brightest(axes)
        for world in {0, 1, 2} - {axis}:
            side = 0 if at[beside[world]][0] != 0.5 else 1
            assert (at[beside[world]][side] > 0.5) == (seen[side] > 0.5), (axis, beside[world])


def test_outlines_lie_on_what_they_outline() -> None:
    block = (slice(28, 31), slice(36, 39), slice(28, 31))
    data = np.where(MASK, 100.0, 0.0).astype(np.float32)
    data[29, 37, 29] = 200
    mask = np.zeros(MASK.shape, bool)
    mask[block] = True
    for axes in views(draw(replace(PLAIN, volume=VOLUME.with_data(data), mask=mask)))[:3]:
        assert outlined(axes) == pytest.approx(brightest(axes), abs=0.02)


def test_thick_slices_keep_their_proportions() -> None:
    """4 x 4 x 12 mm: the brain is as high and wide on the page as it is in the head."""
    thick = make_volume(VOLUME.data[:, :, ::3], VOLUME.affine @ np.diag([1.0, 1.0, 3.0, 1.0]))
    for volume in (VOLUME, thick):
        coronal = views(draw(replace(PLAIN, volume=volume, mask=volume.data > 0)))[1]
        points = np.concatenate([path.vertices for path in coronal.collections[0].get_paths()])
        seen = coronal.transData.transform(points)
        width, height = np.ptp(seen, axis=0)
        assert width / height == pytest.approx(62 / 58, rel=0.12)
        assert coronal.get_aspect() == 1.0


def test_a_sagittal_stack_is_shown_slice_by_slice_in_its_plane() -> None:
    figure = draw(replace(PLAIN, plane="sagittal"))
    shapes = {np.asarray(axes.images[0].get_array()).shape for axes in views(figure)[3:]}
    assert shapes == {np.asarray(views(figure)[2].images[0].get_array()).shape}


@pytest.mark.parametrize(
    "sheet",
    [
        replace(PLAIN, volume=None, mask=None),
        replace(PLAIN, mask=None),
        replace(PLAIN, mask=np.zeros(MASK.shape, bool)),
        replace(PLAIN, volume=VOLUME.with_data(np.zeros_like(VOLUME.data)), mask=None),
        replace(PLAIN, volume=make_volume(np.ones((40, 50, 2)), np.diag([4.0, 4.0, 12.0, 1.0])), mask=None),
        replace(PLAIN, positions_mm=[0.0], brain_mm2=[100.0], lesion_mm2=[5.0]),
        replace(PLAIN, message="many words " * 100, title="a long name " * 40, notes=("note " * 100,) * 20),
    ],
)
def test_whatever_there_is_can_be_drawn(sheet: Sheet) -> None:
    figure = draw(sheet)
    figure.canvas.draw()
    assert tuple(figure.canvas.get_width_height()) == (1500, 1000)


def test_figures_beyond_their_limits_are_red() -> None:
    found = findings({"brain_ml": 300.0, "border_fraction": 0.01, "snr": 9.0})
    words = {
        text.get_text(): text.get_color() for axes in draw(replace(PLAIN, findings=found)).axes for text in axes.texts
    }
    assert words["brain volume"] == BAD
    assert words["surface on the border"] == GOOD
    assert words["signal to noise"] not in (BAD, GOOD)
    assert "450 ml to 2,200 ml" in words


def test_the_mask_of_a_whole_brain_is_drawn_whole() -> None:
    axial = views(draw(replace(PLAIN, mask=ellipsoid(MASK.shape, (62, 80, 58), 4.0))))[0]
    points = np.concatenate([path.vertices for path in axial.collections[0].get_paths()])
    assert np.ptp(points, axis=0) == pytest.approx([124, 160], abs=10)
