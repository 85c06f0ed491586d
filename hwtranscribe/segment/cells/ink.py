"""Which ink belongs to which cell."""

from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, UInt8

from hwtranscribe.imaging.masks import above, places
from hwtranscribe.segment.cells.grid import CellGrid
from hwtranscribe.segment.cells.separators import INK, without_separators
from hwtranscribe.segment.surroundings import CHARACTER, NOT_LEFT_OUT, RIM
from hwtranscribe.types import AlignedPage, Box, CharBoxes

HAIR_LINE = 0.03
"""What lies along a separator and is no broader than this share of the field's height is no pen stroke."""

CROWDED = 0.3
"""From this share of the written cells on, two characters in a cell are not just one that came apart."""

TALL = 0.7
"""A character is at least this share of its cell's writing high."""

THIN_PEN = 0.05
"""Least breadth of a stroke, in heights of the field."""

FAINTEST_CHARACTER = 0.006
"""Least ink of a character, as a share of the squared height of the field: half a comma."""


def cell_boxes(aligned: AlignedPage, field_name: str, box: Box, grid: CellGrid) -> CharBoxes:
    """Return the ink of every cell.

    A component belongs to the cell that holds most of it, also where it sticks out; only one that truly spans two
    cells is cut at the separator.

    Args:
        aligned: The page.
        field_name: Name of the field.
        box: Of the field, aligned px.
        grid: Its cells.
    """
    height_px = grid.bottom - grid.top
    pitch_px = float(np.median(np.diff(grid.edges)))
    page_height, page_width = aligned.ink.shape
    x0 = max(0, int(grid.edges[0] - 0.5 * pitch_px))
    x1 = min(page_width, int(grid.edges[-1] + 0.5 * pitch_px))
    y0 = max(0, int(grid.top - 0.4 * height_px))
    y1 = min(page_height, int(grid.bottom + 0.4 * height_px))
    ink = np.ascontiguousarray(aligned.ink[y0:y1, x0:x1])
    edges = grid.edges - x0
    if grid.left_in is not None:
        first, last = grid.left_in
        ink = without_separators(ink, edges, (first - y0, last - y0), grid.separator_px)
    rows = (max(0, grid.top - y0), min(ink.shape[0], grid.bottom - y0))
    labels, owners = assigned(ink, edges, rows, grid.separator_px)
    ys, xs = places((labels > 0).view(np.uint8))
    owner = owners[labels[ys, xs]]
    held = owner >= 0
    ys, xs, owner = ys[held], xs[held], owner[held]
    areas = np.bincount(owner, weights=ink[ys, xs], minlength=len(grid)) / 255
    order = np.argsort(owner, kind="stable")
    firsts = np.searchsorted(owner[order], np.arange(len(grid) + 1))
    boxes, inks, blank, crowded = [], [], [], 0
    for cell in range(len(grid)):
        if areas[cell] < max(3.0, FAINTEST_CHARACTER * height_px**2):
            boxes.append((grid.edges[cell], grid.top, grid.edges[cell + 1], grid.bottom))
            inks.append(np.zeros((1, 1), np.uint8))
            blank.append(True)
            continue
        mine = order[firsts[cell] : firsts[cell + 1]]
        down, across = ys[mine], xs[mine]
        crowded += stands_side_by_side(labels[down, across], down, across)
        window = (slice(max(0, down.min() - 1), down.max() + 2), slice(max(0, across.min() - 1), across.max() + 2))
        own = owners[labels[window]] == cell
        near = cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        others = (labels[window] > 0) & ~own
        inks.append(np.where(near & ~others, ink[window], 0).astype(np.uint8))
        boxes.append((window[1].start + x0, window[0].start + y0, window[1].stop + x0, window[0].stop + y0))
        blank.append(False)
    count = len(grid)
    doubt = ""
    if grid.torn and not all(blank):
        doubt = f"{grid.found} cells are printed, not {count} as the template says"
    elif crowded >= max(2, CROWDED * blank.count(False)):
        doubt = "more characters than cells"
    elif holds_more(np.where(labels > 0, owners[labels], -2), edges, rows, np.array(blank)):
        doubt = NOT_LEFT_OUT
    return CharBoxes(
        field=field_name,
        box=box,
        node_count=count + 1,
        start=np.arange(count, dtype=np.int32),
        end=np.arange(1, count + 1, dtype=np.int32),
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        inks=tuple(inks),
        geometry_log_prob=np.zeros(count, np.float32),
        blank=np.array(blank, bool),
        skip_log_prob=np.full(count, -np.inf, np.float32),
        extent=np.zeros((count, 2), np.float32),
        cells=True,
        uncut=np.zeros(count, bool),
        marks=np.zeros(count, bool),
        doubt=doubt,
    )


def holds_more(
    owner: Int32[np.ndarray, "height width"],
    edges: Float32[np.ndarray, " n_edges"],
    rows: tuple[int, int],
    blank: Bool[np.ndarray, " n"],
) -> bool:
    """Return whether well within a blank cell there is ink that belongs to no cell.

    Args:
        owner: Cell of every px of ink, -1 for none and without ink -2.
        edges: x of the cells' edges.
        rows: First and last row of the cells.
        blank: Which cells seem to be blank.
    """
    height_px = rows[1] - rows[0]
    rim_px = round(RIM * height_px)
    nobodys = owner[rows[0] + rim_px : rows[1] - rim_px] == -1
    least_px = CHARACTER * height_px * max(2.0, THIN_PEN * height_px)
    for left, right in zip(edges[:-1][blank].tolist(), edges[1:][blank].tolist(), strict=True):
        if nobodys[:, max(0, round(left) + rim_px) : max(0, round(right) - rim_px)].sum() >= least_px:
            return True
    return False


