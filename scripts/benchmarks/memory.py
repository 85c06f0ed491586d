"""Reads a long PDF and many images, and prints how much memory the largest worker has as time goes on."""

import argparse
import contextlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from benchmarks._reading import ROOT, RUNS


def main(arguments: list[str]) -> None:
    """Parses and measures."""
    parser = argparse.ArgumentParser(prog="bench memory", description=__doc__)
    parser.add_argument("--pages", type=int, default=2000, help="of the PDF")
    parser.add_argument("--images", type=int, default=20_000, help="single images")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args(arguments)
    folder = RUNS / "memory"
    shutil.rmtree(folder, ignore_errors=True)
    for what, documents in (("pdf", draw_pdf(folder, options.pages)), ("images", draw_images(folder, options.images))):
        curve = read(documents, folder / f"out-{what}", options.jobs)
        print(f"{what}: peak {max(mib for _, mib in curve)} MiB in one worker")
        step = max(1, len(curve) // 20)
        print("  " + ", ".join(f"{second:.0f} s {mib} MiB" for second, mib in curve[::step]))


def draw_pdf(folder: Path, pages: int) -> Path:
    """A PDF of so many A4 pages with a few lines each."""
    path = folder / "long.pdf"
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = [_page(number, (1240, 1754)).convert("1") for number in range(20)]
    drawn[0].save(path, "PDF", save_all=True, append_images=(drawn[i % 20] for i in range(1, pages)), resolution=150)
    return path


def draw_images(folder: Path, count: int) -> Path:
    """A folder of so many strips."""
    scans = folder / "scans"
    scans.mkdir()
    for number in range(count):
        _page(number, (500, 70)).save(scans / f"{number}.png")
    return scans


def read(documents: Path, out: Path, jobs: int) -> list[tuple[float, int]]:
    """Runs the program; returns seconds since the start and the memory of its largest worker, MiB."""
    command = [sys.executable, "-m", "hwtranscribe", "transcribe", str(documents), "--out", str(out), "--dpi", "150"]
    begun_s, curve = time.monotonic(), []
    with subprocess.Popen([*command, "--jobs", str(jobs), "--quiet"], cwd=ROOT) as process:
        while process.poll() is None:
            curve.append((time.monotonic() - begun_s, max(map(_resident_mib, _children(process.pid)), default=0)))
            time.sleep(2)
    if process.returncode:
        sys.exit(f"hwtranscribe ended with exit code {process.returncode}")
    return curve


def _page(number: int, size: tuple[int, int]) -> Image.Image:
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(36)
    for line, top in enumerate(range(15, min(size[1] - 50, 400), 90)):
        draw.text((20, top), f"NUMBER {number * 7919 + line}", fill=0, font=font)
    return image


def _children(pid: int) -> list[int]:
    """Processes that any thread of a process has started."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += [int(child) for child in path.read_text().split()]
    return found


def _resident_mib(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0)


if __name__ == "__main__":
    main(sys.argv[1:])
