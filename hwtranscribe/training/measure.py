"""Figures from scores: accuracies under masks, calibration, rejection, detection of non-characters, temperature."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32

from hwtranscribe.class_scores import symbol_log_probs
from hwtranscribe.model import DIGITS, LABELS, LOWER, UPPER
from hwtranscribe.training.data import Characters

SYMBOLS = DIGITS + UPPER
REJECT_SHARES = (0.0, 0.01, 0.02, 0.05, 0.1)

_IMPOSSIBLE = -1e4
_TEMPERATURES = np.exp(np.linspace(np.log(0.3), np.log(3.0), 93))
_CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What was read under a mask, and what it was.

    Attributes:
        symbols: The mask's symbols.
        truth: Index into `symbols`.
        answer: Most probable symbol, index into `symbols`.
        confidence: Its probability.
    """

    symbols: tuple[str, ...]
    truth: Int32[np.ndarray, " n"]
    answer: Int32[np.ndarray, " n"]
    confidence: Float32[np.ndarray, " n"]

    @property
    def right(self) -> Bool[np.ndarray, " n"]:
        """Whether each answer is right."""
        return self.truth == self.answer

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float(self.right.mean())


def answers_under(log_probs: Float32[np.ndarray, "n 63"], truth: Characters, kind: str, case: str = "any") -> Answers:
    """Answer under the mask of a kind and case; truth outside the mask must have been left out."""
    symbols, scores = symbol_log_probs(log_probs, kind, case)
    answer = scores[:, :-1].argmax(axis=1).astype(np.int32)
    position = np.array([symbols.index(s) if s in symbols else -1 for s in SYMBOLS], np.int32)
    confidence = np.exp(scores[np.arange(len(answer)), answer])
    return Answers(symbols, position[truth.symbols], answer, confidence)


def confusion_matrix(answers: Answers) -> np.ndarray:
    """Return counts, `Int64["truth answer"]`."""
    size = len(answers.symbols)
    return np.bincount(answers.truth * size + answers.answer, minlength=size * size).reshape(size, size)


def accuracy_with_merged(answers: Answers, one: str, other: str) -> float:
    """Accuracy when two symbols count as the same."""
    pair = [answers.symbols.index(one), answers.symbols.index(other)]
    both = np.isin(answers.truth, pair) & np.isin(answers.answer, pair)
    return float((answers.right | both).mean())


