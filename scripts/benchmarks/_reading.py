"""What the benchmarks share: running and measuring the command line, and how much of what it read is right."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwtranscribe.score import ScoredField

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
RUNS = ROOT / "runs" / "bench"


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


def measure(
    command: Sequence[str],
    good: Sequence[int] = (0,),
    stdout: int | None = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
) -> Cost:
    """Runs a command in the root of the project.

    Args:
        command: And its arguments.
        good: Exit codes that it may end with.
        stdout: Where its output goes.
        environment: What is set for it besides this process's own variables.

    Raises:
        SystemExit: if it ends with another exit code than the good ones.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=stdout, env={**os.environ, **(environment or {})})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in good:
        sys.exit(f"bench: {' '.join(command)[:500]} ended with {process.returncode}")
    return Cost(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def transcribe(inputs: Iterable[Path], out: Path, *options: str) -> Cost:
    """Runs the command line; a document that fails is no reason to stop."""
    command = [sys.executable, "-m", "hwtranscribe", "transcribe", *map(str, inputs), "--out", str(out)]
    return measure([*command, "--fresh", "--quiet", *options], good=(0, 4))


def exact(scored: Sequence[ScoredField]) -> float:
    """Share of fields that are right."""
    return sum(one.right for one in scored) / len(scored)


def edits(scored: Sequence[ScoredField]) -> int:
    """Characters that are wrong, missing or too many."""
    return sum(wanted != got for one in scored for wanted, got in one.pairs)


def cer(scored: Sequence[ScoredField]) -> float:
    """Character error rate: edits per character of the truth."""
    return edits(scored) / max(1, sum(len(one.truth) for one in scored))
