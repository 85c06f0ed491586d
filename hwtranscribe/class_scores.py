"""What the scores of classes mean in a field: what it may hold, and what its characters tell of one another."""

import numpy as np
from jaxtyping import Bool, Float32

from hwtranscribe.model import DIGITS, LABELS, LOWER, UPPER

_CAPITALS, _SMALL_LETTERS = 0.6, 0.2
"""Capitals and small letters counted before any are seen: few, for most hands keep to one case."""

_LEAST_LETTERS = 2.0
"""Letters below which a field does not tell that its writer keeps to small ones: a bare bar alone is an I."""

_OF_THE_PAGE = 4.0
"""Letters for which the rest of a page counts in each of its fields."""

_DIGIT_LIKE = {
    "0": "OoDaCc",
    "1": "Il",
    "2": "Zzq",
    "4": "yYLH",
    "5": "Ss",
    "6": "bG",
    "7": "T",
    "8": "B",
    "9": "qgP",
}
_LETTER_SHARE = np.float32(np.log(0.3))
"""How far a letter's probability counts for the digit it looks like; chosen on the cheques."""

_LOST_FEET, _LOST_HEADS = (("F", "E"),), (("4", "9"), ("1", "7"))
"""What a character looks like whose foot or head went with a rule, and what it may have been."""

_LOST_SHARE = np.float32(np.log(0.15))
"""How far the one counts for the other; chosen for F and E, on drawn forms."""

_DIGITS_OF_NUMBER, _DIGITS_OF_WORDS = 0.85, 0.05
"""Share of digits in numbers, such as a code that ends in a letter, and in words."""

_TINY = 1e-9


def symbol_log_probs(
    log_probs: Float32[np.ndarray, "n 63"], kind: str, case: str = "any"
) -> tuple[tuple[str, ...], Float32[np.ndarray, "n symbols_1"]]:
    """Restrict class scores to what a field may hold.

    Args:
        log_probs: Over `LABELS`, from `Classifier.score`.
        kind: `digits`, `letters` or `alphanumeric`.
        case: Of letters; `any` sums both cases of a letter and answers in capitals.

    Returns:
        The symbols, and normalised log-probabilities of them and, last, of being no character.
    """
    upper_at, lower_at = len(DIGITS), len(DIGITS) + len(UPPER)
    upper, lower = log_probs[:, upper_at:lower_at], log_probs[:, lower_at : lower_at + len(LOWER)]
    letters = {"upper": _with_dotted(upper, lower), "lower": lower, "any": np.logaddexp(upper, lower)}[case]
    letter_symbols = LOWER if case == "lower" else UPPER
    columns, symbols = {
        "digits": ([log_probs[:, :upper_at]], DIGITS),
        "letters": ([letters], letter_symbols),
        "alphanumeric": ([log_probs[:, :upper_at], letters], DIGITS + letter_symbols),
    }[kind]
    chosen = np.concatenate([*columns, log_probs[:, -1:]], axis=1)
    peak = chosen.max(axis=1, keepdims=True)
    total = peak + np.log(np.exp(chosen - peak).sum(axis=1, keepdims=True))
    return symbols, (chosen - total).astype(np.float32)


def largest_share(log_probs: Float32[np.ndarray, "n 63"], kind: str) -> Float32[np.ndarray, " n"]:
    """Probability of the likeliest character that a field may hold, both cases of a letter together.

    Args:
        log_probs: Over `LABELS`.
        kind: As above.
    """
    shares = np.exp(log_probs)
    digits = shares[:, : len(DIGITS)]
    letters = shares[:, len(DIGITS) : -1].reshape(len(shares), 2, len(UPPER)).sum(axis=1)
    columns = {"digits": [digits], "letters": [letters], "alphanumeric": [digits, letters]}[kind]
    return np.concatenate(columns, axis=1).max(axis=1)


def _with_dotted(upper: Float32[np.ndarray, "n 26"], lower: Float32[np.ndarray, "n 26"]) -> Float32[np.ndarray, "n 26"]:
    """Count i as I and j as J: many who print capitals dot these two."""
    dotted = [UPPER.index("I"), UPPER.index("J")]
    upper = upper.copy()
    upper[:, dotted] = np.logaddexp(upper[:, dotted], lower[:, dotted])
    return upper


def count_letters_as_digits(log_probs: Float32[np.ndarray, "n 63"]) -> Float32[np.ndarray, "n 63"]:
    """Give part of what looks like a letter to the digit that people write so, for fields that hold digits only.

    The digits of the training set are American; elsewhere a 9 may look like a g, q or P, a 1 like an I, a 4 like a y;
    in a row of zeros each may stay open like a C.

    Args:
        log_probs: Over `LABELS`.
    """
    counted = log_probs.copy()
    for digit, letters in _DIGIT_LIKE.items():
        column = LABELS.index(digit)
        for letter in letters:
            share = log_probs[:, LABELS.index(letter)] + _LETTER_SHARE
            counted[:, column] = np.logaddexp(counted[:, column], share)
    return counted


