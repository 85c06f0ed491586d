"""Fills forms anew with characters of the validation part in many hands, reads them, and prints how much is right.

The development sets have one writer for most of their forms. Here the blank form is filled by others; of the NIST form,
which has no blank, the writing is taken out first. How much of the same characters is wrong when each is scanned on
white paper says what the form costs.
"""

import argparse
import csv
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from sampling import membership
from sampling.copied_hand import CopiedHand
from sampling.scan import Scan
from sampling.store import Truth, save, write_truth

from benchmarks._reading import RUNS, SHARED, cer, exact, transcribe
from hwtranscribe.classify import Classifier
from hwtranscribe.form import FieldTemplate, FormTemplate
from hwtranscribe.model import LABELS
from hwtranscribe.pipeline import prepare_references
from hwtranscribe.register import align, blank_page
from hwtranscribe.render import render_pages
from hwtranscribe.score import ScoredField, score
from hwtranscribe.segment import CellGrid, find_cells
from hwtranscribe.training.commands import load_train_and_validation
from hwtranscribe.types import Box, Kind, Page, ReadOptions

Texts = Callable[[np.random.Generator], Mapping[str, str]]
"""What a person writes, by field."""


@dataclass(frozen=True)
class Layout:
    """A form to fill.

    Attributes:
        name: Of the row and of the folder.
        source: Of the form: a folder of the development sets, or `membership`, which is drawn.
        keeps_blank: Whether the blank form is known when it is read.
        bilevel: Whether scans are black and white only.
        upon_sides: How often free writing stands on or over a side of its box.
    """

    name: str
    source: str
    keeps_blank: bool
    bilevel: bool = False
    upon_sides: float = 0.0


LAYOUTS = (
    Layout("drawn", "membership", True, upon_sides=0.2),
    Layout("drawn-no-blank", "membership", False, upon_sides=0.2),
    Layout("drawn-bilevel", "membership", True, bilevel=True, upon_sides=0.2),
    Layout("insurance", "sbi", True),
    Layout("insurance-no-blank", "sbi", False),
    Layout("survey", "quexf", True, bilevel=True, upon_sides=0.2),
    Layout("survey-no-blank", "quexf", False, bilevel=True, upon_sides=0.2),
    Layout("nist", "nist_hsf", False, bilevel=True, upon_sides=0.1),
    Layout("nist-upon-sides", "nist_hsf", False, bilevel=True, upon_sides=0.6),
)

_LEFT_OVER = {
    "box16": (-20, -1, 6, -6),
    "box25": (-14, -1, 6, -6),
    "box31": (-10, -1, 6, -6),
    "box32": (-12, 120, 0, 0),
}
"""Strokes of the NIST form's writer beyond a box: from and to px right of its right side, px below top and bottom."""
_TAILS = ((1350, 1871, 1450, 1925), (1050, 2038, 1200, 2092))


@dataclass(frozen=True)
class Blank:
    """The first page of an empty form.

    Attributes:
        printing: Grey, 255 paper, in px of the template.
        cells: Of the fields that are combs.
    """

    printing: np.ndarray
    cells: Mapping[str, CellGrid]


def main(arguments: list[str]) -> None:
    """Parses, fills, reads and prints."""
    parser = argparse.ArgumentParser(prog="bench hands", description=__doc__)
    names = [layout.name for layout in LAYOUTS]
    parser.add_argument("layouts", nargs="*", metavar="FORM", help=f"of {', '.join(names)}; all if not given")
    parser.add_argument("--count", type=int, default=12, help="hands for each form")
    parser.add_argument("--seed", type=int, default=0, help="of hands, texts and scans")
    options = parser.parse_args(arguments)
    if not SHARED.is_dir():
        sys.exit(f"bench: the development sets are not here ({SHARED})")
    if unknown := set(options.layouts) - set(names):
        parser.error(f"no such form: {', '.join(sorted(unknown))}")
    images = validation_images()
    classifier = Classifier.load()
    print("| Form | Fields right | CER | Wrong of the surest half | Characters wrong, each on white paper |")
    print("|---|---|---|---|---|")
    for layout in LAYOUTS:
        if not options.layouts or layout.name in options.layouts:
            folder = RUNS / "hands" / layout.name
            alone = fill(layout, folder, options.count, options.seed, images, classifier)
            transcribe([folder / "scans"], folder / "out", "--form", str(folder / "form.toml"))
            scored = score(folder / "truth.csv", folder / "out")
            right = f"{round(exact(scored) * len(scored))} of {len(scored)} ({exact(scored):.1%})"
            print(
                f"| {layout.name} | {right} | {cer(scored):.3f} | {_wrong_of_surest(scored):.1%} | {alone:.3f} |",
                flush=True,
            )


