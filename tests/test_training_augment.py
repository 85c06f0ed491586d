import cv2
import numpy as np
import pytest

from hwtranscribe.training.augment import CANVAS_PX, SHAPES, Augmenter, _thicker, _thinner
from hwtranscribe.training.draw import draw_line, draw_rule_beside, draw_rule_under, draw_scribble, draw_specks
from hwtranscribe.training.garbage import GARBAGE_KINDS, draw_garbage, draw_garbage_of
from hwtranscribe.training.strokes import draw_shape
from hwtranscribe.training.wrong_cuts import draw_wrong_cut


def drawn(text: str, thickness: int = 2) -> np.ndarray:
    image = np.zeros((28, 28), np.uint8)
    cv2.putText(image, text, (5, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255,), thickness)
    return image


@pytest.fixture(scope="module")
def augmenter() -> Augmenter:
    return Augmenter(np.stack([drawn(c) for c in "AB358"]))


def test_characters_are_ink_maps_and_can_be_made_again(augmenter: Augmenter) -> None:
    for seed in range(60):
        one, again = (augmenter.character(drawn("R"), np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(one, again)
        assert one.dtype == np.float32
        assert one.min() >= 0
        assert one.max() > 0.1


def test_an_empty_image_stays_empty(augmenter: Augmenter) -> None:
    assert not augmenter.hand(np.zeros((28, 28), np.uint8), np.random.default_rng(0)).any()


def test_characters_stay_readable_by_their_shape(augmenter: Augmenter) -> None:
    """The hand moves ink about, it does not lose it."""
    rng = np.random.default_rng(0)
    areas = [augmenter.hand(drawn("O"), rng).sum() for _ in range(40)]
    assert min(areas) > 0.5 * np.median(areas)
    assert max(areas) < 2 * np.median(areas)


def test_thinner_keeps_the_middle_of_strokes_and_thicker_grows_them() -> None:
    mask = np.zeros((CANVAS_PX, CANVAS_PX), np.uint8)
    mask[10:46, 20:29] = 1
    thin, thick = _thinner(mask, 0.8), _thicker(mask, 2.0)
    assert thin.sum() < 0.6 * mask.sum()
    assert (thin[16:40, 24] > 0.4).all()
    assert thick.sum() > 1.2 * mask.sum()
    assert (thick[mask > 0] == 1).all()


@pytest.mark.parametrize("label", ["1", "7"])
def test_european_variants_add_a_stroke_to_some(augmenter: Augmenter, label: str) -> None:
    image = drawn(label)
    rng = np.random.default_rng(0)
    variants = [augmenter.variant(image, label, rng) for _ in range(100)]
    changed = [v for v in variants if (v != image).any()]
    assert 15 < len(changed) < 70
    assert sum((v >= image).all() for v in changed) > 3, "a stroke was added"


def test_other_characters_have_no_variants(augmenter: Augmenter) -> None:
    image = drawn("a")
    assert augmenter.variant(image, "a", np.random.default_rng(0)) is image


def test_drawn_shapes_are_images_like_those_of_the_data_set() -> None:
    for label in SHAPES:
        one, again, other = (draw_shape(SHAPES[label], np.random.default_rng(seed)) for seed in (3, 3, 4))
        np.testing.assert_array_equal(one, again)
        assert (one != other).any()
        rows, columns = (np.flatnonzero(one.max(axis=axis) > 90) for axis in (1, 0))
        longer = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
        assert 18 <= longer <= 25
        assert 0.03 < (one > 128).mean() < 0.4


def test_some_characters_give_way_to_drawn_ones(augmenter: Augmenter) -> None:
    rng = np.random.default_rng(0)
    image = drawn("4")
    replaced = sum((augmenter.variant(image, "4", rng) != image).any() for _ in range(200))
    assert 10 < replaced < 60


def test_wrong_cuts_are_no_bare_strokes(augmenter: Augmenter) -> None:
    drawings = [draw_wrong_cut(augmenter, np.random.default_rng(seed)) for seed in range(40)]
    found = [drawing for drawing in drawings if drawing is not None]
    assert len(found) > 25
    for ink in found:
        sides = cv2.minAreaRect(cv2.findNonZero((ink > 0.5).astype(np.uint8)))[1]
        assert min(sides) + 1 >= 0.44 * (max(sides) + 1)


def test_shares_of_the_kinds_of_garbage_are_of_one_whole() -> None:
    assert sum(share for share, _ in GARBAGE_KINDS.values()) == pytest.approx(1)


@pytest.mark.parametrize("kind", ["crossed out", "overwritten", "scribbled over"])
def test_what_is_crossed_out_holds_more_ink_than_a_character(augmenter: Augmenter, kind: str) -> None:
    def ink_px(ink: np.ndarray) -> float:
        return float((ink > 0.5).mean())

    characters = [augmenter.character(drawn("8"), np.random.default_rng(seed)) for seed in range(60)]
    garbage = [draw_garbage_of(kind, augmenter, np.random.default_rng(seed)) for seed in range(60)]
    assert np.median([ink_px(ink) for ink in garbage]) > 1.2 * np.median([ink_px(ink) for ink in characters])


def test_garbage_has_ink_and_can_be_made_again(augmenter: Augmenter) -> None:
    peaks = []
    for seed in range(80):
        one, again = (draw_garbage(augmenter, np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(one, again)
        assert 0 <= one.min() <= one.max() <= 1
        peaks.append(one.max())
    assert np.mean(np.array(peaks) > 0.2) > 0.9, "only dust may be lost by the scanner"


def test_a_digit_may_stand_on_a_piece_of_rule() -> None:
    image = drawn("0")
    for seed in range(20):
        standing = draw_rule_under(image, np.random.default_rng(seed))
        changed = np.flatnonzero((standing != image).any(axis=1))
        foot = np.flatnonzero(image.max(axis=1) > 90)[-1]
        assert (standing >= image).all()
        assert abs(changed - foot).max() <= 4
    assert draw_rule_under(np.zeros_like(image), np.random.default_rng(0)).max() == 0


def test_rules_keep_clear_of_the_writing() -> None:
    rng = np.random.default_rng(0)
    drew = 0
    for _ in range(60):
        ink = np.zeros((CANVAS_PX, CANVAS_PX), np.float32)
        ink[12:44, 14:42] = 1
        before = ink.copy()
        draw_rule_beside(ink, rng)
        drew += int((ink != before).any())
        assert (ink[12:44, 14:42] == before[12:44, 14:42]).all()
    assert drew > 30


def test_marks_are_drawn_in_place() -> None:
    rng = np.random.default_rng(0)
    for near_border in (True, False):
        ink = np.zeros((40, 30), np.float32)
        draw_line(ink, rng, near_border=near_border)
        assert 0 < ink.sum() < 0.5 * ink.size
    ink = np.zeros((40, 30), np.float32)
    draw_specks(ink, rng, count=3)
    assert ink.any()
    draw_scribble(ink, rng, strokes=5, thickness=2)
    assert ink.sum() > 20