def stands_side_by_side(
    owner: Int32[np.ndarray, " px"], down: Int64[np.ndarray, " px"], across: Int64[np.ndarray, " px"]
) -> bool:
    """Return whether the ink of a cell has two tall components beside each other, as two characters are.

    Args:
        owner: Component of each px.
        down: Its row.
        across: Its column.
    """
    least_px = TALL * (down.max() - down.min() + 1)
    tall = []
    for component in np.unique(owner):
        own = owner == component
        if np.ptp(down[own]) + 1 >= least_px:
            tall.append((int(across[own].min()), int(across[own].max())))
    tall.sort()
    return any(after[0] > before[1] for before, after in pairwise(tall))


def assigned(
    ink: UInt8[np.ndarray, "height width"],
    edges: Float32[np.ndarray, " n_edges"],
    rows: tuple[int, int],
    separator_px: int,
) -> tuple[Int32[np.ndarray, "height width"], Int32[np.ndarray, " n_labels"]]:
    """Return components of the ink and the cell each belongs to, -1 for none.

    Args:
        ink: Surroundings of the field.
        edges: x of the cells' edges in it.
        rows: First and last row of the field in it.
        separator_px: Thickness of the separators.
    """
    binary = above(ink, INK)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    cells = len(edges) - 1
    owners = np.full(count, -1, np.int32)
    if count == 1:
        return labels, owners
    column_cell = np.searchsorted(edges, np.arange(ink.shape[1]), side="right") - 1
    ys, xs = places(binary)
    owner = labels[ys, xs]
    column = np.clip(column_cell[xs], -1, cells) + 1
    mass = np.bincount(owner * (cells + 2) + column, minlength=count * (cells + 2)).reshape(count, cells + 2)
    inside = np.bincount(owner[(ys >= rows[0]) & (ys < rows[1])], minlength=count)
    area = stats[:, cv2.CC_STAT_AREA]
    remnant = remnants(stats, edges, rows, separator_px)
    usable = (inside >= 0.5 * area) & ~remnant
    usable[0] = False
    share = mass / np.maximum(area[:, None], 1)
    sure = np.zeros(cells + 2)
    torn = []
    for k in np.flatnonzero(usable):
        best = int(share[k].argmax())
        if share[k, best] >= 0.8:
            owners[k] = best - 1 if 0 < best <= cells else -1
            sure[best] += area[k]
        else:
            torn.append(k)
    pitch = float(np.median(np.diff(edges)))
    least = 0.02 * (rows[1] - rows[0]) ** 2
    for k in torn:
        held = np.flatnonzero(share[k] > 0.15)
        empty = [c for c in held if sure[c] < least]
        fits = stats[k, cv2.CC_STAT_WIDTH] <= 1.15 * pitch
        if fits and (len(empty) < len(held) or share[k].max() > 0.6):
            best = int(max(empty or held, key=lambda c: share[k, c]))
            owners[k] = best - 1 if 0 < best <= cells else -1
            sure[best] += area[k]
        else:
            labels, owners = cut(labels, owners, int(k), edges)
    return labels, owners


def remnants(
    stats: Int32[np.ndarray, "n 5"], edges: Float32[np.ndarray, " n_edges"], rows: tuple[int, int], separator_px: int
) -> Bool[np.ndarray, " n"]:
    """Return which components are left over from separators and borders: slivers that lie along one."""
    height_px = rows[1] - rows[0]
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    width, height = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    middle = left + width / 2
    to_edge = np.abs(middle[:, None] - edges[None, :]).min(axis=1)
    # At the rim of a picture there may be more of the border than anywhere else.
    upright = (width <= max(separator_px + 2, HAIR_LINE * height_px)) & (to_edge <= separator_px / 2 + 0.06 * height_px)
    level = top + height / 2
    to_border = np.minimum(np.abs(level - rows[0]), np.abs(level - rows[1]))
    flat = (height <= max(3, 0.1 * height_px)) & (to_border <= 0.1 * height_px)
    specks = np.maximum(width, height) < max(2.0, 0.07 * height_px)
    return upright | flat | specks


def cut(
    labels: Int32[np.ndarray, "height width"],
    owners: Int32[np.ndarray, " n"],
    component: int,
    edges: Float32[np.ndarray, " n_edges"],
) -> tuple[Int32[np.ndarray, "height width"], Int32[np.ndarray, " m"]]:
    """Return labels and owners with a component cut where it is thinnest near each separator that it crosses."""
    ys, xs = np.nonzero(labels == component)
    profile = np.bincount(xs, minlength=labels.shape[1])
    pitch = float(np.median(np.diff(edges)))
    reach = max(1, int(0.15 * pitch))
    bounds = []
    for edge in edges[(edges > xs.min()) & (edges < xs.max())]:
        first, last = max(0, int(edge) - reach), min(len(profile), int(edge) + reach + 1)
        window = np.arange(first, last)
        cost = profile[first:last] + 0.02 * np.abs(window - edge)
        bounds.append(int(window[cost.argmin()]))
    piece = np.searchsorted(np.array(bounds), xs, side="right")
    result, labels = list(owners), labels.copy()
    for k in range(len(bounds) + 1):
        part = piece == k
        if not part.any():
            continue
        cell = int(np.searchsorted(edges, float(np.median(xs[part])), side="right")) - 1
        labels[ys[part], xs[part]] = len(result)
        result.append(cell if 0 <= cell < len(edges) - 1 else -1)
    return labels, np.array(result, np.int32)
