"""How likely a text is by the network that reads a line without cutting it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64

from hwtranscribe.decode.search import log_add

_NEVER = -1e30
_TINY = 1e-300
_FARFETCHED = -6.0
"""How much less likely than the best of its column a character may be before it is not tried."""


def line_log_probs(
    columns: Float32[np.ndarray, "t symbols_1"], symbols: Sequence[str], texts: Sequence[str]
) -> Float64[np.ndarray, " n"]:
    """Log-probability of each of some texts: of all ways to write it along the columns (Graves et al. 2006).

    What is no symbol (a space, a character that can't be read) counts as not there.

    Args:
        columns: Per column of the strip: log-probability of each symbol, and in the last place of none.
        symbols: The symbols.
        texts: At least one.
    """
    place = {symbol: i for i, symbol in enumerate(symbols)}
    written = [[place[c] for c in text if c in place] for text in texts]
    longest = max(len(one) for one in written)
    blank = len(symbols)
    # Between characters, before and after them is a blank, which may be passed over where they differ.
    states = np.full((len(texts), 2 * longest + 1), blank)
    for row, one in zip(states, written, strict=True):
        row[1 : 2 * len(one) : 2] = one
    passes = np.zeros(states.shape, bool)
    passes[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    scores = np.exp(columns.astype(np.float64))
    likely = np.zeros(states.shape)
    likely[:, :2] = scores[0][states[:, :2]]
    scale = np.zeros(len(texts))
    for column in scores[1:]:
        reached = likely.copy()
        reached[:, 1:] += likely[:, :-1]
        reached[:, 2:] += likely[:, :-2] * passes[:, 2:]
        reached *= column[states]
        # Products of many probabilities are kept near 1, their scale apart.
        peak = np.maximum(reached.max(axis=1), _TINY)
        likely = reached / peak[:, None]
        scale += np.log(peak)
    rows, ends = np.arange(len(texts)), np.array([2 * len(one) for one in written])
    whole = likely[rows, ends] + np.where(ends > 0, likely[rows, np.maximum(ends - 1, 0)], 0.0)
    return scale + np.log(np.maximum(whole, _TINY))


def line_texts(columns: Float32[np.ndarray, "t symbols_1"], symbols: Sequence[str], count: int) -> list[str]:
    """The likeliest texts of a line, without spaces, best first.

    A search along the columns that keeps the best beginnings (Hannun et al. 2014, arXiv 1408.2873).

    Args:
        columns: As above.
        symbols: The symbols.
        count: How many to keep and to return at most.
    """
    blank = len(symbols)
    # Log-probability of a beginning, where its last column is blank and where it is its last character.
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, _NEVER)}
    likely: list[list[int]] = [[] for _ in columns]
    near = columns[:, :-1] > columns.max(axis=1, keepdims=True) + _FARFETCHED
    for row, symbol in zip(*(places.tolist() for places in np.nonzero(near)), strict=True):
        likely[row].append(symbol)
    for scores, tried in zip(columns.astype(np.float64).tolist(), likely, strict=True):
        longer: dict[tuple[int, ...], tuple[float, float]] = {}
        for text, (after_blank, after_last) in beam.items():
            either = log_add(after_blank, after_last)
            stays = either + scores[blank]
            known = longer.get(text, (_NEVER, _NEVER))
            again = after_last + scores[text[-1]] if text else _NEVER
            longer[text] = log_add(known[0], stays), log_add(known[1], again)
            for symbol in tried:
                before = after_blank if text and text[-1] == symbol else either
                grown = (*text, symbol)
                known = longer.get(grown, (_NEVER, _NEVER))
                longer[grown] = known[0], log_add(known[1], before + scores[symbol])
        if len(longer) > count:
            best = sorted((-log_add(*found), text) for text, found in longer.items())[:count]
            longer = {text: longer[text] for _, text in best}
        beam = longer
    best = sorted((-log_add(*found), text) for text, found in beam.items())
    return ["".join(symbols[i] for i in text) for _, text in best if text]
