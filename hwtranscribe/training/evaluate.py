"""Every figure of a checkpoint, from one protocol.

Validation is the part held out of train; the test sets are touched only here.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float32

from hwtranscribe.classify import BATCH_SIZE, Classifier
from hwtranscribe.glyph import normalize_inks
from hwtranscribe.model import DIGITS, GARBAGE, LABELS, UPPER, parameter_count
from hwtranscribe.training.augment import Augmenter
from hwtranscribe.training.data import (
    Characters,
    concatenate,
    load_cased_letters,
    load_digits,
    load_letters,
)
from hwtranscribe.training.garbage import GARBAGE_KINDS, draw_garbage_of
from hwtranscribe.training.measure import (
    Answers,
    accuracy_with_merged,
    answers_under,
    expected_calibration_error,
    false_positive_rate,
    is_capital,
    is_digit,
    reject_curve,
)

_GARBAGE_PER_KIND = 500
_SPEED_SECONDS = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class MaskedSet:
    """One set under one mask.

    Attributes:
        name: In reports.
        characters: What it holds.
        kind: Of the mask.
        case: Of the mask.
    """

    name: str
    characters: Characters
    kind: str
    case: str = "any"


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Figures and what pictures are drawn from.

    Attributes:
        figures: Plain JSON values.
        answers: Per set, in order.
        sets: The sets.
    """

    figures: dict[str, Any]
    answers: dict[str, Answers]
    sets: dict[str, MaskedSet]


def evaluate_classifier(classifier: Classifier, sets: list[MaskedSet]) -> Evaluation:
    """Measure a network on sets, on things that are no characters, and its cost."""
    figures: dict[str, Any] = {}
    answers: dict[str, Answers] = {}
    garbage_scores = []
    for test in sets:
        log_probs = classifier.score(test.characters.glyphs()).log_probs
        found = answers_under(log_probs, test.characters, test.kind, test.case)
        answers[test.name] = found
        figures[test.name] = _figures(found)
        garbage_scores.append(np.exp(log_probs[:, LABELS.index(GARBAGE)]))
    if GARBAGE in classifier.checkpoint.labels:
        figures["non-characters"] = _non_character_figures(classifier, sets, np.concatenate(garbage_scores))
    figures["cost"] = measure_cost(classifier)
    return Evaluation(figures, answers, {test.name: test for test in sets})


def load_test_sets(data_dir: Path, validation: Characters, labels: tuple[str, ...]) -> list[MaskedSet]:
    """Return the sets that a network of these labels is measured on."""
    knows_digits, knows_letters = set(DIGITS) <= set(labels), set(UPPER) <= set(labels)
    sets, tests = [], []
    if knows_digits:
        digits = load_digits(data_dir, "test")
        tests.append(digits)
        sets.append(MaskedSet("MNIST test, digits", digits, "digits"))
    if knows_letters:
        letters = load_letters(data_dir, "test")
        tests.append(letters)
        sets.append(MaskedSet("EMNIST letters test (TFDS, A-S), letters", letters, "letters"))
        cased = load_cased_letters(data_dir, "test")
        capitals = cased.take(np.flatnonzero(is_capital(cased)))
        sets.append(MaskedSet("EMNIST byclass test capitals, letters, upper", capitals, "letters", "upper"))
        held_out = validation.take(np.flatnonzero(~is_digit(validation)))
        sets.append(MaskedSet("validation, balanced A-Z, letters", held_out, "letters"))
    if knows_digits and knows_letters:
        sets.append(MaskedSet("MNIST and EMNIST letters test, 36 classes", concatenate(tests), "alphanumeric"))
    return sets


def measure_cost(classifier: Classifier) -> dict[str, float]:
    """Return parameters, multiply-adds a character, and characters read per second on this machine."""
    checkpoint = classifier.checkpoint
    module = checkpoint.network.build()
    one = np.zeros((1, 28, 28, 1), np.float32)
    analysis = jax.jit(module.apply).lower(checkpoint.variables, one).cost_analysis()
    glyphs = np.ones((BATCH_SIZE * 4, 28, 28, 1), np.float32)
    classifier.score(glyphs)
    count, started = 0, time.perf_counter()
    while (elapsed_s := time.perf_counter() - started) < _SPEED_SECONDS:
        classifier.score(glyphs)
        count += len(glyphs)
    return {
        "parameters": parameter_count(checkpoint.variables["params"]),
        "multiply_adds": round(float(analysis["flops"]) / 2),
        "characters_per_s": round(count / elapsed_s, 1),
    }


def _figures(found: Answers) -> dict[str, Any]:
    names = found.symbols
    per_class = {
        name: float(found.right[found.truth == index].mean())
        for index, name in enumerate(names)
        if (found.truth == index).any()
    }
    figures: dict[str, Any] = {"accuracy": found.accuracy, "count": len(found.truth)}
    if {"I", "L"} <= set(names):
        figures["accuracy_i_l_merged"] = accuracy_with_merged(found, "I", "L")
    figures["expected_calibration_error"] = expected_calibration_error(found)
    figures["error_after_rejecting"] = reject_curve(found)
    figures["per_class"] = per_class
    return figures


def _non_character_figures(
    classifier: Classifier, sets: list[MaskedSet], characters: Float32[np.ndarray, " n"]
) -> dict[str, float]:
    """What is accepted of wrong cuts, remnants, crossed-out and overwritten test characters, always the same ones."""
    rng = np.random.default_rng(0)
    augmenter = Augmenter(np.concatenate([test.characters.images for test in sets]))
    rates = {}
    for kind in GARBAGE_KINDS:
        glyphs = normalize_inks([draw_garbage_of(kind, augmenter, rng) for _ in range(_GARBAGE_PER_KIND)])
        garbage = np.exp(classifier.score(glyphs).log_probs[:, LABELS.index(GARBAGE)])
        rates[kind] = false_positive_rate(characters, garbage)
    overall = sum(share * rates[kind] for kind, (share, _) in GARBAGE_KINDS.items())
    return {"false_positive_rate_at_95_kept": overall, **rates, "count": _GARBAGE_PER_KIND * len(GARBAGE_KINDS)}
