"""Combs and ruled cells: where the separators are, and which ink belongs to which cell."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from hwtranscribe.imaging.paper import darkness, noise_and_stroke
from hwtranscribe.types import AlignedPage, Box, CharBoxes

SHORTEST_TICK = 0.22
"""Separators are at least this share of the field's height."""

WIDEST_SEPARATOR = 0.14
"""And at most this share of it thick."""

INK = 64
"""Ink from which on a px belongs to a component."""

FAINTEST_CHARACTER = 0.006
"""Least ink of a character, as a share of the squared height of the field: half a comma."""


@dataclass(frozen=True, slots=True, eq=False)
class CellGrid:
    """The cells of a comb.

    Attributes:
        edges: x of the separators and of both ends, ascending: one more than there are cells, aligned px.
        top: Upper end of the cells, aligned px.
        bottom: Lower end.
        separator_px: Thickness of the separators as scanned, or as printed where a blank form is known.
        found: How many cells the separators alone show, or None where they show no comb; differs from the number of
            cells when the template says otherwise.
    """

    edges: Float32[np.ndarray, " n_edges"]
    top: int
    bottom: int
    separator_px: int
    found: int | None

    def __len__(self) -> int:
        return len(self.edges) - 1


def find_cells(aligned: AlignedPage, box: Box, cells: int | None) -> CellGrid | None:
    """Return the cells of a field, or None when it is no comb.

    Args:
        aligned: The page; separators are taken from the blank form's printing where there is one.
        box: Of the field, aligned px.
        cells: How many the template says there are, or None to find out.
    """
    left, top, right, bottom = box
    height_px = bottom - top
    places, thickness_px = separators(aligned, box)
    edges = regular_edges(places, left, right, height_px, blank_known=aligned.printing is not None)
    found = None if edges is None else len(edges) - 1
    if cells is not None and found != cells:
        edges = given_edges(places, left, right, cells)
    if edges is None:
        return None
    return CellGrid(edges.astype(np.float32), top, bottom, thickness_px, found)


