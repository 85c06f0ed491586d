"""Kills a run with SIGKILL at random moments, goes on each time, and compares the files with an undisturbed run's."""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont


def main() -> None:
    """Parses, kills and compares."""
    parser = argparse.ArgumentParser(prog="kill_test", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--documents", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--longest", type=float, default=8.0, help="longest time until a kill, s")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        scans, killed, undisturbed = (Path(folder) / name for name in ("scans", "killed", "undisturbed"))
        draw(scans, options.documents)
        assert read(scans, undisturbed, options.jobs).wait() in (0, 4)
        runs = restarts = 0
        while runs < options.kills:
            process = read(scans, killed, options.jobs)
            try:
                process.wait(rng.uniform(0.2, options.longest))
                restarts += 1  # it was done before it could be killed: once more from the start
                shutil.rmtree(killed)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                runs += 1
        print(f"{runs} kills, {restarts} times read to the end and begun again, {count(killed)} documents recorded")
        assert read(scans, killed, options.jobs).wait() in (0, 4)
        time.sleep(2)
        different = differences(killed, undisturbed)
        print(f"{len(contents(undisturbed))} files, {len(different)} differ {different[:5]}")
        sys.exit(bool(different))


def draw(folder: Path, documents: int) -> None:
    """Small pages of a line each; every tenth is no picture."""
    folder.mkdir()
    font = ImageFont.load_default(28)
    for number in range(documents):
        path = folder / f"page{number}.png"
        if number % 10 == 9:
            path.write_bytes(b"no picture")
            continue
        image = Image.new("L", (320, 60), 255)
        ImageDraw.Draw(image).text((10, 10), f"PAGE {number * 7919}", fill=0, font=font)
        image.save(path)


def read(scans: Path, out: Path, jobs: int) -> subprocess.Popen[bytes]:
    """Starts the program."""
    command = [sys.executable, "-m", "hwtranscribe", "transcribe", str(scans), "--out", str(out), "--jobs", str(jobs)]
    return subprocess.Popen([*command, "--quiet"])


def count(out: Path) -> int:
    """Documents in the journal."""
    from hwtranscribe.journal import Journal

    with Journal(out) as journal:
        return journal.counts()["documents"]


def contents(out: Path) -> dict[str, bytes]:
    """Everything that was written but the journal and what begins with a dot."""
    files = (path for path in out.rglob("*") if path.is_file() and not path.name.startswith((".", "journal.sqlite")))
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def differences(first: Path, second: Path) -> list[str]:
    """Names of files that are not the same in both folders."""
    one, two = contents(first), contents(second)
    return sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))


if __name__ == "__main__":
    main()
