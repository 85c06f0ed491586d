"""Figures from scores: accuracies under masks, calibration, rejection, and the temperature."""

import numpy as np
from jaxtyping import Float32, Int32

from hwtranscribe.classify import symbol_log_probs
from hwtranscribe.model import DIGITS, LABELS, UPPER
from hwtranscribe.training.data import Characters

_IMPOSSIBLE = -1e4
_TEMPERATURES = np.exp(np.linspace(np.log(0.3), np.log(3.0), 93))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Normalise rows."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def over_all_labels(logits: np.ndarray, labels: tuple[str, ...]) -> Float32[np.ndarray, "n 63"]:
    """Return log-probabilities over `LABELS`; those that a network does not know are impossible."""
    spread = np.full((len(logits), len(LABELS)), _IMPOSSIBLE, np.float32)
    spread[:, [LABELS.index(label) for label in labels]] = log_softmax(logits)
    return spread


def symbol_accuracy(logits: np.ndarray, labels: tuple[str, ...], truth: Characters) -> dict[str, float]:
    """Accuracy of digits under the digit mask, letters under the letter mask, and all over the 36 symbols.

    `val` is the mean of those that apply, the figure that choices are made by.
    """
    log_probs = over_all_labels(logits, labels)
    symbols = truth.symbols
    is_digit = symbols < len(DIGITS)
    figures = {}
    for name, rows, kind, offset in (
        ("val_digits", is_digit, "digits", 0),
        ("val_letters", ~is_digit, "letters", len(DIGITS)),
    ):
        if rows.any():
            found = symbol_log_probs(log_probs[rows], kind)[1][:, :-1].argmax(axis=1)
            figures[name] = float((found + offset == symbols[rows]).mean())
    found = symbol_log_probs(log_probs, "alphanumeric")[1][:, :-1].argmax(axis=1)
    figures["val_36"] = float((found == symbols).mean())
    capitals = (truth.classes == truth.other_case) & (truth.classes >= len(DIGITS))
    capitals &= truth.classes < len(DIGITS) + len(UPPER)
    if capitals.any():
        found = symbol_log_probs(log_probs[capitals], "letters", "upper")[1][:, :-1].argmax(axis=1)
        figures["val_capitals"] = float((found + len(DIGITS) == truth.classes[capitals]).mean())
    figures["val"] = float(np.mean([v for k, v in figures.items() if k in ("val_digits", "val_letters")]))
    return figures


def fit_temperature(logits: np.ndarray, labels: tuple[str, ...], truth: Characters) -> float:
    """Return the temperature of least negative log-likelihood on validation (Guo et al., arXiv 1706.04599)."""
    losses = [_loss(logits / t, labels, truth.classes, truth.other_case) for t in _TEMPERATURES]
    return float(round(_TEMPERATURES[int(np.argmin(losses))], 4))


def _loss(
    logits: np.ndarray, labels: tuple[str, ...], classes: Int32[np.ndarray, " n"], other: Int32[np.ndarray, " n"]
) -> float:
    log_probs = over_all_labels(logits, labels)
    rows = np.arange(len(classes))
    one, two = log_probs[rows, classes], log_probs[rows, other]
    return float(-np.where(classes == other, one, np.logaddexp(one, two)).mean())