def separators(aligned: AlignedPage, box: Box) -> tuple[Float32[np.ndarray, " n"], int]:
    """Return where upright lines stand on the border of a field, x in aligned px ascending, and how thick they are.

    Full separators, ticks that stand on the lower (or hang from the upper) border and dotted ones are found; upright
    strokes of writing too when they reach the border and no blank form tells them apart.
    """
    left, top, right, bottom = box
    height_px = bottom - top
    margin_px = max(3, round(0.2 * height_px))
    page_height, page_width = aligned.pixels.shape
    x0, x1 = max(0, left - margin_px), min(page_width, right + margin_px)
    y0, y1 = max(0, top - margin_px), min(page_height, bottom + margin_px)
    if x1 - x0 < 3 or y1 - y0 < 3 or height_px < 6:
        return np.zeros(0, np.float32), 1
    if aligned.printing is not None:
        dark = aligned.printing[y0:y1, x0:x1].astype(np.uint8)
    else:
        shade = darkness(np.ascontiguousarray(aligned.pixels[y0:y1, x0:x1]))
        noise, stroke = noise_and_stroke(shade)
        # Separators are often printed far lighter than a pen writes.
        dark = (shade > max(noise, 0.2 * stroke)).astype(np.uint8)
    gap_px = max(3, round(0.1 * height_px)) | 1
    dark = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((gap_px, 1), np.uint8))
    tick_px = max(4, round(SHORTEST_TICK * height_px))
    tall = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((tick_px, 1), np.uint8))
    widest_px = max(4, round(WIDEST_SEPARATOR * height_px))
    # A filled area or a broad stroke is no separator.
    broad = cv2.morphologyEx(tall, cv2.MORPH_OPEN, np.ones((max(3, tick_px // 2), widest_px + 1), np.uint8))
    tall = cv2.subtract(tall, cv2.dilate(broad, np.ones((3, 5), np.uint8)))
    tall = cv2.morphologyEx(tall, cv2.MORPH_OPEN, np.ones((tick_px, 1), np.uint8))
    count, _, stats, centres = cv2.connectedComponentsWithStats(tall, connectivity=8)
    slack_px = max(3, round(0.12 * height_px))
    places, widths = [], []
    for k in range(1, count):
        width_px = int(stats[k, cv2.CC_STAT_WIDTH])
        first = int(stats[k, cv2.CC_STAT_TOP]) + y0
        last = first + int(stats[k, cv2.CC_STAT_HEIGHT])
        reaches = last >= bottom - slack_px or first <= top + slack_px
        if width_px <= widest_px and reaches and last > top + slack_px and first < bottom - slack_px:
            places.append(float(centres[k][0]) + x0)
            widths.append(width_px)
    if not places:
        return np.zeros(0, np.float32), 1
    order = np.argsort(places)
    return np.array(places, np.float32)[order], round(float(np.median(widths)))


def regular_edges(
    places: Float32[np.ndarray, " n"], left: int, right: int, height_px: int, blank_known: bool
) -> Float32[np.ndarray, " n_edges"] | None:
    """Return the edges of the cells that separators show, or None when they show no comb.

    A comb has a pitch that its separators keep; one or the other may be missing, also at the ends. On a blank form
    every separator counts, so cells may also differ in width.

    Args:
        places: x of possible separators, ascending.
        left: Left end of the field.
        right: Right end of the field.
        height_px: Of the field.
        blank_known: Whether the places come from a blank form.
    """
    near_px = 0.12 * height_px
    places = merged(places[(places >= left - near_px - 2) & (places <= right + near_px + 2)], near_px)
    inner = places[(places > left + 0.25 * height_px) & (places < right - 0.25 * height_px)]
    if len(inner) == 0:
        return None
    pitch = best_pitch(places, left, right, height_px)
    if pitch is None:
        if not blank_known:
            return None
        return np.array([left, *inner, right], np.float32)
    return filled_edges(places, pitch, left, right)


def merged(places: Float32[np.ndarray, " n"], near_px: float) -> Float32[np.ndarray, " m"]:
    """Return places with those nearer than `near_px` to each other taken as one: the two lines of a double rule."""
    if len(places) == 0:
        return places
    groups = np.split(places, np.flatnonzero(np.diff(places) > near_px) + 1)
    return np.array([group.mean() for group in groups], np.float32)


def best_pitch(places: Float32[np.ndarray, " n"], left: int, right: int, height_px: int) -> float | None:
    """Return the cell width that the places keep, or None when they keep none.

    Of all distances between places, that one is taken whose multiples explain the most places with the fewest
    missing.
    """
    if len(places) < 3:
        return None
    steps = places[None, :] - places[:, None]
    candidates = np.unique(np.round(steps[(steps > 0.35 * height_px) & (steps < 3.0 * height_px)], 1))
    best, best_score = None, 0.0
    for pitch in candidates:
        for start in places:
            cells = np.round((places - start) / pitch)
            off = np.abs(places - start - cells * pitch)
            hit = off < max(1.5, 0.08 * pitch)
            expected = max(1, int((right - left) / pitch) - 1)
            hits = len(np.unique(cells[hit]))
            score = hits / max(expected, hits) - 0.5 * float((~hit).mean())
            if hits >= 3 and score > best_score + 1e-6:
                best, best_score = float(pitch), score
    return best if best_score >= 0.55 else None


def filled_edges(
    places: Float32[np.ndarray, " n"], pitch: float, left: int, right: int
) -> Float32[np.ndarray, " n_edges"]:
    """Return the separators that keep the pitch, with the missing ones put in and the ends added where a cell fits."""
    votes = [(np.abs(((places - start) / pitch + 0.5) % 1 - 0.5) < 0.1).sum() for start in places]
    start = places[int(np.argmax(votes))]
    number = np.round((places - start) / pitch).astype(int)
    hit = np.abs(places - start - number * pitch) < 0.2 * pitch
    known: dict[int, float] = {}
    for k, place in zip(number[hit], places[hit], strict=True):
        known.setdefault(int(k), float(place))
    numbers = sorted(known)
    # The pitch that was seen is off by a fraction of a px, which adds up over a long comb: it is fitted.
    slope, origin = np.polyfit(numbers, [known[k] for k in numbers], 1)
    first, last = numbers[0], numbers[-1]
    while origin + slope * (first - 1) > left - 0.35 * pitch:
        first -= 1
    while origin + slope * (last + 1) < right + 0.35 * pitch:
        last += 1
    return np.array([known.get(k, origin + slope * k) for k in range(first, last + 1)], np.float32)


def given_edges(
    places: Float32[np.ndarray, " n"], left: int, right: int, cells: int
) -> Float32[np.ndarray, " n_edges"]:
    """Return the edges of a given number of equal cells, each moved to a separator near it."""
    pitch = (right - left) / cells
    edges = left + pitch * np.arange(cells + 1, dtype=np.float32)
    if len(places) == 0:
        return edges
    nearest = places[np.abs(places[None, :] - edges[:, None]).argmin(axis=1)]
    return np.where(np.abs(nearest - edges) < 0.12 * pitch, nearest, edges).astype(np.float32)


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
    rows = (max(0, grid.top - y0), min(ink.shape[0], grid.bottom - y0))
    labels, owners = assigned(ink, edges, rows, grid.separator_px)
    boxes, inks, blank = [], [], []
    for cell in range(len(grid)):
        mine = np.isin(labels, np.flatnonzero(owners == cell))
        area = float(ink[mine].sum()) / 255
        if area < max(3.0, FAINTEST_CHARACTER * height_px**2):
            boxes.append((grid.edges[cell], grid.top, grid.edges[cell + 1], grid.bottom))
            inks.append(np.zeros((1, 1), np.uint8))
            blank.append(True)
            continue
        ys, xs = np.nonzero(mine)
        window = (slice(max(0, ys.min() - 1), ys.max() + 2), slice(max(0, xs.min() - 1), xs.max() + 2))
        near = cv2.dilate(mine[window].astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        others = (labels[window] > 0) & ~mine[window]
        inks.append(np.where(near & ~others, ink[window], 0).astype(np.uint8))
        boxes.append((window[1].start + x0, window[0].start + y0, window[1].stop + x0, window[0].stop + y0))
        blank.append(False)
    count = len(grid)
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
        space_before=np.zeros(count, bool),
        cells=True,
    )


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
    count, labels, stats, _ = cv2.connectedComponentsWithStats((ink > INK).astype(np.uint8), connectivity=8)
    labels = labels.astype(np.int32)
    cells = len(edges) - 1
    owners = np.full(count, -1, np.int32)
    if count == 1:
        return labels, owners
    column_cell = np.searchsorted(edges, np.arange(ink.shape[1]), side="right") - 1
    mass = np.zeros((count, cells + 2))
    ys, xs = np.nonzero(labels)
    np.add.at(mass, (labels[ys, xs], np.clip(column_cell[xs], -1, cells) + 1), 1)
    inside = np.bincount(labels[rows[0] : rows[1]].ravel(), minlength=count)
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
    upright = (width <= separator_px + 2) & (to_edge <= separator_px / 2 + 0.06 * height_px)
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
