"""Fields of a form: their print on the blank sheet, and a hand filling them in."""

from dataclasses import dataclass, field

import numpy as np

from sampling.hand import Hand
from sampling.marks import draw_mark
from sampling.sheet import Sheet

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class FormField:
    """A field of a drawn form.

    Attributes:
        name: Of the column.
        kind: As in form.toml.
        label: Printed before it.
        box: In px of the sheet.
        style: `comb` (cells with full separators), `ticks` (half-height separators), `cells` (boxes apart), `box`,
            `line` or `checkbox`.
        cells: Number of cells where there are any.
        hints: Printed lightly in the cells.
        keys: More keys for form.toml, values as TOML writes them.
    """

    name: str
    kind: str
    label: str
    box: Box
    style: str
    cells: int = 0
    hints: str = ""
    keys: dict[str, str] = field(default_factory=dict)

    def toml(self) -> str:
        """The field's table in form.toml."""
        keys = {"name": f'"{self.name}"', "kind": f'"{self.kind}"', "box": str(list(self.box))}
        if self.cells:
            keys["cells"] = str(self.cells)
        return "\n".join(["[[page.field]]", *(f"{key} = {value}" for key, value in (keys | self.keys).items())]) + "\n"

    def print_on(self, sheet: Sheet) -> None:
        """Draws the empty field with its label."""
        left, top, right, bottom = self.box
        if self.style == "checkbox":
            sheet.box(left, top, right, bottom)
            sheet.text(right + 14, bottom - 7, self.label, 26)
            return
        sheet.text(120, (top + bottom) / 2 + 9, self.label, 26)
        if self.style == "line":
            sheet.line(left, bottom - 4, right, bottom - 4)
            return
        if self.style != "cells":
            sheet.box(left, top, right, bottom)
        for index in range(self.cells):
            x = left + (right - left) * index / self.cells
            end = left + (right - left) * (index + 1) / self.cells
            if self.style == "cells":
                sheet.box(x + 5, top, end - 5, bottom)
            elif index:
                sheet.line(x, (top + bottom) / 2 if self.style == "ticks" else top, x, bottom)
            if self.hints:
                sheet.text((x + end) / 2 - 6, (top + bottom) / 2 + 7, self.hints[index], 20, grey=0.6)

    def fill(self, ink: np.ndarray, value: str, hand: Hand) -> None:
        """Writes a value into the field, in place on an ink map."""
        if not value or (self.style == "checkbox" and value == "0"):
            return
        if self.style == "checkbox":
            draw_mark(ink, self.box, str(hand.rng.choice(["cross", "cross", "tick", "tick", "scribble"])), hand)
        elif self.cells:
            _write_in_cells(ink, value, self.box, self.cells, hand)
        else:
            left, top, right, bottom = self.box
            baseline = bottom - (8 if self.style == "line" else 0.2 * (bottom - top))
            write_line(ink, value, left + 16, baseline, right - left - 32, 0.56 * (bottom - top), hand)


def write_line(
    ink: np.ndarray, text: str, left: float, baseline: float, room_px: float, capital_px: float, hand: Hand
) -> None:
    """Writes free text with one baseline, smaller when it would not fit."""
    capital_px *= hand.rng.normal(1, 0.05)
    for _ in range(4):
        placed, width = _lay_out(text, capital_px, hand)
        if width <= room_px:
            break
        capital_px *= 0.97 * room_px / width
    drift = hand.rng.normal(0, 0.008)
    for x, strokes in placed:
        y = baseline + drift * x + hand.rng.normal(0, 0.025 * capital_px)
        hand.draw(ink, [path + (left + x, y) for path in strokes], capital_px)


def _lay_out(text: str, capital_px: float, hand: Hand) -> tuple[list[tuple[float, list[np.ndarray]]], float]:
    placed, x = [], 0.0
    for character in text:
        if character == " ":
            x += hand.rng.uniform(0.5, 0.7) * capital_px
            continue
        strokes = hand.character(character, capital_px)
        begin = min(float(path[:, 0].min()) for path in strokes)
        placed.append((x - begin, strokes))
        x += hand.width(strokes) + (hand.style.gap + hand.rng.normal(0, 0.04)) * capital_px
    return placed, x


def _write_in_cells(ink: np.ndarray, value: str, box: Box, cells: int, hand: Hand) -> None:
    left, top, right, bottom = box
    pitch = (right - left) / cells
    size = hand.rng.uniform(0.6, 0.72) * (bottom - top)
    lean = hand.rng.normal(0, 0.04) * pitch
    for index, character in enumerate(value):
        if character == " ":
            continue
        capital_px = size * hand.rng.normal(1, 0.04)
        strokes = hand.character(character, capital_px)
        room = 0.84 * pitch
        if hand.width(strokes) > room:
            strokes = [path * (room / hand.width(strokes), 1) for path in strokes]
        begin = min(float(path[:, 0].min()) for path in strokes)
        x = left + pitch * (index + 0.5) - hand.width(strokes) / 2 - begin + lean + hand.rng.normal(0, 0.035) * pitch
        y = (top + bottom) / 2 + capital_px / 2 + hand.rng.normal(0, 0.03) * (bottom - top)
        hand.draw(ink, [path + (x, y) for path in strokes], capital_px)
