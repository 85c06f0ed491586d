"""Fits the weights of `hwtranscribe/marks.py` on drawn check boxes, and shows how far its probabilities can be trusted.

Every second sheet is registered to its blank form, the others have none. Boxes lie up to 3 px beside where they are
said to be. A quarter of the sheets is left out of the fit; all that is printed is measured on these.
"""

import argparse

import numpy as np
from sampling.marks import CROSSED_OUT, EMPTY, KINDS, TICKED, draw_sheet
from sampling.sheet import A4_PX
from scipy.optimize import minimize

from hwtranscribe import marks
from hwtranscribe.register import align, prepare_reference
from hwtranscribe.types import Page

_RIDGE = 0.3
_BINS = (0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98, 1.0)


def main(arguments: list[str]) -> None:
    """Parses, draws, fits and prints."""
    parser = argparse.ArgumentParser(prog="bench marks", description=__doc__)
    parser.add_argument("--sheets", type=int, default=40, help="sheets of 144 boxes to draw")
    parser.add_argument("--shipped", action="store_true", help="measure the weights that are there, fit none")
    options = parser.parse_args(arguments)
    features, kinds, sheets = measured(range(options.sheets))
    states = np.array([KINDS[kind][0] for kind in kinds])
    test = sheets % 8 < 2  # as many with a blank form as without
    if not options.shipped:
        marks.WEIGHTS = fit(features[~test], states[~test])
        for row in marks.WEIGHTS:
            print(f"        [{', '.join(f'{weight:.2f}' for weight in row)}],")
    print_calibration(probabilities(features[test]), states[test], np.array(kinds)[test])


def measured(numbers: range) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Features of the boxes of sheets ("n features"), the kinds of their marks, and the sheet of each."""
    features, kinds, sheets = [], [], []
    for number in numbers:
        known = number % 2 == 1
        sheet = draw_sheet(number, straight=not known)
        rng = np.random.default_rng(number)
        reference = prepare_reference(sheet.printing if known else None, A4_PX, sheet.boxes)
        aligned = align(Page("sheet", 1, None, sheet.scan), [reference])
        if not aligned.registered:
            print(f"sheet {number} does not match its blank form")
            continue
        for box, kind in zip(sheet.boxes, sheet.kinds, strict=True):
            dx, dy = rng.integers(-3, 4, 2) if rng.random() < 0.5 else (0, 0)
            left, top, right, bottom = box
            moved = (left + dx, top + dy, right + dx, bottom + dy)
            scaled = tuple(round(float(value) * aligned.scale) for value in moved)
            features.append(marks.mark_features(aligned, (scaled[0], scaled[1], scaled[2], scaled[3])))
            kinds.append(kind)
            sheets.append(number)
    return np.array(features), kinds, np.array(sheets)


def fit(features: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Multinomial logistic regression on centred features, with a small ridge on everything but the offsets."""
    mean, spread = features.mean(axis=0), features.std(axis=0)
    rows = np.concatenate([np.ones((len(features), 1)), (features - mean) / spread], axis=1)
    wanted = np.eye(3)[states]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(2, -1)
        odds = np.concatenate([np.zeros((len(rows), 1)), rows @ weights.T], axis=1)
        log_shares = odds - np.logaddexp.reduce(odds, axis=1, keepdims=True)
        slope = (np.exp(log_shares) - wanted)[:, 1:].T @ rows
        ridge = _RIDGE * np.concatenate([np.zeros((2, 1)), weights[:, 1:]], axis=1)
        return float(-(log_shares * wanted).sum() + 0.5 * (ridge * weights).sum()), (slope + ridge).ravel()

    weights = minimize(loss, np.zeros(2 * rows.shape[1]), jac=True).x.reshape(2, -1)
    slopes = weights[:, 1:] / spread
    return np.concatenate([weights[:, :1] - (slopes @ mean)[:, None], slopes], axis=1)


def probabilities(features: np.ndarray) -> np.ndarray:
    """Probability of each state ("n 3") by the weights that are set."""
    odds = np.concatenate(
        [np.zeros((len(features), 1)), marks.WEIGHTS[:, :1].T + features @ marks.WEIGHTS[:, 1:].T], axis=1
    )
    return np.exp(odds - np.logaddexp.reduce(odds, axis=1, keepdims=True))


def print_calibration(shares: np.ndarray, states: np.ndarray, kinds: np.ndarray) -> None:
    """Prints what the probability of being ticked meant, and what became of each kind of mark."""
    ticked, truth = shares[:, TICKED], states == TICKED
    print(f"{len(states)} boxes of sheets left out of the fit")
    print("| Probability of a tick | Boxes | Mean | Ticked |")
    print("|---|---|---|---|")
    error = 0.0
    for low, high in zip(_BINS, _BINS[1:], strict=False):
        chosen = (ticked >= low) & (ticked <= high if high == 1 else ticked < high)
        if chosen.any():
            print(f"| {low:g}-{high:g} | {chosen.sum()} | {ticked[chosen].mean():.3f} | {truth[chosen].mean():.3f} |")
            error += chosen.sum() * abs(ticked[chosen].mean() - truth[chosen].mean())
    print(f"expected calibration error: {error / len(states):.4f}")
    print("| Mark | Boxes | Empty | Ticked | Crossed out | Accepted and wrong |")
    print("|---|---|---|---|---|---|")
    best = shares.argmax(axis=1)
    accepted = np.maximum(ticked, 1 - ticked) >= 0.9
    for kind in KINDS:
        chosen = kinds == kind
        counts = [int((best[chosen] == state).sum()) for state in (EMPTY, TICKED, CROSSED_OUT)]
        wrong = int((accepted & (best != CROSSED_OUT) & ((ticked >= 0.5) != truth))[chosen].sum())
        print(f"| {kind} | {chosen.sum()} | {' | '.join(map(str, counts))} | {wrong} |")
