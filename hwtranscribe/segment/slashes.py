"""Strokes of a line that may be slashes: `12/05/2023` holds two of them, and to the networks they are ones."""

import numpy as np
from jaxtyping import Bool, Float64

from hwtranscribe.segment.components import Components

LEAN, MORE_THAN_HAND = 0.28, 0.2
"""Least lean of a slash, px right per px up, and by how much it leans more than the hand."""
STRAIGHT = 1.7
"""Most breadth of it across its direction, in stroke widths."""
AS_TALL, TALLER = 0.98, 1.04
"""Least height of a slash, by the usual height of what is beside it; from the second on it is as likely one as not."""
SKIPPED, TALL_SKIPPED = -3.0, -0.5
"""How well such a stroke may be left out, and one that is taller than the characters."""


def slash_skips(components: Components) -> dict[int, float]:
    """Return the components that may be slashes, with log-odds that they are to be left out.

    Args:
        components: Of one line as it was written, not set upright.
    """
    count = len(components)
    if count < 3:
        return {}
    height_px = components.height
    usual_px = float(np.median(height_px[height_px >= 0.5 * height_px.max()]))
    slender: Bool[np.ndarray, " n"] = (height_px >= AS_TALL * usual_px) & (components.width < height_px)
    leans: dict[int, float] = {}
    for k in np.flatnonzero(slender & (components.width >= LEAN * height_px)).tolist():
        spread, axes = np.linalg.eigh(_scatter(components, k))
        lean = -float(axes[0, 1] / axes[1, 1])
        breadth_px = float(np.sqrt(12 * max(spread[0], 0.0)))
        if lean >= LEAN and breadth_px <= STRAIGHT * components.stroke_width_px:
            leans[k] = lean
    others = [k for k in np.flatnonzero(height_px >= 0.5 * usual_px).tolist() if k not in leans]
    if not leans or len(others) < 2:
        return {}
    # A hand that slants its ones slants the others, too.
    scatters = [_scatter(components, k) for k in others]
    hand = max(0.0, float(np.median([-scatter[0, 1] / scatter[1, 1] for scatter in scatters])))
    return {
        k: TALL_SKIPPED if height_px[k] >= TALLER * usual_px else SKIPPED
        for k, lean in leans.items()
        if lean >= hand + MORE_THAN_HAND
    }


def _scatter(components: Components, k: int) -> Float64[np.ndarray, "2 2"]:
    """Second moments of a component, x and y."""
    window = slice(components.top[k], components.bottom[k]), slice(components.left[k], components.right[k])
    y, x = np.nonzero(components.labels[window] == k + 1)
    return np.cov(x, y)