def count_lost_parts(
    log_probs: Float32[np.ndarray, "n 63"],
    on_rule: Bool[np.ndarray, " n"] | None,
    under_rule: Bool[np.ndarray, " n"] | None,
) -> Float32[np.ndarray, "n 63"]:
    """Give part of what a character looks like to what it may have been before a part went with a printed rule.

    An F on a rule may be an E, a 4 under one a 9, and a 1 a 7. (What else loses its foot so, such as an L or a 2, was
    read no better by this: an I or 7 that stands on a rule is far more frequent.)

    Args:
        log_probs: Over `LABELS`.
        on_rule: Which characters stand on a rule; None where none does.
        under_rule: Which hang from one; None where none does.
    """
    counted = log_probs.copy()
    for touching, pairs in ((on_rule, _LOST_FEET), (under_rule, _LOST_HEADS)):
        for seen, was in pairs if touching is not None else ():
            column = LABELS.index(was)
            share = log_probs[touching, LABELS.index(seen)] + _LOST_SHARE
            counted[touching, column] = np.logaddexp(counted[touching, column], share)
    return counted


def lean_on_case(
    log_probs: Float32[np.ndarray, "n 63"], share_on_page: float | None = None
) -> Float32[np.ndarray, "n 63"]:
    """Shift the letters of one field or page towards the case that its writer uses.

    A bare bar is an I among capitals and an l among small letters. The share of capitals is estimated from the field's
    own characters (a mixture of two, fitted by EM), the likelier to start with being what the rest of the page is
    written in, and capitals where that is not known; the probability that a character is a letter stays as it is.

    Args:
        log_probs: Over `LABELS`, of characters (and wrong cuts) of one field.
        share_on_page: Of capitals, in all that one hand wrote on the page.
    """
    share = share_of_capitals(log_probs, share_on_page)
    upper_at, lower_at = len(DIGITS), len(DIGITS) + len(UPPER)
    leaning = log_probs.copy()
    leaning[:, upper_at:lower_at] += np.log(share)
    leaning[:, lower_at : lower_at + len(LOWER)] += np.log(1 - share)
    letters = slice(upper_at, lower_at + len(LOWER))
    leaning[:, letters] += (_log_sum(log_probs[:, letters]) - _log_sum(leaning[:, letters]))[:, None]
    return leaning


def in_small_letters(log_probs: Float32[np.ndarray, "n 63"], share_on_page: float) -> bool:
    """Whether what should be in capitals is mostly in small letters, as some people write whatever a form asks for.

    Args:
        log_probs: Over `LABELS`, of characters (and wrong cuts) of one field.
        share_on_page: Of capitals, in all that should be in capitals on the page.
    """
    letters = float(np.exp(log_probs[:, len(DIGITS) : len(DIGITS) + len(UPPER) + len(LOWER)]).sum())
    return letters >= _LEAST_LETTERS and share_of_capitals(log_probs, share_on_page) < 0.5


def share_of_capitals(log_probs: Float32[np.ndarray, "n 63"], share_on_page: float | None = None) -> float:
    """Share of capitals among letters, by EM, with some capitals and small letters counted before any is seen.

    Args:
        log_probs: Over `LABELS`, of characters (and wrong cuts) of one field or page.
        share_on_page: Of a field: the share on its page, where that is known.
    """
    capitals, small_letters = _CAPITALS, _SMALL_LETTERS
    if share_on_page is not None:
        capitals, small_letters = _OF_THE_PAGE * share_on_page, _OF_THE_PAGE * (1 - share_on_page)
    upper_at, lower_at = len(DIGITS), len(DIGITS) + len(UPPER)
    upper, lower = log_probs[:, upper_at:lower_at], log_probs[:, lower_at : lower_at + len(LOWER)]
    mass = np.exp(np.stack([_log_sum(upper), _log_sum(lower)], axis=1).astype(np.float64))
    weight = mass.sum(axis=1)
    share = 0.5
    for _ in range(8):
        capital = share * mass[:, 0]
        belongs = capital / np.maximum(capital + (1 - share) * mass[:, 1], 1e-12)
        share = (float((weight * belongs).sum()) + capitals) / (float(weight.sum()) + capitals + small_letters)
    return share


def share_of_digits(log_probs: Float32[np.ndarray, "n 63"]) -> float:
    """How much of what is written are digits rather than letters, 0 to 1.

    Args:
        log_probs: Over `LABELS`, of the characters of one line.
    """
    probabilities = np.exp(log_probs.astype(np.float64))
    characters = float(probabilities[:, :-1].sum())
    return float(probabilities[:, : len(DIGITS)].sum()) / characters if characters else 0.0


def log_odds_of_a_number(log_probs: Float32[np.ndarray, "n 63"]) -> float:
    """How much likelier characters are to be those of a number than those of words; natural logarithm.

    Args:
        log_probs: Over `LABELS`, of the characters of one line.
    """
    probabilities = np.exp(log_probs.astype(np.float64))
    # Added up: one less the last class may come out below 0 where that is certain.
    is_character = probabilities[:, :-1].sum(axis=1)
    digit = probabilities[:, : len(DIGITS)].sum(axis=1) / np.maximum(is_character, _TINY)
    of_number, of_words = (share * digit + (1 - share) * (1 - digit) for share in (_DIGITS_OF_NUMBER, _DIGITS_OF_WORDS))
    return float((is_character * np.log(of_number / of_words)).sum())


def _log_sum(values: Float32[np.ndarray, "n m"]) -> Float32[np.ndarray, " n"]:
    peak = values.max(axis=1)
    return peak + np.log(np.exp(values - peak[:, None]).sum(axis=1))
