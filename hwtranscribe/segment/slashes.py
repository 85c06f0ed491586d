"""Strokes that may be slashes and look like ones: in `12/05/2023`, and in cells that are crossed out one by one."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64

from hwtranscribe.segment.components import INK_THRESHOLD, Components, stroke_width_px
from hwtranscribe.segment.geometry import is_flat
from hwtranscribe.types import CharBoxes

LEAN, MORE_THAN_HAND = 0.28, 0.2
"""Least lean of a slash, px right per px up, and by how much it leans more than the hand."""
STRAIGHT = 1.7
"""Most breadth of it across its direction, in stroke widths."""
AS_TALL, TALLER = 0.98, 1.04
"""Least height of a slash, by the usual height of what is beside it; from the second on it is as likely one as not."""
SKIPPED, TALL_SKIPPED = -3.0, -0.5
"""How well such a stroke may be left out, and one that is taller than the characters."""
BEFORE_DASH, BEFORE_DASH_SKIPPED = 0.85, 3.0
"""Least height of a slash before a dash that ends the line, as in `250/-`, by the same, and how well it is left out;
one that leans no more than the hand may be a 1."""
DASH_FOOT, DASH_GAP = 0.175, 0.8
"""How far above the foot of the slash such a dash is at least, and most paper between them, by the same."""


def slash_skips(components: Components) -> dict[int, float]:
    """Return the components that may be slashes, with log-odds that they are to be left out.

    Args:
        components: Of one line as it was written, not set upright.
    """
    if len(components) < 3:
        return {}
    height_px = components.height
    usual_px = float(np.median(height_px[height_px >= 0.5 * height_px.max()]))
    before_dash = _before_last_dash(components, usual_px)
    least_px = usual_px * np.where(np.arange(len(components)) == before_dash, BEFORE_DASH, AS_TALL)
    slender: Bool[np.ndarray, " n"] = (height_px >= least_px) & (components.width < height_px)
    leans = {
        k: lean
        for k in np.flatnonzero(slender & (components.width >= LEAN * height_px)).tolist()
        if (lean := _lean(_scatter(components, k), components.stroke_width_px)) >= LEAN
    }
    others = [k for k in np.flatnonzero(height_px >= 0.5 * usual_px).tolist() if k not in leans]
    if not leans or len(others) < (1 if before_dash in leans else 2):
        return {}
    least = _least_lean([_scatter(components, k) for k in others])
    skips = {
        k: TALL_SKIPPED if height_px[k] >= TALLER * usual_px else SKIPPED for k, lean in leans.items() if lean >= least
    }
    if before_dash in leans:
        skips[before_dash] = BEFORE_DASH_SKIPPED if before_dash in skips else TALL_SKIPPED
    return skips


def _before_last_dash(components: Components, usual_px: float) -> int:
    """Which component stands right before a dash that ends the line, or -1.

    Args:
        components: Of the line.
        usual_px: Height of its characters.
    """
    written = np.flatnonzero(components.height >= 0.5 * usual_px)
    last = int(written[np.argmax((components.left + components.right)[written])])
    behind = np.flatnonzero((components.left + components.right) / 2 > components.right[last])
    if len(behind) != 1:
        return -1
    dash = int(behind[0])
    flat = is_flat(components.width, components.height, usual_px)
    near = components.left[dash] - components.right[last] <= DASH_GAP * usual_px
    above = components.bottom[dash] < components.bottom[last] - DASH_FOOT * usual_px
    return last if flat[dash] and near and above else -1


def end_in_slashes(boxes: CharBoxes) -> bool:
    """Return whether two or more cells at either end of a comb hold nothing but a slash, as those that were not needed.

    Args:
        boxes: Of a comb.
    """
    written = np.flatnonzero(~boxes.blank)
    if len(written) < 2:
        return False
    tall_px = boxes.boxes[:, 3] - boxes.boxes[:, 1]
    usual_px = float(np.median(tall_px[written]))
    inks = [(boxes.inks[k] >= INK_THRESHOLD).view(np.uint8) for k in written]
    stroke_px = float(np.median([stroke_width_px(ink) for ink in inks]))
    scatters = [_scatter_of(ink > 0) for ink in inks]
    leans = np.array([_lean(scatter, stroke_px) for scatter in scatters])
    slashes = (leans >= LEAN) & (tall_px[written] >= AS_TALL * usual_px)
    slashes &= leans >= _least_lean([scatter for scatter, slash in zip(scatters, slashes, strict=True) if not slash])
    return bool(slashes[:2].all() or slashes[-2:].all())


def _least_lean(others: Sequence[Float64[np.ndarray, "2 2"]]) -> float:
    """Least lean of a slash beside characters: a hand that slants its ones slants the others, too."""
    slants = [-scatter[0, 1] / max(scatter[1, 1], 1e-6) for scatter in others]
    return max(LEAN, MORE_THAN_HAND + float(np.median(slants))) if slants else LEAN


def _lean(scatter: Float64[np.ndarray, "2 2"], stroke_px: float) -> float:
    """How far a straight stroke leans, px right per px up; 0 for what is no straight stroke."""
    spread, axes = np.linalg.eigh(scatter)
    if np.sqrt(12 * max(spread[0], 0.0)) > STRAIGHT * stroke_px or abs(axes[1, 1]) < 1e-6:
        return 0.0
    return -float(axes[0, 1] / axes[1, 1])


def _scatter(components: Components, k: int) -> Float64[np.ndarray, "2 2"]:
    """Second moments of a component, x and y."""
    window = slice(components.top[k], components.bottom[k]), slice(components.left[k], components.right[k])
    return _scatter_of(components.labels[window] == k + 1)


def _scatter_of(ink: Bool[np.ndarray, "h w"]) -> Float64[np.ndarray, "2 2"]:
    """Second moments of ink, x and y; of less than two px none."""
    y, x = np.nonzero(ink)
    return np.cov(x, y) if len(x) > 1 else np.zeros((2, 2))
