import numpy as np
import pytest

from hwtranscribe.glyph import GLYPH_SIZE_PX, INK_BOX_PX, normalize_inks


def draw_h(height: int, width: int, stroke: int) -> np.ndarray:
    ink = np.zeros((height, width), np.float32)
    ink[:, :stroke] = ink[:, -stroke:] = 1
    middle = height // 2
    ink[middle - stroke // 2 : middle - stroke // 2 + stroke] = 1
    return ink


def box_of(glyph: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(glyph.max(axis=1) > 0.5), np.flatnonzero(glyph.max(axis=0) > 0.5)
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


@pytest.mark.parametrize("size", [12, 20, 40, 60, 200])
def test_ink_fills_the_same_box_whatever_its_size(size: int) -> None:
    glyph = normalize_inks([draw_h(size, size // 2, max(2, size // 8))])[0, :, :, 0]
    left, top, right, bottom = box_of(glyph)
    assert abs(bottom - top - INK_BOX_PX) <= 2
    assert abs((left + right) / 2 - GLYPH_SIZE_PX / 2) <= 1.5
    assert abs((top + bottom) / 2 - GLYPH_SIZE_PX / 2) <= 1.5


def test_loose_crop_and_faint_ink_change_little() -> None:
    ink = draw_h(48, 30, 6)
    loose = np.zeros((120, 90), np.float32)
    loose[50:98, 20:50] = ink * 0.4
    tight_glyph, loose_glyph = normalize_inks([ink, loose])
    assert np.abs(tight_glyph - loose_glyph).mean() < 0.02


def test_no_ink_gives_a_zero_glyph() -> None:
    glyphs = normalize_inks([np.zeros((20, 20), np.float32), np.zeros((0, 3), np.float32)])
    assert glyphs.shape == (2, 28, 28, 1)
    assert not glyphs.any()


def test_no_maps_give_no_glyphs() -> None:
    assert normalize_inks([]).shape == (0, 28, 28, 1)


def test_range_is_zero_to_one() -> None:
    rng = np.random.default_rng(0)
    glyphs = normalize_inks([rng.random((30, 17), dtype=np.float32), np.ones((3, 50), np.float32)])
    assert glyphs.min() >= 0
    assert glyphs.max() == 1
