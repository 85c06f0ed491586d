import numpy as np
import pytest
from test_glyph import draw_h

from hwtranscribe.crop import ink_from_crop


def test_shadow_is_no_ink() -> None:
    paper = np.linspace(110, 240, 60, dtype=np.float32)[None, :].repeat(60, axis=0)
    writing = draw_h(36, 24, 4)
    crop = paper.copy()
    crop[12:48, 18:42] -= 80 * writing
    ink = ink_from_crop(crop.astype(np.uint8))
    truth = np.zeros((60, 60), np.float32)
    truth[12:48, 18:42] = writing
    assert np.abs(ink - truth).mean() < 0.03


@pytest.mark.parametrize("level", [0, 128, 255])
def test_even_paper_holds_no_ink(level: int) -> None:
    rng = np.random.default_rng(0)
    crop = np.clip(level + rng.normal(0, 2, (40, 30)), 0, 255).astype(np.uint8)
    assert not ink_from_crop(crop).any()


def test_thick_tight_character_stays_whole() -> None:
    writing = draw_h(28, 28, 8)
    ink = ink_from_crop((255 - 255 * writing).astype(np.uint8))
    assert np.abs(ink - writing).mean() < 0.05


def test_a_shadow_with_a_hard_edge_is_no_ink() -> None:
    writing = np.zeros((80, 80), np.float32)
    writing[22:58, 28:52] = draw_h(36, 24, 5)
    columns, rows = np.meshgrid(np.arange(80), np.arange(80))
    light = np.where(columns + 0.4 * rows > 60, 1.0, 0.55)
    ink = ink_from_crop(((225 - 165 * writing) * light).astype(np.uint8))
    assert np.abs(ink - writing).mean() < 0.03


def test_broad_strokes_are_no_shadow() -> None:
    writing = np.zeros((60, 60), np.float32)
    writing[5:55, 5:55] = draw_h(50, 50, 20)
    ink = ink_from_crop((230 - 180 * writing).astype(np.uint8))
    assert np.abs(ink - writing).mean() < 0.02


@pytest.mark.parametrize("sides", ["left", "bottom", "all"])
def test_the_border_of_a_box_is_left_out(sides: str) -> None:
    writing = np.zeros((80, 80), np.float32)
    writing[22:58, 28:52] = draw_h(36, 24, 5)
    dark = writing.copy()
    if sides == "all":
        dark[3:77, 3:5] = dark[3:77, 75:77] = dark[3:5, 3:77] = dark[75:77, 3:77] = 1
    else:
        border = dark.T if sides == "left" else dark[::-1]
        border[3:5] = 1
    ink = ink_from_crop((225 - 165 * dark).astype(np.uint8))
    assert np.abs(ink - writing).mean() < 0.01


def test_the_bar_of_a_t_stays_where_its_stem_does_not_touch() -> None:
    writing = np.zeros((64, 64), np.float32)
    writing[2:6, 4:60] = 1
    writing[8:62, 30:34] = 1
    ink = ink_from_crop((255 - 255 * writing).astype(np.uint8))
    assert np.abs(ink - writing).mean() < 0.01
