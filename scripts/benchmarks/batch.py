"""Draws a batch of filled forms and prints how fast it is read, with how much memory, and where the time goes."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import wraps
from inspect import isgenerator
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks._reading import ROOT, RUNS, Cost, cer, exact, measure, transcribe
from hwtranscribe.batch.pool import WORKER_ENVIRONMENT
from hwtranscribe.score import score

_WARM_UP_PAGES = 10
_TESSERACT_PAGES = 5
_PROFILED_PAGES = 10


def main(arguments: list[str]) -> None:
    """Parses and measures."""
    parser = argparse.ArgumentParser(prog="bench batch", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="number of forms")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes of the parallel run")
    options = parser.parse_args(arguments)
    folders = {suffix: draw(options.count, suffix) for suffix in ("jpg", "pdf")}
    pages = sorted((folders["jpg"] / "scans").iterdir())
    decode_s = decoding_s(pages)
    print(f"{options.count} forms, A4, 200 dpi; decoding the JPEG of a page takes {1000 * decode_s:.1f} ms of CPU time")
    for suffix, folder in folders.items():
        report(suffix, folder, options.jobs, decode_s)
    print(f"\nStart-up: --help {measure([sys.executable, '-m', 'hwtranscribe', '--help']).wall_s:.2f} s")
    one = read(pages[:1], folders["jpg"], 1)
    print(f"one page in a fresh process: {one.wall_s:.2f} s, {one.cpu_s:.2f} s of CPU time, {one.peak_mib:.0f} MiB")
    tesseract(pages[:_TESSERACT_PAGES])
    # In a process like a worker's: threads that wait for work would count as the next stage's.
    os.environ.update(WORKER_ENVIRONMENT)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(profile, pages[:_PROFILED_PAGES], folders["jpg"] / "form.toml").result()


def draw(count: int, suffix: str) -> Path:
    """A folder with that many filled forms; drawn when it is not there yet."""
    folder = RUNS / "batch" / f"{suffix}{count}"
    if not (folder / "truth.csv").exists():
        command = [sys.executable, "-m", "sampling", "forms", "--out", str(folder), "--type", suffix]
        subprocess.run([*command, "--count", str(count)], cwd=ROOT / "scripts", check=True)
    return folder


def report(suffix: str, folder: Path, jobs: int, decode_s: float) -> None:
    """Reads a batch with one and with several processes; costs per page leave the start out."""
    pages = sorted((folder / "scans").iterdir())
    print(f"\n{suffix}:")
    rates = {}
    for workers in sorted({1, jobs}):
        warm_up = min(_WARM_UP_PAGES * workers, len(pages) // 2)
        few, many = read(pages[:warm_up], folder, workers), read(pages, folder, workers)
        count = len(pages) - warm_up
        rates[workers] = count / max(1e-9, many.wall_s - few.wall_s)
        cpu_s = (many.cpu_s - few.cpu_s) / count
        print(
            f"  {workers} workers: {rates[workers]:.2f} pages/s warm ({len(pages) / many.wall_s:.2f} with the start), "
            f"{1000 * cpu_s:.0f} ms of CPU time a page, {cpu_s / decode_s:.1f}x decoding, peak {many.peak_mib:.0f} MiB"
        )
    if jobs > 1:
        print(f"  efficiency at {jobs} workers: {rates[jobs] / rates[1] / jobs:.2f}")
    compared = score(folder / "truth.csv", RUNS / "batch" / "out")
    characters = sum(len(one.truth) for one in compared) / len(pages)
    print(f"  fields right {exact(compared):.1%}, CER {cer(compared):.3f}, {characters:.0f} characters a page")


def read(pages: Sequence[Path], folder: Path, jobs: int) -> Cost:
    """Reads pages with the command line."""
    form = ("--form", str(folder / "form.toml"))
    return transcribe(pages, RUNS / "batch" / "out", "--jobs", str(jobs), *form)


def decoding_s(pages: Sequence[Path]) -> float:
    """CPU time of decoding one JPEG to grey; the least of three rounds."""
    import cv2
    import numpy as np

    cv2.setNumThreads(1)
    contents = [page.read_bytes() for page in pages[:20]]
    rounds = []
    for _ in range(3):
        start = time.process_time()
        for content in contents:
            cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
        rounds.append((time.process_time() - start) / len(contents))
    return min(rounds)


def tesseract(pages: Sequence[Path]) -> None:
    """Times Tesseract over the same pages, where it is installed: as it comes, and held to one thread.

    It starts a thread for each processor that it sees. Where it may not use them all, they wait for one another, which
    takes several times what the reading does.
    """
    if shutil.which("tesseract") is None:
        print("Tesseract is not installed: not compared")
        return
    for threads, environment in (("its own threads", {}), ("one thread", {"OMP_THREAD_LIMIT": "1"})):
        cost = [measure(["tesseract", str(page), "-", "--psm", "6"], environment=environment) for page in pages]
        print(
            f"Tesseract, {threads}: {len(pages) / sum(one.wall_s for one in cost):.2f} pages/s, "
            f"{1000 * sum(one.cpu_s for one in cost) / len(pages):.0f} ms of CPU time a page"
        )


def profile(pages: Sequence[Path], form_path: Path) -> None:
    """Prints the CPU time of each stage, over warm pages in one process.

    The clock is read around whole stages: a profiler would make those written in Python look several times as long.
    """
    from hwtranscribe import FormTemplate, Transcriber
    from hwtranscribe.pipeline import targets
    from hwtranscribe.pipeline import transcriber as stages

    transcriber = Transcriber(form=FormTemplate.load(form_path))
    transcriber.read(pages[0])
    spent: dict[str, float] = {}
    with ExitStack() as patches:
        for owner, name, stage in (
            (stages, "render_pages", "rendering"),
            (stages, "align_all", "registration and cleaning"),
            (stages, "field_lines", "segmentation"),
            (stages, "field_place", "segmentation"),
            (targets.Classifier, "score_inks", "network, characters"),
            (targets.LineReader, "score", "network, whole lines"),
            (targets, "decode_field", "decoding"),
            (stages, "read_mark", "check boxes"),
        ):
            timed = _timed(getattr(owner, name), stage, spent)
            patches.enter_context(patch.object(owner, name, timed))
        start = time.process_time()
        for page in pages:
            transcriber.read(page)
        total_s = time.process_time() - start
    print(f"\nBy stage, one process, {1000 * total_s / len(pages):.0f} ms of CPU time a page:", flush=True)
    spent["the rest"] = total_s - sum(spent.values())
    for stage, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {1000 * seconds / len(pages):8.1f} ms  {seconds / total_s:6.1%}  {stage}", flush=True)


def _timed(function: Callable[..., Any], stage: str, spent: dict[str, float]) -> Callable[..., Any]:
    """The function, adding what it takes to its stage; a generator is run through, for a page is all it yields."""

    @wraps(function)
    def timed(*args: Any, **options: Any) -> Any:
        start = time.process_time()
        try:
            result = function(*args, **options)
            return list(result) if isgenerator(result) else result
        finally:
            spent[stage] = spent.get(stage, 0.0) + time.process_time() - start

    return timed
