"""How likely letters follow one another in what people write on forms: names, places, plain words.

A mixture on whole words: some stand in the lists beside this file, the common ones likelier; some are spelled like
those, as an n-gram model of them says; some come from elsewhere, but their letters follow one another in pairs as they
do there; and the rest is letters without order. So a name that was read with doubt is helped by what names are, and a
code or an alphabet, which is like no name, is left alone.

The lists are no lexicon: other words are read as well. `docs/words.md` says where they come from. How likely a word is
follows from its place in its list (Zipf 1949); the n-grams are interpolated after Witten and Bell (1991).
"""

from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from math import exp, log
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int32, UInt8

LISTS = ("first_names", "surnames", "places", "words")
"""Each as likely as the others."""
LISTED_SHARE = 0.4
"""Of words that stand in the lists."""
SPELLED_SHARES = {4: 0.2, 2: 0.2}
"""Of words that are spelled like the lists by n-grams of so many letters; the rest is letters without order."""
SWITCH_LOG_ODDS = -2.2
"""Of a digit beside a letter in one word: they stand in codes, not in words."""
_UNORDERED_SHARE = 1 - LISTED_SHARE - sum(SPELLED_SHARES.values())
_COMMONEST = 10
"""Words at the head of a list that are about as common as one another."""
_SYMBOLS = 27
"""The letters, and what stands before and after a word."""
_MOST_LOG_ODDS = 600.0
"""Beyond what `exp` can take."""


def word_log_odds(text: str) -> float:
    """How much more likely a text is than letters without order; natural logarithm.

    Args:
        text: Words in any case; what is no letter of A-Z counts as unordered.
    """
    return sum(_one_word(word) if word.isalpha() and word.isascii() else _mixed(word) for word in text.upper().split())


def is_mixed(word: str) -> bool:
    """Whether a word holds letters and digits."""
    return any(map(str.isalpha, word)) and any(map(str.isdigit, word))


def likely_words(log_probs: Float32[np.ndarray, "n 26"], count: int) -> list[str]:
    """The listed words that characters are likeliest to be, by how they look and how common the words are.

    Args:
        log_probs: Of every letter, per character.
        count: How many at most.
    """
    listed = _listed_of_length(len(log_probs))
    if listed is None:
        return []
    words, letters, scores = listed
    for of_character, own in zip(log_probs, letters, strict=True):
        scores = scores + of_character[own]
    best = np.argpartition(-scores, min(count, len(scores)) - 1)[:count]
    return [words[at] for at in best.tolist()]


@lru_cache(maxsize=64)
def _listed_of_length(length: int) -> tuple[list[str], UInt8[np.ndarray, "length n"], Float32[np.ndarray, " n"]] | None:
    """The listed words of one length, their letters place by place (0 is A), and their log-probabilities."""
    likely = {word: log(probability) for word, probability in _model().listed.items() if len(word) == length}
    if not likely:
        return None
    letters = np.frombuffer("".join(likely).encode("ascii"), np.uint8).reshape(len(likely), length) - np.uint8(ord("A"))
    return list(likely), np.ascontiguousarray(letters.T), np.array(list(likely.values()), np.float32)


def _mixed(word: str) -> float:
    return SWITCH_LOG_ODDS * sum(
        one.isalnum() and other.isalnum() and one.isdigit() != other.isdigit() for one, other in pairwise(word)
    )


@lru_cache(maxsize=65536)
def _one_word(word: str) -> float:
    model = _model()
    odds = _UNORDERED_SHARE
    for order, share in SPELLED_SHARES.items():
        odds += share * exp(min(model.log_odds_of_ngrams(word, order), _MOST_LOG_ODDS))
    if word in model.listed:
        odds += LISTED_SHARE * model.listed[word] * exp(min((len(word) + 1) * log(_SYMBOLS), _MOST_LOG_ODDS))
    return log(odds)


class _Model(NamedTuple):
    """What words are like.

    Attributes:
        listed: Probability of each word of the lists.
        log_odds: Per order of n-grams: of the last letter after the others, against any letter.
    """

    listed: dict[str, float]
    log_odds: dict[int, Float64[np.ndarray, " n"]]

    def log_odds_of_ngrams(self, word: str, order: int) -> float:
        """How much more likely a word is by n-grams of at most so many letters than without order."""
        total, at, table = 0.0, 0, self.log_odds[order]
        for letter in (*word.encode("ascii"), ord("@")):
            at = (at * _SYMBOLS + letter - ord("@")) % len(table)
            total += table[at]
        return float(total)


@lru_cache(maxsize=1)
def _model() -> _Model:
    texts = [files(__package__).joinpath(f"{name}.txt").read_bytes() for name in LISTS]
    listed: dict[str, float] = {}
    for text in texts:
        words = text.decode("ascii").split()
        likely = 1.0 / (np.arange(len(words)) + _COMMONEST)
        for word, probability in zip(words, (likely / likely.sum() / len(texts)).tolist(), strict=True):
            listed[word] = listed.get(word, 0.0) + probability
    return _Model(listed, _ngrams(b"".join(texts)))


def _ngrams(words: bytes) -> dict[int, Float64[np.ndarray, " n"]]:
    """Log-odds of the last letter of every n-gram, after the others, per order.

    Args:
        words: In capitals, a line break behind each.
    """
    letters = np.frombuffer(words.replace(b"\n", b"@"), np.uint8) - np.uint8(ord("@"))
    longest = max(SPELLED_SHARES)
    counts = np.bincount(_last_letters(letters, longest), minlength=_SYMBOLS**longest).reshape((_SYMBOLS,) * longest)
    tables, probability = {}, np.full(_SYMBOLS, 1.0 / _SYMBOLS)
    for order in range(1, longest + 1):
        of_order = counts.sum(axis=tuple(range(longest - order)))
        total, different = of_order.sum(axis=-1, keepdims=True), (of_order > 0).sum(axis=-1, keepdims=True)
        # Of n - 1 letters that never occurred, the last n - 2 tell alone.
        probability = (of_order + (different + (total == 0)) * probability) / np.maximum(total + different, 1)
        tables[order] = np.log(probability * _SYMBOLS).ravel()
    return {order: tables[order] for order in SPELLED_SHARES}


def _last_letters(letters: UInt8[np.ndarray, " n"], count: int) -> Int32[np.ndarray, " n"]:
    """Per letter the number of the n-gram that ends there; before a word stands what stands between words.

    Args:
        letters: 0 between words, 1 to 26 in them.
        count: Letters of an n-gram.
    """
    numbers, apart = letters.astype(np.int32), np.zeros(len(letters), bool)
    for place in range(1, count):
        apart[:place] = True
        apart[place:] |= letters[:-place] == 0
        numbers[place:] += np.where(apart[place:], 0, letters[:-place]) * np.int32(_SYMBOLS**place)
    return numbers
