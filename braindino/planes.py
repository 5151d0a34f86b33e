"""How the slices of each plane lie in the world, stated once for those who make them and those who read them.

World axes are RAS: x to the patient's right, y to anterior, z to superior. A slice is looked at from below as
radiologists do, with the patient's right on the left of the screen:

========  =======================  ======================  =======================
plane     slice index goes         rows go                 columns go
========  =======================  ======================  =======================
axial     inferior to superior     anterior to posterior   right to left
coronal   posterior to anterior    superior to inferior    right to left
sagittal  right to left            superior to inferior    anterior to posterior
========  =======================  ======================  =======================
"""

# Per plane, for (column, row, slice): the RAS axis and the sense in which the index runs along it.
PLANES: dict[str, tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = {
    "axial": ((0, -1), (1, -1), (2, +1)),
    "coronal": ((0, -1), (2, -1), (1, +1)),
    "sagittal": ((1, -1), (2, -1), (0, -1)),
}

# The plane of a stack whose slices follow each other along that RAS axis.
PLANE_ACROSS = {0: "sagittal", 1: "coronal", 2: "axial"}