def validation_images() -> dict[str, np.ndarray]:
    """Characters that no training has seen, whose case is known, by label."""
    _, held_out = load_train_and_validation(SHARED / "tfds", "glyphnet")
    known = held_out.take(np.flatnonzero(held_out.classes == held_out.other_case))
    return {LABELS[c]: known.images[known.classes == c] for c in np.unique(known.classes).tolist()}


def fill(
    layout: Layout, folder: Path, count: int, seed: int, images: Mapping[str, np.ndarray], classifier: Classifier
) -> float:
    """Write template, scans and truth.csv; return how many characters are wrong when each is alone on white paper."""
    blank, fields, texts = _membership(folder) if layout.source == "membership" else _real(layout.source, folder)
    if not layout.keeps_blank:
        _forget_blank(folder / "form.toml", fields, blank)
    (folder / "scans").mkdir(exist_ok=True)
    for old in (folder / "scans").iterdir():
        old.unlink()
    rows: list[Truth] = []
    wrong = written = 0
    for number in range(1, count + 1):
        rng = np.random.default_rng((seed, number))
        hand = CopiedHand(images, int(rng.integers(2**31)), layout.upon_sides)
        scan = Scan(
            angle_deg=rng.normal(0, 0.4),
            shift_px=(rng.normal(0, 6), rng.normal(0, 6)),
            blur_px=0.6,
            noise=5,
            paper=int(rng.integers(225, 256)),
            bilevel=layout.bilevel,
            seed=int(rng.integers(2**31)),
        )
        name = f"hand{number:03d}." + ("png" if layout.bilevel else "jpg")
        ink = np.zeros(blank.printing.shape, np.uint8)
        values = texts(rng)
        for field in fields:
            text = values[field.name]
            rows.append(Truth(name, 1, field.name, field.kind.value, text, *field.box))
            if not text:
                continue
            characters = _write(hand, ink, text, field, blank)
            got = _alone(characters, field, hand, scan, classifier)
            wrong += sum(a != b for a, b in zip(text.replace(" ", "").upper(), got, strict=True))
            written += len(characters)
        image, _ = scan.take(blank.printing, ink, hand.darkness)
        save(folder / "scans" / name, [image], 200)
    write_truth(folder / "truth.csv", rows)
    return wrong / written


def _forget_blank(template: Path, fields: Sequence[FieldTemplate], blank: Blank) -> None:
    """Take the blank form out of a template; boxes are drawn where combs and rules are printed."""
    text = re.sub(r"(?m)^reference.*\n", "", template.read_text(encoding="utf-8"))
    for field in fields:
        grid, rule = blank.cells.get(field.name), _rule(blank.printing, field.box)
        left, top, right, bottom = field.box
        if grid is not None:
            left, top, right, bottom = round(grid.edges[0]), grid.top, round(grid.edges[-1]), grid.bottom
        elif rule is not None:
            top, bottom = rule - (bottom - top), rule
        text = text.replace(f"box = {list(field.box)}", f"box = {[left, top, right, bottom]}")
    template.write_text(text, encoding="utf-8")


def _write(hand: CopiedHand, ink: np.ndarray, text: str, field: FieldTemplate, blank: Blank) -> list[np.ndarray]:
    grid, rule = blank.cells.get(field.name), _rule(blank.printing, field.box)
    if grid is not None and len(text) <= len(grid):
        return hand.write_in_cells(ink, text, grid.edges.tolist(), grid.top, grid.bottom)
    left, top, right, bottom = field.box
    if rule is None:
        return hand.write_line(ink, text, field.box)
    return hand.write_line(ink, text, (left, rule - (bottom - top), right, rule), on_rule=True)


def _rule(printing: np.ndarray, box: Box) -> int | None:
    """Row of the rule that a field is written on, which boxes drawn by eye may miss; None in a box."""
    left, top, right, bottom = box
    first = top - (bottom - top) // 2
    rows = np.flatnonzero((printing[first : bottom + 4, left:right] < 160).mean(axis=1) > 0.6) + first
    in_a_box = len(rows) > 0 and rows[-1] - rows[0] > 0.8 * (bottom - top)
    return None if in_a_box or not len(rows) else int(rows[-1])


