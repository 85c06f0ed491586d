"""Lines composed of training characters, and a short run that learns from them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import jax
import numpy as np
import pytest
from test_training import compiled_once, drawn_characters  # noqa: F401 - a fixture

from hwtranscribe.checkpoint import load_checkpoint, save_checkpoint
from hwtranscribe.errors import UsageError
from hwtranscribe.model import LABELS, GlyphNet, LineNet, NetworkSpec
from hwtranscribe.strip import STRIP_HEIGHT_PX
from hwtranscribe.training import commands, lesson, line_batches, train
from hwtranscribe.training.compose import LineComposer
from hwtranscribe.training.draw import draw_mark
from hwtranscribe.training.fine_tune import load_start
from hwtranscribe.training.flourish import ACCENTS, joined_zeros, with_accent
from hwtranscribe.training.fonts import FONT_SHARE
from hwtranscribe.training.hands import MAX_LENGTH
from hwtranscribe.training.lesson import best_path_text, line_loss
from hwtranscribe.training.line_batches import WIDTHS_PX, LineBatchMaker
from hwtranscribe.training.recipes import make_recipe
from hwtranscribe.training.resume import save_state

TINY = replace(
    make_recipe("linenet", epochs=2, samples_per_epoch=48, seed=3),
    network_options={"features": [4, 4, 8], "hidden": 8, "dropout_rate": 0.0},
)


def test_composed_lines_follow_the_generator_and_hold_what_they_say():
    composer = LineComposer(drawn_characters(2), seed=1)
    for seed in range(30):
        one, again = (composer.compose(272, np.random.default_rng(seed)) for _ in range(2))
        assert one.text == again.text and 1 <= len(one.text) <= MAX_LENGTH and set(one.text) <= set(LABELS)
        np.testing.assert_array_equal(one.strip, again.strip)
        assert one.strip.shape[0] == STRIP_HEIGHT_PX and one.strip.shape[1] <= 272
        assert one.strip.min() >= 0 and one.strip.max() <= 1 and one.strip.any()


def test_a_character_of_unknown_case_is_not_composed():
    characters = drawn_characters(2)
    unknown = characters.classes >= 10
    characters = replace(characters, other_case=np.where(unknown, characters.classes + 26, characters.classes))
    composer = LineComposer(characters, seed=1)
    rng = np.random.default_rng(0)
    assert all(composer.compose(272, rng).text.isdigit() for _ in range(10))


@pytest.mark.parametrize("name", [".", ",", ":", "-", "=", "/"])
def test_marks_have_ink_and_stay_on_the_canvas(name: str):
    rng = np.random.default_rng(0)
    for _ in range(50):
        ink, lift = draw_mark(name, 3, rng)
        assert ink.max() == 1.0 and max(ink.shape) < 64 and -0.5 < lift < 0.8


@pytest.mark.parametrize("accent", sorted(set("".join(ACCENTS.values()))))
def test_an_accent_is_set_beside_the_character_which_stays(accent: str):
    rng, letter = np.random.default_rng(0), np.zeros((36, 24), np.float32)
    letter[4:32, 10:14] = 1
    for _ in range(30):
        ink, below_px = with_accent(letter, accent, 3, rng)
        assert ink.sum() > letter.sum() + 3 and ink.max() == 1.0
        column = ink[:, ink.shape[1] // 2 - 2 : ink.shape[1] // 2 + 2]
        assert column.min(axis=1).sum() >= 28 and (below_px > 0) == (accent == "¸")


def test_joined_zeros_are_one_stroke_that_grows_with_their_number():
    for seed in range(30):
        widths = []
        for count in (2, 3, 4):
            ink = joined_zeros(count, 30.0, 3, np.random.default_rng(seed))
            assert cv2.connectedComponents((ink > 0.5).astype(np.uint8))[0] == 2 and not ink[0].any()
            widths.append(ink.shape[1])
        assert widths[0] < widths[2]


def test_some_characters_of_lines_are_those_of_fonts():
    characters, grey = drawn_characters(2), 200
    fonts = replace(characters, images=np.where(characters.images > 0, np.uint8(grey), np.uint8(0)))
    composer = LineComposer(characters, seed=1, fonts=fonts)
    seen: list[int] = []
    variant = composer._augmenter.variant

    def watch(image: Any, label: str, rng: np.random.Generator) -> Any:
        seen.append(int(image.max()))
        return variant(image, label, rng)

    composer._augmenter.variant = watch  # type: ignore[method-assign]
    rng = np.random.default_rng(0)
    for _ in range(60):
        composer.compose(272, rng)
    assert 0.5 * FONT_SHARE < np.mean(np.array(seen) == grey) < 1.5 * FONT_SHARE


def test_line_batches_depend_on_seed_epoch_and_number_only():
    characters = drawn_characters(2)
    first, again, other = (list(LineBatchMaker(characters, 4, 24, seed).batches(1)) for seed in (1, 1, 2))
    assert [batch.strips.shape for batch in first] == [(4, STRIP_HEIGHT_PX, width, 1) for width in (*WIDTHS_PX,) * 2]
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.strips, two.strips)
        np.testing.assert_array_equal(one.classes, two.classes)
    assert not np.array_equal(first[0].strips, other[0].strips)
    for batch in first:
        assert (batch.lengths >= 1).all()
        for strip, columns in zip(batch.strips, batch.columns, strict=True):
            assert not strip[:, columns * 4 :].any()


def test_the_loss_is_that_of_the_text_and_ignores_what_lies_beyond():
    certain = np.full((1, 4, len(LABELS)), -20.0, np.float32)
    for column, label in enumerate(["1", "", "2", "3"]):
        certain[0, column, LABELS.index(label)] = 20.0
    classes = np.array([[1, 2, 0, 0]], np.int32)
    assert line_loss(certain, np.array([3]), classes, np.array([2])) == pytest.approx(0, abs=1e-3)
    assert line_loss(certain, np.array([4]), classes, np.array([2])) > 10
    assert best_path_text(certain[0].argmax(axis=1)) == "123"
    assert best_path_text(np.array([1, 1, 62, 1, 62, 62, 10])) == "11A"


def test_an_interrupted_run_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lesson, "_EVAL_LINES", 48)
    monkeypatch.setattr(line_batches, "WIDTHS_PX", WIDTHS_PX[-1:])
    taught = lesson.line_lesson(TINY, drawn_characters(3), drawn_characters(1))

    def run(folder: Path) -> list[np.ndarray]:
        folder.mkdir(exist_ok=True)
        trained = train.run_training(TINY, taught, folder, {"data": "drawn"})
        assert [row["epoch"] for row in trained.log] == [1, 2]
        assert trained.temperature == 1.0 and 0 <= trained.log[-1]["val"] <= 1
        return jax.tree.leaves(trained.variables)

    def save_and_stop(*arguments: Any) -> None:
        save_state(*arguments)
        raise KeyboardInterrupt

    whole = run(tmp_path / "whole")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(train, "save_state", save_and_stop)
        run(tmp_path / "parts")
    for one, two in zip(whole, run(tmp_path / "parts"), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_run_may_begin_with_a_network_for_glyphs(tmp_path: Path):
    options = {"features": [4, 4, 8], "hidden": 8}
    glyphs = GlyphNet(63, (4, 4, 8), hidden=8)
    rng = np.random.default_rng(0)
    image = rng.random((1, 28, 28, 1), np.float32)
    variables = jax.tree.map(np.asarray, jax.jit(glyphs.init)(jax.random.key(0), image))
    save_checkpoint(tmp_path / "glyphs", NetworkSpec("glyphnet", 63, options), variables, LABELS, 1.0, {})
    start = load_start(tmp_path / "glyphs", TINY)
    moved = LineNet(63, (4, 4, 8), hidden=8)
    strip = np.zeros((1, STRIP_HEIGHT_PX, 64, 1), np.float32)
    strip[:, 2:30, 18:46] = image
    assert moved.apply(start.variables, strip).shape == (1, 16, 63)
    for number in range(5):
        np.testing.assert_array_equal(
            start.variables["params"][f"Conv_{number}"]["kernel"],
            load_checkpoint(tmp_path / "glyphs").variables["params"][f"Conv_{number}"]["kernel"],
        )
    # A weight of the dense layer is shared by two rows.
    dense = np.asarray(start.variables["params"]["_Along_0"]["kernel"])
    kept = load_checkpoint(tmp_path / "glyphs").variables["params"]["Dense_0"]["kernel"]
    assert dense.sum() == pytest.approx(float(kept.sum()), abs=1e-2)


def test_lines_are_not_tuned_on_crops(tmp_path: Path):
    with pytest.raises(UsageError, match="--crops"):
        commands.train(out=tmp_path, preset="linenet", crops=tmp_path, from_checkpoint=tmp_path)
