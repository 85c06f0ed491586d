"""Reads drawn forms that get worse and worse in one respect, prints where reading breaks, and draws the curves."""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks._reading import ROOT, RUNS, cer, exact, transcribe
from hwtranscribe.score import score

SERIES = {
    "angle": ("turned by up to, degrees", (0, 5, 15, 45, 180)),
    "scale": ("size of the scan, 1 is 200 dpi", (1.4, 1.0, 0.75, 0.6, 0.5, 0.4)),
    "noise": ("noise, grey levels", (0, 10, 20, 40, 60, 80)),
    "blur": ("blur, px", (0, 1, 2, 3, 4)),
    "shadow": ("light missing in the shadow", (0, 0.2, 0.4, 0.6, 0.8)),
    "pen": ("pen width, heights of a capital", (0.03, 0.05, 0.08, 0.12, 0.18, 0.25)),
    "gap": ("gap between characters, heights of a capital", (0.3, 0.15, 0.05, 0, -0.05, -0.1)),
}
"""What is varied: its name as an option of `make_samples forms`, its label, its values from easy to hard."""

_BROKEN = 0.9

_HEAD = """# Where it breaks

`scripts/bench stress --write` draws sample forms that get worse and worse in one respect, everything else being a plain
scan of 200 dpi, and reads them; {count} forms for each point. Drawn writing is more regular than that of people: look
at the places where the curves bend, not at their height.

![Characters and fields right, by what was made worse](images/stress.png)
"""

Point = tuple[float, float, float]
"""What was varied, share of fields right, share of characters right."""


def main(arguments: list[str]) -> None:
    """Parses, reads every series and draws the curves."""
    parser = argparse.ArgumentParser(prog="bench stress", description=__doc__)
    parser.add_argument("series", nargs="*", metavar="SERIES", help=f"of {', '.join(SERIES)}; all if not given")
    parser.add_argument("--count", type=int, default=8, help="forms for each point")
    parser.add_argument("--write", action="store_true", help="write docs/stress.md and its picture")
    options = parser.parse_args(arguments)
    if unknown := set(options.series) - set(SERIES):
        parser.error(f"no such series: {', '.join(sorted(unknown))}")
    curves = {name: curve(name, options.count) for name in options.series or SERIES}
    if options.write:
        page = "\n".join([_HEAD.format(count=options.count), *(table(name, points) for name, points in curves.items())])
        (ROOT / "docs" / "stress.md").write_text(page, encoding="utf-8")
        draw(curves, ROOT / "docs" / "images" / "stress.png")


def curve(name: str, count: int) -> list[Point]:
    """The points of a series; prints them as a table."""
    points = []
    for value in SERIES[name][1]:
        folder = RUNS / "stress" / f"{name}{value}"
        command = [sys.executable, "-m", "sampling", "forms", "--out", str(folder), "--count", str(count)]
        subprocess.run([*command, f"--{name}", str(value)], cwd=ROOT / "scripts", check=True)
        transcribe([folder / "scans"], folder / "out", "--form", str(folder / "form.toml"))
        scored = score(folder / "truth.csv", folder / "out")
        points.append((value, exact(scored), 1 - cer(scored)))
    print(table(name, points), flush=True)
    return points


def table(name: str, points: list[Point]) -> str:
    """A series as a Markdown table, and where it breaks."""
    lines = [f"| {SERIES[name][0]} | Fields right | Characters right |", "|---|---|---|"]
    lines += [f"| {value:g} | {fields:.1%} | {characters:.1%} |" for value, fields, characters in points]
    broken = [value for value, _, characters in points if characters < _BROKEN]
    where = f"at {', '.join(f'{value:g}' for value in broken)}" if broken else "nowhere in this series"
    return "\n".join(["", *lines, "", f"Characters fall below {_BROKEN:.0%} {where}.", ""])


def draw(curves: dict[str, list[Point]], path: Path) -> None:
    """Draws a small chart for each series."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    columns = min(4, len(curves))
    rows = -(-len(curves) // columns)
    figure, axes = pyplot.subplots(
        rows, columns, figsize=(3 * columns, 2.6 * rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(curves) :]:
        axis.remove()
    for axis, (name, points) in zip(axes.flat, curves.items(), strict=False):
        places = range(len(points))
        axis.plot(places, [100 * characters for *_, characters in points], marker="o", label="characters")
        axis.plot(places, [100 * fields for _, fields, _ in points], marker="s", label="fields")
        axis.set_xticks(places, [f"{value:g}" for value, *_ in points])
        axis.set_xlabel(SERIES[name][0], fontsize=8)
        axis.set_ylim(0, 102)
        axis.tick_params(labelsize=8)
        axis.grid(alpha=0.3)
    axes.flat[0].set_ylabel("right, %")
    axes.flat[0].legend(fontsize=8, loc="lower left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
