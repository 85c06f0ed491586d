"""Another program to be measured against, in an environment of its own, taking turns with ours."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks._reading import ROOT


class Peer:
    """A running peer: a script that reports its rate once for each line that it is given."""

    def __init__(self, name: str, packages: Sequence[str], script: str, *arguments: str) -> None:
        """Makes `.bench/NAME` with the packages when it is not there, and starts the script in it."""
        folder = ROOT / ".bench" / name
        python = folder / "bin" / "python"
        if not (folder / "ready").exists():
            print(f"installing {', '.join(packages)} into {folder.relative_to(ROOT)}", flush=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
            (folder / "ready").touch()
        self.process = subprocess.Popen(
            [str(python), str(Path(__file__).parent / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def measure(self) -> dict[str, float]:
        """One round of the peer.

        Raises:
            RuntimeError: if it has ended.
        """
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peer ended with {self.process.wait()}")
        measured: dict[str, float] = json.loads(line)
        return measured

    def close(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait()


def take_turns(ours: Callable[[], float], peer: Peer, rounds: int) -> tuple[float, float, float]:
    """Median rate of ours and of the peer, and the median of the ratios of neighbouring rounds."""
    ours(), peer.measure()
    pairs = [(ours(), peer.measure()["rate"]) for _ in range(rounds)]
    return median(a for a, _ in pairs), median(b for _, b in pairs), median(a / b for a, b in pairs)
