"""What an evaluation leaves in a folder: figures, classification reports, pictures, and one page with all of them."""

import base64
import csv
import html
import io
import json
from pathlib import Path
from typing import Any

from hwtranscribe.files import write_atomically
from hwtranscribe.training.evaluate import Evaluation
from hwtranscribe.training.measure import Answers, classification_report, confusion_matrix
from hwtranscribe.training.plots import (
    plot_confusion,
    plot_learning_curves,
    plot_predictions,
    plot_reject_curves,
    plot_reliability,
    plot_training_samples,
    plot_worst_mistakes,
)

FIGURES_NAME = "figures.json"
_STYLE = "body{font:14px sans-serif;max-width:1100px;margin:2em auto}td,th{padding:2px 10px;text-align:right}"


def summary_lines(figures: dict[str, Any]) -> list[str]:
    """Return the main figures, a line per set."""
    lines = []
    for name, values in figures.items():
        if "accuracy" in values:
            merged = values.get("accuracy_i_l_merged")
            extra = f", i/l merged {merged:.2%}" if merged is not None else ""
            lines.append(
                f"{name}: {values['accuracy']:.2%} of {values['count']}{extra}, "
                f"calibration error {values['expected_calibration_error']:.4f}, "
                f"error at 5 % rejected {values['error_after_rejecting']['5%']:.2%}"
            )
        else:
            lines.append(f"{name}: " + ", ".join(f"{key} {value:,.4g}" for key, value in values.items()))
    return lines


def write_report(folder: Path, evaluation: Evaluation, log: list[dict[str, Any]] | None, heading: str) -> None:
    """Write `figures.json`, reports as text and CSV, pictures, and `report.html` that holds them all.

    Args:
        folder: Made if missing.
        evaluation: What to report.
        log: Of the training run, for its curves.
        heading: Of the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, bytes] = {}
    texts: dict[str, str] = {}
    if log:
        pictures["learning_curves"] = plot_learning_curves(log)
    pictures["reliability"] = plot_reliability(evaluation.answers)
    pictures["reject_curve"] = plot_reject_curves(evaluation.answers)
    for name, answers in evaluation.answers.items():
        slug = "".join(c if c.isalnum() else "_" for c in name.lower())
        characters = evaluation.sets[name].characters
        pictures[f"samples_{slug}"] = plot_training_samples(characters, seed=0)
        pictures[f"predictions_{slug}"] = plot_predictions(answers, characters, f"{name}: actual > predicted")
        pictures[f"worst_{slug}"] = plot_worst_mistakes(answers, characters, f"{name}: worst mistakes")
        pictures[f"confusion_{slug}"] = plot_confusion(answers, name)
        rows = classification_report(answers)
        texts[name] = _report_text(rows)
        write_atomically(folder / f"classification_{slug}.csv", _rows_csv(rows).encode())
        write_atomically(folder / f"confusion_{slug}.csv", _confusion_csv(answers).encode())
    for name, picture in pictures.items():
        write_atomically(folder / f"{name}.png", picture)
    all_texts = "\n".join(f"{name}\n{text}" for name, text in texts.items())
    write_atomically(folder / "classification.txt", all_texts.encode())
    write_atomically(folder / FIGURES_NAME, (json.dumps(evaluation.figures, indent=2) + "\n").encode())
    page = _page(heading, summary_lines(evaluation.figures), texts, pictures)
    write_atomically(folder / "report.html", page.encode())


def _report_text(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'symbol':>8} {'precision':>9} {'recall':>9} {'f1':>9} {'count':>7}"]
    lines += [
        f"{row['symbol']:>8} {row['precision']:>9.4f} {row['recall']:>9.4f} {row['f1']:>9.4f} {row['count']:>7}"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _rows_csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    return text.getvalue()


def _confusion_csv(answers: Answers) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["was\\read", *answers.symbols])
    for name, row in zip(answers.symbols, confusion_matrix(answers), strict=True):
        writer.writerow([name, *row])
    return text.getvalue()


def _page(heading: str, lines: list[str], texts: dict[str, str], pictures: dict[str, bytes]) -> str:
    title = html.escape(heading)
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    images = "".join(
        f'<h3>{html.escape(name)}</h3><img src="data:image/png;base64,{base64.b64encode(data).decode()}">'
        for name, data in pictures.items()
    )
    tables = "".join(f"<h3>{html.escape(n)}</h3><pre>{html.escape(t)}</pre>" for n, t in texts.items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1><ul>{items}</ul>{images}<h2>Precision, recall, F1</h2>{tables}</html>\n"
    )
