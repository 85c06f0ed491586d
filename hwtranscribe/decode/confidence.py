"""From the share that a text has of all texts the search found to the probability that the field is right.

The share alone is too sure of itself: the search does not know that the ink may have been taken apart wrongly. A
logistic regression on the share and the number of characters mends that (Platt 1999); `scripts/bench calibrate` fits it
on the development sets and shows by cross-validation how far it can be trusted.
"""

import math

OFFSET, SHARE, COUNT = 0.09, 0.76, -0.01
"""Weights of the log-odds of the share and of the logarithm of the count."""
_LIMIT = 1e-4


def probability_right(share: float, count: int) -> float:
    """Probability that the whole field is right.

    Args:
        share: Of the best text among all texts, by their probabilities.
        count: Number of its characters.
    """
    odds = OFFSET + SHARE * log_odds(share) + COUNT * math.log(max(count, 1))
    return 1.0 / (1.0 + math.exp(-odds))


def log_odds(probability: float) -> float:
    """Log-odds, with probabilities kept off 0 and 1."""
    bounded = min(max(probability, _LIMIT), 1 - _LIMIT)
    return math.log(bounded / (1 - bounded))
