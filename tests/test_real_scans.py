"""Floors on the development sets: real scans, read with the shipped network. They may rise, never fall."""

import csv
from pathlib import Path

from hwtranscribe import FormTemplate, Transcriber
from hwtranscribe.constraint import fold
from hwtranscribe.score import align
from hwtranscribe.types import Case, Kind, ReadOptions


def compare(shared: Path, name: str, transcriber: Transcriber, documents: int | None = None) -> list[tuple[str, str]]:
    """Truth and reading, folded, of the fields of a set (of its first documents)."""
    folder = shared / "real" / name
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        truth = list(csv.DictReader(file))
    chosen = list(dict.fromkeys(row["document"] for row in truth))[:documents]
    pairs = []
    for document in chosen:
        readings = transcriber.read(folder / document).readings
        texts = {(reading.page, reading.field): reading.text for reading in readings}
        everything = " ".join(reading.text for reading in readings)
        for row in truth:
            if row["document"] == document:
                read = texts.get((int(row["page"]), row["field"]), "") if transcriber.form else everything
                pairs.append((fold(row["text"]), fold(read)))
    return pairs


def exact(pairs: list[tuple[str, str]]) -> float:
    return sum(want == got for want, got in pairs) / len(pairs)


def form_reader(shared: Path, name: str) -> Transcriber:
    return Transcriber(FormTemplate.load(shared / "real" / name / "form.toml"))


def test_letter_grids(shared):
    pairs = compare(shared, "letter_grids", form_reader(shared, "letter_grids"), 60)
    errors = sum(a != b for want, got in pairs for a, b in align(want, got))
    assert errors / sum(len(want) for want, _ in pairs) <= 0.08


def test_insurance_form(shared):
    assert exact(compare(shared, "sbi", form_reader(shared, "sbi"))) >= 0.7


def test_sample_form_digits(shared):
    pairs = compare(shared, "nist_hsf", form_reader(shared, "nist_hsf"))
    assert exact([pair for pair in pairs if pair[0].isdigit()]) >= 0.8


def test_questionnaire(shared):
    assert exact(compare(shared, "quexf", form_reader(shared, "quexf"))) >= 0.6


def test_names(shared):
    reader = Transcriber(options=ReadOptions(kind=Kind.LETTERS, case=Case.UPPER))
    assert exact(compare(shared, "names", reader, 200)) >= 0.45


def test_cheques(shared):
    reader = Transcriber(options=ReadOptions(kind=Kind.DIGITS))
    assert exact(compare(shared, "cheques", reader, 200)) >= 0.5
