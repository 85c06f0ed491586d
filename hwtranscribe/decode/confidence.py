"""From the share that a text has of all texts the search found to the probability that the field is right.

The share alone is too sure of itself: the search does not know that the ink may have been taken apart wrongly. A
logistic regression mends that (Platt 1999); `scripts/bench calibrate` fits it on the development sets and shows by
cross-validation how far it can be trusted.
"""

import math
from collections.abc import Sequence

OFFSET, SHARE = 0.07, 0.76
"""Of the log-odds of being right: what is added to the weighted log-odds of the share."""
LEGIBLE = 0.3
"""Geometric mean of its characters' probabilities below which only the whole line speaks for a reading: characters that
touch may have been cut wrongly, and then nothing else that was found competes with it."""
_LIMIT = 1e-4


def probability_right(share: float) -> float:
    """Probability that the whole field is right.

    Args:
        share: Of the best text among all texts, by their probabilities.
    """
    return 1.0 / (1.0 + math.exp(-OFFSET - SHARE * log_odds(share)))


def hardly_legible(probabilities: Sequence[float]) -> bool:
    """Whether most characters of a reading are taken for none, however much likelier it is than others.

    Args:
        probabilities: Of the characters, at least one.
    """
    return math.fsum(math.log(max(p, _LIMIT)) for p in probabilities) < len(probabilities) * math.log(LEGIBLE)


def log_odds(probability: float) -> float:
    """Log-odds, with probabilities kept off 0 and 1."""
    bounded = min(max(probability, _LIMIT), 1 - _LIMIT)
    return math.log(bounded / (1 - bounded))