def reliability(answers: Answers) -> tuple[Float64[np.ndarray, " bins"], Float64[np.ndarray, " bins"], np.ndarray]:
    """Return mean confidence, accuracy and count of bins of equal width; empty bins are left out."""
    bins = np.minimum((answers.confidence * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    counts = np.bincount(bins, minlength=_CALIBRATION_BINS)
    filled = counts > 0
    confidence = np.bincount(bins, answers.confidence, _CALIBRATION_BINS)[filled] / counts[filled]
    accuracy = np.bincount(bins, answers.right, _CALIBRATION_BINS)[filled] / counts[filled]
    return confidence, accuracy, counts[filled]


def expected_calibration_error(answers: Answers) -> float:
    """Mean distance of confidence and accuracy over 15 bins (Guo et al., arXiv 1706.04599)."""
    confidence, accuracy, counts = reliability(answers)
    return float((np.abs(confidence - accuracy) * counts).sum() / counts.sum())


def reject_curve(answers: Answers) -> dict[str, float]:
    """Error among what is kept when the least confident share is left to a person."""
    by_doubt = answers.right[np.argsort(-answers.confidence, kind="stable")]
    keep = {share: max(1, round(len(by_doubt) * (1 - share))) for share in REJECT_SHARES}
    return {f"{share:.0%}": float(1 - by_doubt[:count].mean()) for share, count in keep.items()}


def false_positive_rate(
    characters: Float32[np.ndarray, " n"], garbage: Float32[np.ndarray, " m"], kept: float = 0.95
) -> float:
    """Share of non-characters accepted when this share of characters is.

    Args:
        characters: Probability of being no character, of characters.
        garbage: The same, of things that are none.
        kept: Share of the characters to accept.
    """
    return float((garbage <= np.quantile(characters, kept)).mean())


def classification_report(answers: Answers) -> list[dict[str, Any]]:
    """Return precision, recall and F1 per symbol that occurs, and their mean over symbols last."""
    matrix = confusion_matrix(answers).astype(float)
    hits, true, answered = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    rows = []
    for index in np.flatnonzero(true):
        precision = hits[index] / answered[index] if answered[index] else 0.0
        recall = hits[index] / true[index]
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        name = answers.symbols[index]
        rows.append({"symbol": name, "precision": precision, "recall": recall, "f1": f1, "count": int(true[index])})
    means = {key: float(np.mean([row[key] for row in rows])) for key in ("precision", "recall", "f1")}
    return [*rows, {"symbol": "mean", **means, "count": int(true.sum())}]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Normalise rows."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def over_all_labels(logits: np.ndarray, labels: tuple[str, ...]) -> Float32[np.ndarray, "n 63"]:
    """Return log-probabilities over `LABELS`; those that a network does not know are impossible."""
    spread = np.full((len(logits), len(LABELS)), _IMPOSSIBLE, np.float32)
    spread[:, [LABELS.index(label) for label in labels]] = log_softmax(logits)
    return spread


def validation_figures(logits: np.ndarray, labels: tuple[str, ...], truth: Characters) -> dict[str, float]:
    """Accuracy of digits under the digit mask, letters under the letter mask, capitals, and all over 36 symbols.

    `val` is the mean of digits and letters, as far as there are any: the figure that choices are made by.
    """
    log_probs = over_all_labels(logits, labels)
    figures = {}
    for name, rows, kind, case in (
        ("val_digits", is_digit(truth), "digits", "any"),
        ("val_letters", ~is_digit(truth), "letters", "any"),
        ("val_capitals", is_capital(truth), "letters", "upper"),
        ("val_36", np.ones(len(truth), bool), "alphanumeric", "any"),
    ):
        if rows.any():
            figures[name] = answers_under(log_probs[rows], truth.take(np.flatnonzero(rows)), kind, case).accuracy
    figures["val"] = float(np.mean([v for k, v in figures.items() if k in ("val_digits", "val_letters")]))
    return figures


def is_digit(characters: Characters) -> Bool[np.ndarray, " n"]:
    """Return which are digits."""
    return characters.symbols < len(DIGITS)


def is_capital(characters: Characters) -> Bool[np.ndarray, " n"]:
    """Return which are letters known to be capitals."""
    known = characters.classes == characters.other_case
    first, end = len(DIGITS), len(SYMBOLS)
    return known & (characters.classes >= first) & (characters.classes < end)


def label_table(labels: tuple[str, ...]) -> Int32[np.ndarray, "63"]:
    """Map an index into `LABELS` to one into a network's own labels; a small letter to its capital if need be."""
    folded = dict(zip(LOWER, UPPER, strict=True))
    known = [name if name in labels else folded.get(name) for name in LABELS]
    return np.array([labels.index(name) if name in labels else -1 for name in known], np.int32)


def fit_temperature(logits: np.ndarray, labels: tuple[str, ...], truth: Characters) -> float:
    """Return the temperature of least negative log-likelihood on validation (Guo et al., arXiv 1706.04599)."""
    table = label_table(labels)
    classes, other = table[truth.classes], table[truth.other_case]
    rows = np.arange(len(classes))

    def loss(temperature: float) -> float:
        log_probs = log_softmax(logits / temperature)
        one, two = log_probs[rows, classes], log_probs[rows, other]
        return float(-np.where(classes == other, one, np.logaddexp(one, two)).mean())

    losses = [loss(temperature) for temperature in _TEMPERATURES]
    return float(round(_TEMPERATURES[int(np.argmin(losses))], 4))
