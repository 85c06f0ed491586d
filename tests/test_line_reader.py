"""Whole lines: the strip that the network sees, its scores, and what a text has of them."""

import shutil
import tracemalloc
from itertools import product

import cv2
import numpy as np
import pytest

from hwtranscribe.checkpoint import LINES_NAME, default_checkpoint_path, line_checkpoint_path
from hwtranscribe.class_scores import symbol_log_probs
from hwtranscribe.classify import Classifier
from hwtranscribe.decode.line import line_log_probs, line_texts
from hwtranscribe.errors import CheckpointError
from hwtranscribe.line_reader import WINDOWS_PX, LineReader
from hwtranscribe.model import COLUMN_PX, LABELS
from hwtranscribe.segment.lattice import line_lattice
from hwtranscribe.segment.upright import line_strip
from hwtranscribe.strip import CHARACTER_HEIGHT_PX, MARGIN_PX, STRIP_HEIGHT_PX, WIDEST_GAP_PX

SYMBOLS = ("1", "2")
DIGITS = tuple("0123456789")


def written(text: str, scale: float = 1.0, rise: float = 0.0, gap_px: int = 6) -> np.ndarray:
    """Ink of a line in a stroke font; characters may overlap where the gap is below 0."""
    thickness = max(1, round(3 * scale))
    line = np.zeros((round(120 * scale), round((80 + (30 + max(0, gap_px)) * len(text)) * scale)), np.uint8)
    x = 20.0
    for character in text:
        y = 80 + rise * x
        place = round(x * scale), round(y * scale)
        cv2.putText(line, character, place, cv2.FONT_HERSHEY_SIMPLEX, 1.5 * scale, 255, thickness, cv2.LINE_AA)
        x += cv2.getTextSize(character, cv2.FONT_HERSHEY_SIMPLEX, 1.5, 3)[0][0] + gap_px
    return line


def ink_rows(strip: np.ndarray) -> tuple[int, int]:
    rows = np.flatnonzero(strip.max(axis=1) > 0.5)
    return int(rows[0]), int(rows[-1]) + 1


@pytest.fixture(scope="module")
def reader() -> LineReader:
    return LineReader.load()


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
def test_characters_have_one_height_in_the_strip(scale: float):
    strip = line_strip(written("4827", scale))
    assert strip is not None and strip.shape[0] == STRIP_HEIGHT_PX and strip.max() == 1.0
    top, bottom = ink_rows(strip)
    assert abs((bottom - top) - CHARACTER_HEIGHT_PX) <= 3
    assert abs((top + bottom) / 2 - STRIP_HEIGHT_PX / 2) <= 2
    assert not strip[:, : MARGIN_PX - 3].any()


def test_a_rising_line_lies_level_in_the_strip():
    level, rising = line_strip(written("88888888")), line_strip(written("88888888", rise=-0.08))
    assert level is not None and rising is not None
    heights = [bottom - top for top, bottom in (ink_rows(level), ink_rows(rising))]
    assert abs(heights[0] - heights[1]) <= 3


def test_wide_paper_is_cut_down_and_narrow_is_not():
    close, wide, wider = (line_strip(written("HHHH", gap_px=gap)) for gap in (2, 60, 120))
    assert close is not None and wide is not None and wider is not None
    assert abs(wide.shape[1] - wider.shape[1]) <= 2
    assert close.shape[1] < wide.shape[1] < close.shape[1] + 4 * WIDEST_GAP_PX


@pytest.mark.parametrize(("apart_px", "count"), [(6, 1500), (4000, 5)])
def test_what_is_longer_than_any_line_has_no_strip(apart_px: int, count: int):
    """Rows of specks: each as high as a character, or a few with so much paper that it can't be set in one picture."""
    ink = np.zeros((12, 40 + apart_px * count), np.uint8)
    for place in range(count):
        ink[4:7, 20 + apart_px * place : 23 + apart_px * place] = 255
    assert line_strip(ink) is None
    if count < 10:
        assert line_lattice(ink, "f", (0, 0, ink.shape[1], ink.shape[0])).node_count > 1


def test_thousands_of_components_are_laid_level_in_little_memory():
    ink = np.zeros((60, 20_000), np.uint8)
    ink[20:40, ::4] = 255
    tracemalloc.start()
    line_strip(ink)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * ink.size


