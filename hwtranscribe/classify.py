"""Glyphs to scores: the trained network, loaded once, compiled once, always run on batches of one size."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from hwtranscribe.checkpoint import Checkpoint, default_checkpoint_path, load_checkpoint
from hwtranscribe.crop import ink_from_crop
from hwtranscribe.errors import CheckpointError
from hwtranscribe.glyph import GLYPH_SIZE_PX, normalize_inks, turned
from hwtranscribe.model import DIGITS, LABELS, LOWER, UPPER, folded, keep_compiled_programs
from hwtranscribe.types import CharScores

BATCH_SIZE = 32
"""One size: a glyph's scores can't depend on how many others there are, and only one program is compiled."""

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

_FOOT_SHARE = np.float32(np.log(0.15))
"""How far an F counts for the E that it may have been before its foot went with a rule; chosen on drawn forms."""

_IMPOSSIBLE = np.float32(-1e4)

_DOUBTFUL = 0.9
"""Characters less likely than this are looked at from more sides; more than this share changes hardly any answer."""

_VIEWS_DEG = (-6.0, 6.0)
"""By how much they are turned; chosen on the letter grids, confirmed on characters of two other sources."""


class Classifier:
    """A trained network that scores glyphs.

    Attributes:
        labels: One per class; "" is the class of things that are no character.
        checkpoint: What was loaded.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.labels = LABELS
        self._apply = _compile(checkpoint)

    @classmethod
    def load(cls, checkpoint: Path | None = None) -> "Classifier":
        """Load a checkpoint folder, by default the shipped one.

        Raises:
            CheckpointError: It is missing, damaged or of another version.
        """
        keep_compiled_programs()
        folder = Path(checkpoint) if checkpoint else default_checkpoint_path()
        loaded = load_checkpoint(folder)
        if loaded.network.preset == "linenet":
            raise CheckpointError(f"{folder}: holds a linenet, which reads lines; needed is a network for characters")
        return cls(loaded)

    @property
    def checkpoint_hash(self) -> str:
        """Short hash of everything that changes scores."""
        return self.checkpoint.hash

    def score(self, glyphs: Float32[np.ndarray, "n 28 28 1"]) -> CharScores:
        """Return calibrated log-probabilities of the classes in `labels`.

        Args:
            glyphs: From `normalize_inks`; those without ink, such as empty cells, are no character for certain.
        """
        scores = np.full((len(glyphs), len(self.labels)), _IMPOSSIBLE)
        scores[:, -1] = 0.0
        inked = np.flatnonzero(glyphs.any(axis=(1, 2, 3)))
        for start in range(0, len(inked), BATCH_SIZE):
            chosen = inked[start : start + BATCH_SIZE]
            padded = np.zeros((BATCH_SIZE, GLYPH_SIZE_PX, GLYPH_SIZE_PX, 1), np.float32)
            padded[: len(chosen)] = glyphs[chosen]
            scores[chosen] = np.asarray(self._apply(padded))[: len(chosen)]
        return CharScores(scores, self.labels)

    def score_inks(
        self, inks: Sequence[Float32[np.ndarray, "_h _w"]], whole: Bool[np.ndarray, " n"]
    ) -> Float32[np.ndarray, "n 63"]:
        """Return log-probabilities over `labels` of ink maps; what holds no ink is no character.

        Characters that are doubtful are looked at again, turned to either side, and their probabilities averaged: a
        wrong answer changes with the view more often than the right one does.

        Args:
            inks: 0 to 1, ink = 1, any size.
            whole: Which are one character each. Wrong cuts are doubtful however they are turned.
        """
        glyphs = normalize_inks(inks)
        log_probs = self.score(glyphs).log_probs
        inked = glyphs.any(axis=(1, 2, 3))
        doubtful = np.flatnonzero(inked & whole & (log_probs[:, :-1].max(axis=1) < np.log(_DOUBTFUL)))
        turns = [turned(inks[at], angle_deg) for angle_deg in _VIEWS_DEG for at in doubtful.tolist()]
        of_turns = self.score(normalize_inks(turns)).log_probs.reshape(len(_VIEWS_DEG), *log_probs[doubtful].shape)
        views = np.concatenate([log_probs[doubtful][None], of_turns])
        log_probs[doubtful] = np.logaddexp.reduce(views) - np.float32(np.log(len(views)))
        return log_probs

    def read_crops(
        self, crops: Sequence[UInt8[np.ndarray, "h w"]], kind: str, case: str = "any"
    ) -> tuple[list[str], Float32[np.ndarray, " n"]]:
        """Read one character from each crop.

        Args:
            crops: Grey, dark ink on light paper, any size, one character each. Those of one call are taken to be of one
                page: under `any` a bare bar is an I where the others are capitals, and an l where they are small.
            kind: `digits`, `letters` or `alphanumeric`.
            case: `upper`, `lower` or `any`; `any` answers in capitals.

        Returns:
            The best label of each crop ("" where there is no ink), and the probability that it is right.
        """
        inks = [ink_from_crop(crop) for crop in crops]
        scores = self.score_inks(inks, np.ones(len(inks), bool))
        symbols, log_probs = symbol_log_probs(lean_on_case(scores) if case == "any" else scores, kind, case)
        best = log_probs[:, :-1].argmax(axis=1)
        probabilities = np.exp(log_probs[np.arange(len(best)), best])
        labels = [symbols[index] if likely > 0 else "" for index, likely in zip(best, probabilities, strict=True)]
        return labels, probabilities


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


def count_lost_feet(
    log_probs: Float32[np.ndarray, "n 63"], on_rule: Bool[np.ndarray, " n"]
) -> Float32[np.ndarray, "n 63"]:
    """Give part of what looks like an F to the E where characters stand on a printed rule.

    A foot that lay on the rule went with it. (What else loses its foot so, such as an L or a 2, was read no better by
    this: an I or 7 that stands on a rule is far more frequent.)

    Args:
        log_probs: Over `LABELS`.
        on_rule: Which characters stand on a rule.
    """
    counted = log_probs.copy()
    e, f = LABELS.index("E"), LABELS.index("F")
    counted[on_rule, e] = np.logaddexp(counted[on_rule, e], log_probs[on_rule, f] + _FOOT_SHARE)
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


def _log_sum(values: Float32[np.ndarray, "n m"]) -> Float32[np.ndarray, " n"]:
    peak = values.max(axis=1)
    return peak + np.log(np.exp(values - peak[:, None]).sum(axis=1))


def _compile(checkpoint: Checkpoint) -> Callable[[np.ndarray], Any]:
    module, variables = folded(checkpoint.network.build(), checkpoint.variables)
    temperature = checkpoint.temperature
    try:
        columns = np.array([LABELS.index(label) for label in checkpoint.labels])
    except ValueError as error:
        raise CheckpointError(f"checkpoint labels: {error}; allowed are 0-9, A-Z, a-z and the empty one") from error

    def scores(variables: Any, glyphs: jax.Array) -> jax.Array:
        log_probs = jax.nn.log_softmax(module.apply(variables, glyphs) / temperature)
        # A network of fewer classes (digits or capitals only) answers over the same 63.
        return jnp.full((len(glyphs), len(LABELS)), _IMPOSSIBLE).at[:, columns].set(log_probs)

    run = jax.jit(scores)
    placed = jax.device_put(variables)
    return lambda glyphs: run(placed, glyphs)