def _alone(
    characters: Sequence[np.ndarray], field: FieldTemplate, hand: CopiedHand, scan: Scan, classifier: Classifier
) -> list[str]:
    """What each character is read as when it is scanned by itself on white paper."""
    flat = Scan(blur_px=scan.blur_px, noise=scan.noise, bilevel=scan.bilevel, seed=scan.seed)
    crops = []
    for character in characters:
        ink = np.pad(character, 6)
        crops.append(flat.take(np.full(ink.shape, 255, np.uint8), ink, hand.darkness)[0])
    return classifier.read_crops(crops, field.kind.value, field.case)[0]


def _membership(folder: Path) -> tuple[Blank, list[FieldTemplate], Texts]:
    membership.write_template(folder)
    form = FormTemplate.load(folder / "form.toml")
    return _blank(form), _written_fields(form), membership.person


def _real(source: str, folder: Path) -> tuple[Blank, list[FieldTemplate], Texts]:
    """The first page of a form of the development sets, with its template and its blank in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    original = SHARED / "real" / source
    head, first, *_ = (original / "form.toml").read_text(encoding="utf-8").split("[[page]]")
    (folder / "form.toml").write_text(f"{head}[[page]]{first}", encoding="utf-8")
    for name in re.findall(r'(?m)^reference = "(.*)"', first):
        (folder / name).write_bytes((original / name).read_bytes())
    with (original / "truth.csv").open(newline="", encoding="utf-8") as file:
        truth = {row["field"]: row["text"] for row in csv.DictReader(file)}
    form = FormTemplate.load(folder / "form.toml")
    fields = _written_fields(form)
    blank = _blank(form) if form.pages[0].reference else _wiped(original / "hsf_a.png", fields)

    def texts(rng: np.random.Generator) -> dict[str, str]:
        return {
            field.name: _text(field, truth.get(field.name, ""), blank.cells.get(field.name), rng) for field in fields
        }

    return blank, fields, texts


def _text(field: FieldTemplate, like: str, grid: CellGrid | None, rng: np.random.Generator) -> str:
    """Something that fits a field: letters of an alphabet in another order, digits at random, a name."""
    if len(set(like.upper())) == 26:
        return "".join(rng.permutation(list(like)))
    if field.kind is Kind.DIGITS:
        count = len(grid) if grid is not None else len(like) or int(rng.integers(2, 6))
        return "".join(map(str, rng.integers(10, size=count)))
    name = str(rng.choice(membership.SURNAMES + membership.TOWNS))
    return name if grid is None else name[: len(grid)]


def _written_fields(form: FormTemplate) -> list[FieldTemplate]:
    return [field for field in form.pages[0].fields if field.kind is not Kind.CHECKBOX]


def _blank(form: FormTemplate) -> Blank:
    template = form.pages[0]
    pages = range(template.reference_page, template.reference_page + 1)
    page = next(iter(render_pages(template.reference, "blank", ReadOptions(), pages)))
    assert isinstance(page, Page)
    reference = next(iter(prepare_references(form)))
    found = align(page, [reference])
    aligned = blank_page(found, reference)
    cells = {field.name: find_cells(aligned, field.box, field.cells) for field in _written_fields(form)}
    printing = cv2.resize(page.pixels, template.size, interpolation=cv2.INTER_AREA)
    return Blank(printing, {name: grid for name, grid in cells.items() if grid is not None})


def _wiped(path: Path, fields: Sequence[FieldTemplate]) -> Blank:
    """The NIST form without its writing."""
    page = next(iter(render_pages(path, "form", ReadOptions(), None)))
    assert isinstance(page, Page)
    printing = page.pixels.copy()
    for field in fields:
        left, top, right, bottom = field.box
        printing[top + 7 : bottom - 6, left + 7 : right - 6] = 255
        if field.name in _LEFT_OVER:
            begin, end, below_top, below_bottom = _LEFT_OVER[field.name]
            printing[top + below_top : bottom + below_bottom, right + begin : right + end] = 255
    for left, top, right, bottom in _TAILS:
        printing[top:bottom, left:right] = 255
    return Blank(printing, {})


def _wrong_of_surest(scored: Sequence[ScoredField]) -> float:
    surest = sorted(scored, key=lambda field: -field.confidence)[: len(scored) // 2]
    return sum(not field.right for field in surest) / len(surest)
