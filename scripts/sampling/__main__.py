"""Draws the samples, or batches of filled forms for tests and benchmarks.

Usage:
    scripts/make_samples                          # draws samples/ again
    scripts/make_samples readme                   # puts what scripts/demo read into the README
    scripts/make_samples forms --out DIR --count 200 --type pdf --angle 2 --noise 6
"""

import argparse
import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from sampling import membership
from sampling.fields import write_line
from sampling.hand import Hand
from sampling.readme import write_readme
from sampling.scan import Scan, box_in_image
from sampling.sheet import DPI, Sheet
from sampling.store import Truth, save, write_truth

_NOTE = (
    "DEAR NEIGHBOURS",
    "THE LIFT WILL BE CLOSED ON 14 MAY",
    "FROM 9 TO 12 FOR REPAIRS",
    "PLEASE USE THE STAIRS IN WING B",
    "QUESTIONS GO TO ZOE JAMES",
    "AT EXTENSION 5037",
)


def main() -> None:
    """Parses and draws."""
    parser = argparse.ArgumentParser(prog="make_samples", description="Draws samples/, or a batch of filled forms.")
    commands = parser.add_subparsers(dest="command")
    forms = commands.add_parser("forms", help="draw filled forms with their template and truth")
    forms.add_argument("--out", type=Path, required=True, help="folder to write to")
    forms.add_argument("--count", type=int, default=20, help="number of filled forms")
    forms.add_argument("--type", choices=("jpg", "png", "tif", "pdf"), default="jpg", help="type of the files")
    forms.add_argument("--seed", type=int, default=0, help="of writers, values and scans")
    forms.add_argument("--angle", type=float, default=1.0, help="largest turn, degrees")
    forms.add_argument("--scale", type=float, default=1.0, help="size of the scans; 1 is 200 dpi")
    forms.add_argument("--noise", type=float, default=4.0, help="standard deviation, grey levels")
    forms.add_argument("--blur", type=float, default=0.6, help="standard deviation, px")
    forms.add_argument("--shadow", type=float, default=0.0, help="share of the light missing in the darkest place")
    forms.add_argument("--bilevel", action="store_true", help="black and white only")
    forms.add_argument("--pen", type=float, help="pen width in heights of a capital (not given: 0.06 to 0.13)")
    forms.add_argument("--gap", type=float, help="gap between characters in heights of a capital; negative overlaps")
    commands.add_parser("readme", help="put what scripts/demo read into the README")
    options = parser.parse_args()
    root = Path(__file__).parents[2]
    if options.command == "forms":
        draw_forms(options)
    elif options.command == "readme":
        write_readme(root)
    else:
        draw_samples(root / "samples")


def draw_forms(options: argparse.Namespace) -> list[Truth]:
    """Draws a batch: template, scans and truth.csv in a folder."""
    membership.write_template(options.out)
    scans = options.out / "scans"
    scans.mkdir(exist_ok=True)
    printing = membership.blank().render()
    rng = np.random.default_rng(options.seed)
    changes = {key: value for key, value in (("pen", options.pen), ("gap", options.gap)) if value is not None}
    rows: list[Truth] = []
    for number in range(1, options.count + 1):
        scan = Scan(
            angle_deg=rng.uniform(-options.angle, options.angle),
            scale=options.scale,
            shift_px=(rng.uniform(-12, 12), rng.uniform(-12, 12)),
            noise=options.noise,
            blur_px=options.blur,
            shadow=options.shadow,
            bilevel=options.bilevel,
            paper=int(rng.integers(225, 256)),
            seed=int(rng.integers(2**31)),
        )
        name = f"form{number:04d}.{options.type}"
        values, hand = membership.person(rng), Hand(int(rng.integers(2**31)), **changes)
        image = _scanned(printing, values, hand, scan, name, 1, rows)
        save(scans / name, [image], DPI * options.scale)
    write_truth(options.out / "truth.csv", rows)
    return rows


def draw_samples(folder: Path) -> None:
    """Draws everything in samples/ that is drawn; the walkthrough notebook and README beside it stay as they are."""
    _draw_membership(folder / "membership")
    _draw_note(folder / "note")


_GREY = Scan(noise=4, blur_px=0.6, paper=242)
_SCANS: dict[str, list[Scan]] = {
    "counter.jpg": [replace(_GREY, angle_deg=1.2, ink_rgb=(30, 45, 130), paper=238, scale=0.75, seed=1)],
    "fax.png": [Scan(angle_deg=-0.7, noise=18, specks=12, bilevel=True, seed=2)],
    "feeder.tif": [
        Scan(angle_deg=0.4, noise=12, bilevel=True, shift_px=(9, -14), seed=3),
        Scan(angle_deg=180.9, noise=12, bilevel=True, border=0, seed=4),
    ],
    "phone.jpg": [
        Scan(
            angle_deg=-2.5, scale=0.8, perspective=0.06, shadow=0.35, blur_px=0.9, noise=5, paper=225, border=90, seed=5
        )
    ],
    "stack.pdf": [
        replace(_GREY, angle_deg=-1.1, scale=0.75, seed=6),
        replace(_GREY, angle_deg=0.8, scale=0.75, seed=7, shift_px=(-8, 12)),
        replace(_GREY, angle_deg=90.3, scale=0.75, seed=8),
    ],
}


def _draw_membership(folder: Path) -> None:
    membership.write_template(folder)
    scans = folder / "scans"
    scans.mkdir(exist_ok=True)
    printing = membership.blank().render()
    rng = np.random.default_rng(7)
    rows: list[Truth] = []
    people: list[dict[str, str]] = []
    for name, pages in sorted(_SCANS.items()):
        images = []
        for number, scan in enumerate(pages, start=1):
            values = membership.person(rng)
            spelled = {"first_name": values["first_name"].capitalize()}  # as the lexicon spells it
            people.append({"document": name, "form": str(number)} | values | spelled)
            images.append(_scanned(printing, values, Hand(scan.seed + 100), scan, name, number, rows))
        save(scans / name, images, DPI * pages[0].scale)
    write_truth(folder / "truth.csv", rows)
    with (folder / "expected.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, people[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(people)


def _draw_note(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    width, height = 1400, 900
    hand = Hand(211)
    ink = np.zeros((height, width), np.uint8)
    boxes = []
    for index, text in enumerate(_NOTE):
        baseline = 150 + 120 * index
        write_line(ink, text, 110, baseline, 1180, 58, hand)
        boxes.append((90, baseline - 80, width - 90, baseline + 24))
    scan = replace(_GREY, angle_deg=-1.6, seed=9)
    image, matrix = scan.take(Sheet((width, height)).render(), ink, hand.style.darkness)
    save(folder / "note.jpg", [image], DPI)
    rows = [
        Truth("note.jpg", 1, f"line{number:03d}", "alphanumeric", text, *box_in_image(box, matrix))
        for number, (text, box) in enumerate(zip(_NOTE, boxes, strict=True), start=1)
    ]
    write_truth(folder / "truth.csv", rows)


def _scanned(
    printing: np.ndarray, values: dict[str, str], hand: Hand, scan: Scan, name: str, page: int, rows: list[Truth]
) -> np.ndarray:
    """One filled and scanned form; adds its truth to `rows`."""
    image, matrix = scan.take(printing, membership.fill(values, hand), hand.style.darkness)
    rows += [
        Truth(name, page, field.name, field.kind, values[field.name], *box_in_image(field.box, matrix))
        for field in membership.FIELDS
    ]
    return image


if __name__ == "__main__":
    main()
