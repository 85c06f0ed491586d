"""Pages without a template that the tests draw for themselves: columns, lists and tables, written by drawn hands."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hwtranscribe.imaging.geometry import project
from hwtranscribe.types import AlignedPage, Page

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from sampling.fields import write_line  # noqa: E402
from sampling.hand import Hand  # noqa: E402
from sampling.scan import Scan  # noqa: E402
from sampling.sheet import Sheet  # noqa: E402

SHEET_PX = 1654, 1200
"""Half a sheet of A4 at 200 dpi: smaller than a whole one, which takes longer to read."""

Text = tuple[float, float, str]
"""Left end and base line, px of the sheet, and what is written there."""


def scanned(
    texts: Sequence[Text], sheet: Sheet | None = None, seed: int = 3, capital_px: float = 44, **scan: float
) -> tuple[Page, np.ndarray]:
    """A sheet with writing on it as a scanner sees it, and the homography from the sheet to the page."""
    sheet = sheet or Sheet(SHEET_PX)
    ink = np.zeros(sheet.size_px[::-1], np.uint8)
    hand = Hand(seed, gap=0.2, pen=0.09)
    for left, baseline, text in texts:
        write_line(ink, text, left, baseline, 2000, capital_px, hand)
    settings = {"noise": 4, "blur_px": 0.6, "paper": 242, "seed": seed} | scan
    pixels, page_from_sheet = Scan(**settings).take(sheet.render(), ink, 0.85)
    return Page("page.png", 1, None, pixels), page_from_sheet


def on_aligned(aligned: AlignedPage, page_from_sheet: np.ndarray, points: Sequence[tuple[float, float]]) -> np.ndarray:
    """Where points of the sheet are on the upright page."""
    return project(np.linalg.inv(aligned.page_from_aligned) @ page_from_sheet, np.array(points, float))


__all__ = ["SHEET_PX", "Hand", "Scan", "Sheet", "Text", "on_aligned", "scanned", "write_line"]
