"""What the benchmarks share: running the command line, and comparing what it read with the truth."""

import csv
import os
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwtranscribe.constraint import fold

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
RUNS = ROOT / "runs" / "bench"


@dataclass(frozen=True)
class Comparison:
    """One field of the truth and what was read there.

    Attributes:
        document: Name of the document.
        field: Name of the field.
        kind: What it holds.
        truth: Folded text.
        read: Folded text; empty where nothing was read.
        confidence: Of the reading.
        status: Of the reading; empty where there is none.
    """

    document: str
    field: str
    kind: str
    truth: str
    read: str
    confidence: float
    status: str

    @property
    def right(self) -> bool:
        """Whether the whole field is right."""
        return self.truth == self.read

    @property
    def distance(self) -> int:
        """Edit distance (V. I. Levenshtein, 1966)."""
        row = list(range(len(self.truth) + 1))
        for i, read in enumerate(self.read, start=1):
            new = [i]
            for j, true in enumerate(self.truth, start=1):
                new.append(min(row[j] + 1, new[-1] + 1, row[j - 1] + (read != true)))
            row = new
        return row[-1]


@dataclass(frozen=True)
class Cost:
    """What a command took, with all its processes.

    Attributes:
        wall_s: By the clock.
        cpu_s: Of all processors.
        peak_mib: Memory of its largest process.
    """

    wall_s: float
    cpu_s: float
    peak_mib: float


def measure(command: Sequence[str], good: Sequence[int] = (0,), stdout: int | None = subprocess.DEVNULL) -> Cost:
    """Runs a command in the root of the project.

    Raises:
        SystemExit: if it ends with another exit code than the good ones.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=stdout)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in good:
        sys.exit(f"bench: {' '.join(command)[:500]} ended with {process.returncode}")
    return Cost(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def transcribe(inputs: Iterable[Path], out: Path, *options: str) -> Cost:
    """Runs the command line; a document that fails is no reason to stop."""
    command = [sys.executable, "-m", "hwtranscribe", "transcribe", *map(str, inputs), "--out", str(out)]
    return measure([*command, "--fresh", "--quiet", *options], good=(0, 4))


def compare(truth_path: Path, fields_path: Path, only: str | None = None) -> list[Comparison]:
    """Joins truth.csv and fields.csv as `score.py` does: on base name, page and field.

    Where the truth names one field per page and lines were read, the lines are joined in order.

    Args:
        truth_path: truth.csv.
        fields_path: fields.csv.
        only: Name of the one document to compare, or None for all.
    """
    read: dict[tuple[str, int], dict[str, dict[str, str]]] = defaultdict(dict)
    for row in _rows(fields_path):
        read[row["document"].rpartition("/")[2], int(row["page"])][row["field"]] = row
    truth = [row for row in _rows(truth_path) if only is None or row["document"] == only]
    per_page = Counter((row["document"], row["page"]) for row in truth)
    compared = []
    for row in truth:
        page = read.get((row["document"], int(row["page"])), {})
        lines = [page[name] for name in sorted(page) if re.fullmatch(r"line\d+", name)]
        readings = [page[row["field"]]] if row["field"] in page else []
        if not readings and per_page[row["document"], row["page"]] == 1:
            readings = lines
        compared.append(
            Comparison(
                row["document"],
                row["field"],
                row["kind"],
                _folded(row["text"]),
                _folded(" ".join(reading["text"].lstrip("'") for reading in readings)),
                min((float(reading["confidence"] or 0) for reading in readings), default=0.0),
                " ".join(sorted({reading["status"] for reading in readings})),
            )
        )
    return compared


def exact(compared: list[Comparison]) -> float:
    """Share of fields that are right."""
    return sum(one.right for one in compared) / len(compared)


def cer(compared: list[Comparison]) -> float:
    """Character error rate: edits per character of the truth."""
    return sum(one.distance for one in compared) / max(1, sum(len(one.truth) for one in compared))


def review_needed(compared: list[Comparison], wrong_share: float) -> float:
    """Smallest share to send to review, least confident first, for at most `wrong_share` among the accepted."""
    ranked = sorted(compared, key=lambda one: -one.confidence)
    accepted, wrong = 0, 0
    for count, one in enumerate(ranked, start=1):
        wrong += not one.right
        at_a_tie = count < len(ranked) and ranked[count].confidence == one.confidence
        if not at_a_tie and wrong <= wrong_share * count:
            accepted = count
    return 1 - accepted / len(ranked)


def _folded(text: str) -> str:
    return re.sub("^(PRENOM|NOM)(?=.)", "", fold(text))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))
