"""AlignedPage to CharBoxes: where the characters are.

`cells` finds combs and ruled cells. Free writing goes `components` -> `lines` -> `cuts` -> `lattice`.
"""
