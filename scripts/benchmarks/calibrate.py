"""Fits the weights that turn the share of a text into a confidence, and cross-validates them.

Reads the development sets with the shipped network; prints the weights for `hwtranscribe/decode/confidence.py`, and
what a confidence meant on fields of documents that were left out of the fit.
"""

import argparse
import csv
import sys
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from benchmarks._reading import SHARED
from benchmarks.accuracy import SETS
from hwtranscribe import FormTemplate, Transcriber
from hwtranscribe.constraint import fold
from hwtranscribe.decode import confidence
from hwtranscribe.types import Case, FieldReading, Kind, ReadOptions

FOLDS = 5
_RIDGE = 1.0
_BINS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Sample:
    """One field: what its confidence rests on, and whether it is right."""

    document: str
    share: float
    right: bool

    @property
    def features(self) -> list[float]:
        """In the order of the weights."""
        return [1.0, confidence.log_odds(self.share)]


def main(arguments: list[str]) -> None:
    """Parses, reads, fits and prints."""
    parser = argparse.ArgumentParser(prog="bench calibrate", description=__doc__)
    parser.parse_args(arguments)
    if not SHARED.is_dir():
        sys.exit(f"bench: the development sets are not here ({SHARED})")
    # The share itself, also of what is then for review as hardly legible.
    confidence.OFFSET, confidence.SHARE, confidence.LEGIBLE = 0.0, 1.0, 1e-9
    samples = [sample for one in SETS for sample in read_set(one.name, one.options, one.document)]
    features = np.array([sample.features for sample in samples])
    right = np.array([sample.right for sample in samples])
    documents = {name: i for i, name in enumerate(sorted({sample.document for sample in samples}))}
    fold_of = np.array([documents[sample.document] % FOLDS for sample in samples])
    held_out = np.zeros(len(samples))
    for number in range(FOLDS):
        weights = fit(features[fold_of != number], right[fold_of != number])
        held_out[fold_of == number] = 1 / (1 + np.exp(-features[fold_of == number] @ weights))
    print("OFFSET, SHARE =", ", ".join(f"{w:.2f}" for w in fit(features, right)))
    print(f"{len(samples)} fields, {right.mean():.3f} right")
    print("| Confidence | Fields | Mean confidence | Right |")
    print("|---|---|---|---|")
    error = 0.0
    for low, high in zip(_BINS, _BINS[1:], strict=False):
        chosen = (held_out >= low) & (held_out < high)
        if chosen.any():
            print(f"| {low:g}-{high:g} | {chosen.sum()} | {held_out[chosen].mean():.3f} | {right[chosen].mean():.3f} |")
            error += chosen.sum() * abs(held_out[chosen].mean() - right[chosen].mean())
    raw = 1 / (1 + np.exp(-features[:, 1]))
    print(f"expected calibration error, held out: {error / len(samples):.4f}")
    print(f"the same of the share alone: {raw_error(raw, right):.4f}")


def raw_error(raw: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error of the share itself, over the same bins."""
    bins = np.digitize(raw, _BINS[1:-1])
    return sum((bins == b).sum() * abs(raw[bins == b].mean() - right[bins == b].mean()) for b in np.unique(bins)) / len(
        raw
    )


def fit(features: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Logistic regression with a small ridge on everything but the offset."""
    signs = np.where(right, 1.0, -1.0)

    def loss(weights: np.ndarray) -> float:
        return float(np.logaddexp(0, -signs * (features @ weights)).sum() + 0.5 * _RIDGE * (weights[1:] ** 2).sum())

    return minimize(loss, np.zeros(features.shape[1])).x


def read_set(name: str, options: tuple[str, ...], document: str | None) -> list[Sample]:
    """Reads one development set; what is blank, unreadable or breaks a rule has its confidence from elsewhere."""
    folder = SHARED / "real" / name
    reader = make_reader(name, options)
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if document in (None, row["document"])]
    truth: dict[str, dict[tuple[int, str], str]] = {}
    for row in rows:
        truth.setdefault(row["document"], {})[int(row["page"]), row["field"]] = fold(row["text"])
    samples = []
    for path, fields in truth.items():
        readings = reader.read(folder / path).readings
        if reader.form is None:
            readings = tuple(reading for reading in readings if reading.text)
            samples += [make_sample(f"{name}/{path}", readings, text) for text in fields.values() if readings]
            continue
        by_key = {(reading.page, reading.field): reading for reading in readings}
        samples += [
            make_sample(f"{name}/{path}/{key}", [by_key[key]], text)
            for key, text in fields.items()
            if key in by_key and by_key[key].text
        ]
    return [sample for sample in samples if sample.share > 0]


def make_reader(name: str, options: tuple[str, ...]) -> Transcriber:
    """A transcriber with the options of the command line that the accuracy benchmark uses."""
    if not options:
        return Transcriber(FormTemplate.load(SHARED / "real" / name / "form.toml"))
    given = dict(zip(options[::2], options[1::2], strict=True))
    return Transcriber(options=ReadOptions(kind=Kind(given["--kind"]), case=Case(given.get("--case", "any"))))


def make_sample(document: str, readings: "list[FieldReading] | tuple[FieldReading, ...]", truth: str) -> Sample:
    """What a field's confidence rests on; lines of one page together are one field."""
    return Sample(
        document=document,
        share=float(np.prod([reading.confidence for reading in readings])),
        right=fold(" ".join(reading.text for reading in readings)) == truth,
    )