def test_the_lattice_brings_the_strip_and_paper_has_none():
    ink = written("17")
    strip = line_lattice(ink, "f", (0, 0, ink.shape[1], ink.shape[0])).strip
    np.testing.assert_array_equal(strip, line_strip(ink))
    assert line_strip(np.zeros((40, 200), np.uint8)) is None
    assert line_lattice(np.zeros((40, 200), np.uint8), "f", (0, 0, 200, 40)).strip is None


@pytest.mark.parametrize("gap_px", [8, 0, -4])
def test_the_shipped_network_reads_lines_also_where_characters_touch(reader: LineReader, gap_px: int):
    strip = line_strip(written("20563", gap_px=gap_px))
    assert strip is not None
    symbols, columns = symbol_log_probs(reader.score(strip), "digits")
    assert line_texts(columns, symbols, 3)[0] == "20563"


def test_scores_have_a_row_for_each_column_whatever_the_width(reader: LineReader):
    for width in (1, 20, WINDOWS_PX[0], WINDOWS_PX[0] + 1, WINDOWS_PX[1], 700):
        scores = reader.score(np.zeros((STRIP_HEIGHT_PX, width), np.float32))
        assert scores.shape == (-(-width // COLUMN_PX), len(LABELS))
        np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1, rtol=1e-4)


def test_a_long_line_is_read_as_if_in_one_piece(reader: LineReader):
    pieces = [line_strip(written(text)) for text in ("205638", "974102", "330517", "628940")]
    strip = np.hstack([piece for piece in pieces if piece is not None])
    assert strip.shape[1] > 2 * WINDOWS_PX[-1]
    symbols, columns = symbol_log_probs(reader.score(strip), "digits")
    assert line_texts(columns, symbols, 3)[0] == "205638974102330517628940"
    # Far from where it ends, a part of the line has the scores that it has in the whole.
    part = reader.score(strip[:, : WINDOWS_PX[-1]])
    np.testing.assert_allclose(np.exp(part[:50]), np.exp(reader.score(strip)[:50]), atol=1e-4)


def columns_of(*probabilities: tuple[float, float, float]) -> np.ndarray:
    return np.log(np.array(probabilities, np.float32) + 1e-12)


def test_a_text_has_the_probability_of_all_ways_to_write_it():
    columns = columns_of((0.5, 0.2, 0.3), (0.1, 0.6, 0.3), (0.4, 0.1, 0.5), (0.3, 0.3, 0.4))
    expected: dict[str, float] = {}
    for way in product(range(3), repeat=4):
        text = "".join(SYMBOLS[c] for i, c in enumerate(way) if c < 2 and (i == 0 or way[i - 1] != c))
        expected[text] = expected.get(text, 0.0) + float(np.exp(sum(columns[i, c] for i, c in enumerate(way))))
    found = line_log_probs(columns, SYMBOLS, list(expected))
    np.testing.assert_allclose(np.exp(found), list(expected.values()), rtol=1e-5)
    best = sorted(expected, key=lambda text: -expected[text])
    assert line_texts(columns, SYMBOLS, 20)[:3] == [text for text in best if text][:3]


def test_spaces_and_what_cannot_be_read_do_not_count():
    columns = columns_of((0.8, 0.1, 0.1), (0.1, 0.1, 0.8), (0.1, 0.8, 0.1))
    plain, spaced, unreadable = line_log_probs(columns, SYMBOLS, ["12", "1 2", "1?2"])
    assert plain == spaced == unreadable
    # More characters than there are columns for.
    assert line_log_probs(columns, SYMBOLS, ["1111"])[0] < -100


def test_the_network_for_lines_is_found_checked_and_never_taken_for_the_other(tmp_path):
    shipped = default_checkpoint_path() / LINES_NAME
    assert line_checkpoint_path(None) == line_checkpoint_path(tmp_path) == shipped
    (tmp_path / LINES_NAME).mkdir()
    assert line_checkpoint_path(tmp_path) == tmp_path / LINES_NAME
    with pytest.raises(CheckpointError, match=LINES_NAME):
        LineReader.load(tmp_path)
    with pytest.raises(CheckpointError, match=f"{shipped}.*characters"):
        Classifier.load(shipped)
    for name in ("weights.safetensors", "metadata.json"):
        shutil.copy(default_checkpoint_path() / name, tmp_path / LINES_NAME)
    with pytest.raises(CheckpointError, match=f"{tmp_path / LINES_NAME}: holds glyphnet"):
        LineReader.load(tmp_path)
