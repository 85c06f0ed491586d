"""Damages files, reads them with the real program, and prints what became of them.

Every file has to end as results or as one error code; an unforeseen exception (`bug`) fails the run, and a file that
ends a worker or hangs is kept in runs/fuzz to be looked at.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path

from fuzzing.damage import damaged, odd_name
from fuzzing.seeds import ROOT, seeds
from hwtranscribe.batch.pool import WorkerDiedError, WorkerPool, WorkerTimeoutError
from hwtranscribe.batch.work import Outcome, describe, read_part
from hwtranscribe.types import DocumentJob, DocumentResult, ReadOptions

KEPT = ROOT / "runs" / "fuzz"
_BAD = ("bug", "crashed", "timeout")


def main() -> None:
    """Parses, reads and reports."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long to go on")
    parser.add_argument("--seed", type=int, default=1, help="of the damage")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--timeout", type=float, default=60.0, help="longest time for one file, s")
    options = parser.parse_args()
    counts = fuzz(options.minutes * 60, options.seed, options.jobs, options.timeout)
    print(f"{sum(counts.values())} files")
    for outcome, count in counts.most_common():
        print(f"  {count:6}  {outcome}")
    sys.exit(any(counts[name] for name in _BAD))


def fuzz(duration_s: float, seed: int, jobs: int, timeout_s: float) -> Counter[str]:
    """Reads damaged files for a while.

    Returns:
        How many files ended how: `read`, `read in part`, or an error code.
    """
    rng, whole = random.Random(seed), seeds()
    names = list(whole)
    counts: Counter[str] = Counter()
    in_hand: dict[Future[Outcome], Path] = {}
    options = ReadOptions(dpi=50, max_pixels=30_000_000, max_pages=50)
    end_s, number = time.monotonic() + duration_s, 0
    with tempfile.TemporaryDirectory() as folder, WorkerPool(jobs, timeout_s) as pool:
        provenance = pool.submit(describe, DocumentJob("", "", options=options)).result()
        while time.monotonic() < end_s or in_hand:
            while len(in_hand) < 2 * jobs and time.monotonic() < end_s:
                number += 1
                name, other = rng.choice(names), rng.choice(names)
                path = Path(folder) / os.fsdecode(odd_name(rng.choice((name, other)).rpartition(".")[2], number, rng))
                path.write_bytes(damaged(whole[name], whole[other], rng))
                job = DocumentJob(str(path), f"{number}", options=options)
                in_hand[pool.submit(read_part, job, provenance)] = path
            for future in wait(in_hand, return_when=FIRST_COMPLETED).done:
                path = in_hand.pop(future)
                outcome, detail = _outcome(future)
                counts[outcome] += 1
                if outcome in _BAD:
                    _keep(path, outcome, detail)
                path.unlink()
    return counts


def _outcome(future: Future[Outcome]) -> tuple[str, str]:
    try:
        result = future.result()
    except WorkerDiedError as error:
        return "crashed", str(error)
    except WorkerTimeoutError as error:
        return "timeout", str(error)
    if isinstance(result.made, DocumentResult):
        return result.made.errors[0].error, result.trace
    if result.trace:
        return "bug", result.trace
    return ("read in part" if result.made.errors else "read"), ""


def _keep(path: Path, outcome: str, detail: str) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = KEPT / f"{outcome}-{len(list(KEPT.iterdir()))}{path.suffix}"
    shutil.copy(path, kept)
    print(f"{outcome}: {kept}\n{detail}", flush=True)


if __name__ == "__main__":
    main()
