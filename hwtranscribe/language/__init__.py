"""How likely letters follow one another in what people write on forms: names, places, plain words.

A mixture on whole words: some are of the kind in `words.txt`, spelled as an n-gram model of them says; some come from
elsewhere, but their letters follow one another in pairs as they do there; and the rest is letters without order. So a
name that was read with doubt is helped by what names are like, and a code or an alphabet, which is like no name, is
left alone.

The n-grams are interpolated after Witten and Bell (1991). The words were written down for this purpose; they are no
lexicon, other words are read as well.
"""

from collections import Counter
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from math import exp, log
from typing import NamedTuple

ORDER = 4
"""Letters of an n-gram."""
WORD_SHARES = {4: 0.5, 2: 0.3}
"""Share of words that are spelled like the list by n-grams of so many letters; the rest is letters without order."""
SWITCH_LOG_ODDS = -2.2
"""Of a digit beside a letter in one word: they stand in codes, not in words."""
_LETTERS = 26
_START, _END = "^" * (ORDER - 1), "$"


def word_log_odds(text: str) -> float:
    """How much more likely a text is than letters without order; natural logarithm.

    Args:
        text: Words in any case; what is no letter of A-Z counts as unordered.
    """
    return sum(_one_word(word) if word.isalpha() and word.isascii() else _mixed(word) for word in text.upper().split())


def is_mixed(word: str) -> bool:
    """Whether a word holds letters and digits."""
    return any(map(str.isalpha, word)) and any(map(str.isdigit, word))


def _mixed(word: str) -> float:
    return SWITCH_LOG_ODDS * sum(
        one.isalnum() and other.isalnum() and one.isdigit() != other.isdigit() for one, other in pairwise(word)
    )


@lru_cache(maxsize=65536)
def _one_word(word: str) -> float:
    odds = {order: min(_log_odds_of_ngrams(word, order), 600.0) for order in WORD_SHARES}
    return log(sum(share * exp(odds[order]) for order, share in WORD_SHARES.items()) + 1 - sum(WORD_SHARES.values()))


def _log_odds_of_ngrams(word: str, order: int) -> float:
    """How much more likely a word is by n-grams of at most so many letters than without order."""
    model = _ngrams()
    log_prob, padded = 0.0, _START + word + _END
    for at in range(len(_START), len(padded)):
        probability = 1.0 / (_LETTERS + 1)
        for length in range(order):
            context = padded[at - length : at]
            total = model.total.get(context, 0)
            if total:
                different = model.different[context]
                probability = (model.counts[context + padded[at]] + different * probability) / (total + different)
        log_prob += log(probability)
    return log_prob + (len(word) + 1) * log(_LETTERS + 1)


class _Ngrams(NamedTuple):
    """How often each n-gram occurs, how often each context, and how many different letters follow it."""

    counts: Counter[str]
    total: Counter[str]
    different: Counter[str]


@lru_cache(maxsize=1)
def _ngrams() -> _Ngrams:
    counts: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for word in dict.fromkeys(files(__package__).joinpath("words.txt").read_text("ascii").split()):
        padded = _START + word + _END
        for at in range(len(_START), len(padded)):
            for length in range(ORDER):
                context = padded[at - length : at]
                counts[context + padded[at]] += 1
                total[context] += 1
    return _Ngrams(counts, total, Counter(gram[:-1] for gram in counts))
