"""The likeliest way to cut a field into characters, whatever they are."""

import numpy as np
from jaxtyping import Float32

from hwtranscribe.types import CharBoxes

_NO_CHARACTER_FLOOR = -4.0


def likely_edges(boxes: CharBoxes, log_probs: Float32[np.ndarray, "n classes"]) -> list[int]:
    """Edges of the best path by geometry and by how much each looks like a character of any kind.

    Args:
        boxes: The lattice.
        log_probs: Per edge, over all classes; the last is "no character".
    """
    character = np.log1p(-np.exp(np.minimum(log_probs[:, -1].astype(np.float64), -1e-6)))
    read = np.maximum(character, _NO_CHARACTER_FLOOR) + boxes.geometry_log_prob
    best = np.full(boxes.node_count, -np.inf)
    best[0] = 0.0
    came: list[tuple[int, int | None]] = [(0, None)] * boxes.node_count
    for edge, (start, end) in enumerate(zip(boxes.start.tolist(), boxes.end.tolist(), strict=True)):
        for score, taken in ((read[edge], edge), (boxes.skip_log_prob[edge], None)):
            if best[start] + score > best[end]:
                best[end] = best[start] + score
                came[end] = (start, taken)
    edges, node = [], boxes.node_count - 1
    while node > 0 and np.isfinite(best[node]):
        node, taken = came[node]
        if taken is not None:
            edges.append(taken)
    return edges[::-1]
