"""Combs and ruled cells: where the separators are, and which ink belongs to which cell."""

from collections.abc import Iterator
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

BORDER_SHARE = 0.7
"""A line is a border of a field when it runs along this share of it."""

LEAST_OVERLAP = 0.3
"""A comb belongs to a field when they share at least this much of their height."""

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
        box: Of the field, aligned px. The comb may lie a little beside it: boxes are often drawn by eye.
        cells: How many the template says there are, or None to find out.
    """
    left, top, right, bottom = box
    best = None
    for lines in comb_lines(aligned, box):
        edges = regular_edges(lines, left, right)
        if edges is not None and (best is None or len(edges) - 1 == cells):
            best = CellGrid(edges, lines.top, lines.bottom, lines.thickness_px, len(edges) - 1)
            if cells is None or len(best) == cells:
                return best
    if cells is None:
        return None
    if best is None:
        edges = np.linspace(left, right, cells + 1, dtype=np.float32)
        return CellGrid(edges, top, bottom, 1, None)
    return CellGrid(given_edges(best.edges, left, right, cells), best.top, best.bottom, best.separator_px, len(best))


@dataclass(frozen=True, slots=True, eq=False)
class CombLines:
    """The printed lines in and around a field, aligned px.

    Attributes:
        places: x of lines that may be separators, ascending.
        full: Which of them run from the upper to the lower border.
        top: Upper border, or that of the field where none is found.
        bottom: Lower border.
        thickness_px: Usual thickness of the separators.
        reach: First and last x of the level lines.
        sure: Whether they come from a blank form; else strokes of writing may be among them.
    """

    places: Float32[np.ndarray, " n"]
    full: Bool[np.ndarray, " n"]
    top: int
    bottom: int
    thickness_px: int
    reach: tuple[int, int]
    sure: bool


def comb_lines(aligned: AlignedPage, box: Box) -> Iterator[CombLines]:
    """Yield the lines that may divide a field: upright ones that stand on a level line or hang from one.

    Full separators, ticks and dotted ones are found. The level lines that lie best over the field come first.

    Args:
        aligned: The page.
        box: Of the field, aligned px.
    """
    left, top, right, bottom = box
    height_px = bottom - top
    page_height, page_width = aligned.pixels.shape
    # Wide enough for the one cell by which a field is drawn too narrow.
    x0, x1 = max(0, left - 2 * height_px), min(page_width, right + 2 * height_px)
    y0, y1 = max(0, top - height_px), min(page_height, bottom + height_px)
    if x1 - x0 < 12 or y1 - y0 < 8 or height_px < 8 or right - left < 8:
        return
    sure = aligned.printing is not None
    if aligned.printing is not None:
        dark = aligned.printing[y0:y1, x0:x1].astype(np.uint8)
    else:
        shade = darkness(np.ascontiguousarray(aligned.pixels[y0:y1, x0:x1]))
        noise, stroke = noise_and_stroke(shade)
        # Separators are often printed far lighter than a pen writes.
        dark = (shade > max(noise, 0.2 * stroke)).astype(np.uint8)
    slack_px = max(3, round(0.12 * height_px))
    # Lines of print are as long as rules, but not as thin.
    thick = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((max(6, round(0.22 * height_px)), 1), np.uint8))
    thin = cv2.subtract(dark, thick)
    rows = level_lines(np.ascontiguousarray(thin[:, left - x0 : right - x0]))
    for upper, lower, has_upper, has_lower in bands(rows, top - y0, bottom - y0):
        inside = np.ascontiguousarray(dark[max(0, upper) : lower + 1])
        carriers = [row for row, there in ((upper, has_upper), (lower, has_lower)) if there]
        uprights = upright_lines(inside)
        if not sure:
            # Pens are broader than the hair lines of a comb.
            uprights = uprights[uprights[:, 1] <= 1.4 * line_thickness_px(thin, carriers) + 1.5]
        hangs = uprights[:, 2] <= slack_px
        stands = uprights[:, 3] >= inside.shape[0] - slack_px
        held = (hangs & has_upper) | (stands & has_lower)
        middle = uprights[:, 0] + x0
        full = hangs & stands & has_upper & has_lower
        first, last = level_reach(thin, carriers, left - x0, right - x0)
        if (full & (middle > left + 0.3 * height_px) & (middle < right - 0.3 * height_px)).any():
            held = full
        elif held.any():
            # A line alone is often a line to write on: only ticks of one length make a comb of it.
            lengths = uprights[:, 3] - uprights[:, 2]
            ticks = held & ~full
            alike = full | (np.abs(lengths - np.median(lengths[ticks] if ticks.any() else 0)) <= slack_px)
            if (held & ~alike).sum() > 0.2 * held.sum() or last - first < 0.9 * (right - left):
                continue
            held &= alike
        if not held.any():
            continue
        order = np.argsort(uprights[held, 0])
        yield CombLines(
            places=(uprights[held, 0][order] + x0).astype(np.float32),
            full=full[held][order],
            top=upper + y0,
            bottom=lower + y0,
            thickness_px=round(float(np.median(uprights[held, 1]))),
            reach=(x0 + first, x0 + last),
            sure=sure,
        )


def level_lines(dark: UInt8[np.ndarray, "height width"]) -> list[int]:
    """Return the rows in which a line runs along most of the width, from top to bottom.

    Args:
        dark: 1 where dark.
    """
    joined = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((1, 11), np.uint8))
    # A line that climbs a px or two over the field still fills the rows around it.
    filled = cv2.dilate(joined, np.ones((3, 1), np.uint8)).mean(axis=1)
    rows = np.flatnonzero(filled >= BORDER_SHARE)
    if not len(rows):
        return []
    return [round(float(group.mean())) for group in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)]


def level_reach(dark: UInt8[np.ndarray, "height width"], rows: list[int], left: int, right: int) -> tuple[int, int]:
    """Return from where to where level lines run without a gap through the middle of a field.

    Args:
        dark: 1 where dark.
        rows: Of the lines.
        left: Left end of the field.
        right: Right end of the field.
    """
    reaches = []
    for row in rows:
        run = dark[max(0, row - 2) : row + 3].max(axis=0, keepdims=True)
        run = cv2.morphologyEx(run, cv2.MORPH_CLOSE, np.ones((1, 11), np.uint8))[0]
        gaps = np.flatnonzero(run == 0)
        # The longest piece within the field, and how far it goes on outside.
        cuts = np.concatenate([[left - 1], gaps[(gaps >= left) & (gaps < right)], [right]])
        k = int(np.diff(cuts).argmax())
        before, after = gaps[gaps < cuts[k] + 1], gaps[gaps >= cuts[k + 1]]
        reaches.append((int(before[-1]) + 1 if len(before) else 0, int(after[0]) if len(after) else len(run)))
    return min(first for first, _ in reaches), max(last for _, last in reaches)


def line_thickness_px(dark: UInt8[np.ndarray, "height width"], rows: list[int]) -> float:
    """Return the usual thickness of level lines.

    Args:
        dark: 1 where dark.
        rows: Of the lines.
    """
    across = np.concatenate([dark[max(0, row - 5) : row + 6].sum(axis=0) for row in rows])
    return float(np.median(across[across > 0])) if across.any() else 1.0


def bands(rows: list[int], top: int, bottom: int) -> list[tuple[int, int, bool, bool]]:
    """Return where cells may lie: between two level lines, above one or under one; the likeliest first.

    Args:
        rows: Of level lines.
        top: Of the field.
        bottom: Of the field.

    Returns:
        Upper and lower end, and whether there is a line at each.
    """
    height_px = bottom - top

    def overlap(band: tuple[int, int, bool, bool]) -> float:
        upper, lower = band[:2]
        return (min(lower, bottom) - max(upper, top)) / max(lower - upper, height_px)

    between = [
        (upper, lower, True, True)
        for k, upper in enumerate(rows)
        for lower in rows[k + 1 :]
        if 0.5 * height_px <= lower - upper <= 1.5 * height_px
    ]
    beside = [(row - height_px, row, False, True) for row in rows] + [
        (row, row + height_px, True, False) for row in rows
    ]
    return [
        band
        for group in (between, beside)
        for band in sorted(group, key=overlap, reverse=True)
        if overlap(band) >= LEAST_OVERLAP
    ]


def upright_lines(dark: UInt8[np.ndarray, "height width"]) -> Float32[np.ndarray, "n 4"]:
    """Return thin upright lines between two borders: x of the middle, width, first row, last row and one, px."""
    height_px = dark.shape[0]
    gap_px = max(3, round(0.1 * height_px)) | 1
    joined = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((gap_px, 1), np.uint8))
    tick_px = max(4, round(SHORTEST_TICK * height_px))
    tall = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((tick_px, 1), np.uint8))
    widest_px = max(4, round(WIDEST_SEPARATOR * height_px))
    # A filled area or a broad stroke is no separator.
    broad = cv2.morphologyEx(tall, cv2.MORPH_OPEN, np.ones((max(3, tick_px // 2), widest_px + 1), np.uint8))
    tall = cv2.subtract(tall, cv2.dilate(broad, np.ones((3, 5), np.uint8)))
    tall = cv2.morphologyEx(tall, cv2.MORPH_OPEN, np.ones((tick_px, 1), np.uint8))
    count, _, stats, centres = cv2.connectedComponentsWithStats(tall, connectivity=8)
    top = stats[:, cv2.CC_STAT_TOP]
    result = np.column_stack(
        [centres[:, 0], stats[:, cv2.CC_STAT_WIDTH], top, top + stats[:, cv2.CC_STAT_HEIGHT]]
    ).astype(np.float32)
    thin = result[:, 1] <= widest_px
    thin[0] = False
    return result[thin]


def regular_edges(lines: CombLines, left: int, right: int) -> Float32[np.ndarray, " n_edges"] | None:
    """Return the edges of the cells that separators show, or None when they show no comb.

    A comb has a pitch that its separators keep; one or the other may be missing, also at the ends. On a blank form
    full separators count also when cells differ in width.

    Args:
        lines: In and around the field.
        left: Left end of the field.
        right: Right end of the field.
    """
    height_px = lines.bottom - lines.top
    places = merged(lines.places, 0.15 * height_px)
    least_share = (0.5 if lines.sure else 0.75) if lines.full.any() else 0.85
    pitch = best_pitch(places, left, right, height_px, least_share)
    full = merged(lines.places[lines.full], 0.15 * height_px)
    inner = full[(full > left + 0.3 * height_px) & (full < right - 0.3 * height_px)]
    if pitch is not None:
        edges = filled_edges(places, pitch, left, right, lines.reach)
        # Two or three lines that do not run from border to border may be anything.
        return edges if len(edges) > 2 and (len(inner) or len(edges) > 4) else None
    return np.array([left, *inner, right], np.float32) if lines.sure and len(inner) else None


def merged(places: Float32[np.ndarray, " n"], near_px: float) -> Float32[np.ndarray, " m"]:
    """Return places with those nearer than `near_px` to each other taken as one: the two lines of a double rule."""
    if len(places) == 0:
        return places
    groups = np.split(places, np.flatnonzero(np.diff(places) > near_px) + 1)
    return np.array([group.mean() for group in groups], np.float32)


def best_pitch(
    places: Float32[np.ndarray, " n"], left: int, right: int, height_px: int, least_share: float
) -> float | None:
    """Return the cell width that the places keep, or None when they keep none.

    Of all distances between places, that one is taken whose multiples explain the most places with the fewest
    missing.

    Args:
        places: x of possible separators.
        left: Left end of the field.
        right: Right end of the field.
        height_px: Of the field.
        least_share: Share of the separators in the field that must be there.
    """
    near = places[(places > left - height_px) & (places < right + height_px)]
    if len(near) < 3:
        return None
    steps = near[None, :] - near[:, None]
    candidates = np.unique(np.round(steps[(steps > 0.35 * height_px) & (steps < 2.5 * height_px)], 1))
    best, best_score = None, 0.0
    for pitch in candidates:
        number = np.round(steps / pitch)
        hit = np.abs(steps - number * pitch) < np.maximum(1.5, 0.06 * pitch) + 0.02 * np.abs(steps)
        row = int(hit.sum(axis=1).argmax())
        inner = hit[row] & (near > left + 0.3 * pitch) & (near < right - 0.3 * pitch)
        seen = len(np.unique(number[row][inner]))
        expected = max(1, round((right - left) / pitch) - 1)
        score = min(1.0, seen / expected) - float((~hit[row]).mean())
        if seen and len(np.unique(number[row][hit[row]])) >= 3 and score > best_score + 1e-6:
            best, best_score = float(pitch), score
    return best if best_score >= least_share else None


def filled_edges(
    places: Float32[np.ndarray, " n"], pitch: float, left: int, right: int, reach: tuple[int, int]
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
    # A cell belongs to the field when most of it lies in it. Its outer line may be missing, not what carries it.
    slack_px = 0.3 * slope
    while origin + slope * (first - 0.5) > left and origin + slope * (first - 1) >= reach[0] - slack_px:
        first -= 1
    # The outermost cell of a comb is meant even when the box is drawn short.
    while origin + slope * (first + (0.7 if first == numbers[0] else 0.5)) < left:
        first += 1
    while origin + slope * (last + 0.5) < right and origin + slope * (last + 1) <= reach[1] + slack_px:
        last += 1
    while origin + slope * (last - (0.7 if last == numbers[-1] else 0.5)) > right:
        last -= 1
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
        space_log_odds=np.full(count, -np.inf, np.float32),
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
