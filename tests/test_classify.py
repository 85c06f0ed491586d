import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from hwtranscribe.class_scores import symbol_log_probs
from hwtranscribe.classify import BATCH_SIZE, Classifier, averaged, doubtful_ones, turned_views
from hwtranscribe.errors import CheckpointError
from hwtranscribe.glyph import normalize_inks
from hwtranscribe.model import LABELS

CHARS = Path(__file__).parents[2] / "shared" / "real" / "chars"


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def test_no_glyphs_give_no_scores(classifier: Classifier) -> None:
    scores = classifier.score(np.zeros((0, 28, 28, 1), np.float32))
    assert scores.log_probs.shape == (0, 63)
    assert symbol_log_probs(scores.log_probs, "letters")[1].shape == (0, 27)
    assert classifier.read_crops([], "digits") == ([], pytest.approx([]))


def test_scores_do_not_depend_on_the_rest_of_the_batch(classifier: Classifier) -> None:
    glyphs = np.random.default_rng(0).random((2 * BATCH_SIZE + 5, 28, 28, 1), dtype=np.float32)
    together = classifier.score(glyphs).log_probs
    rows = [0, BATCH_SIZE + 6, 2 * BATCH_SIZE + 4]
    alone = np.concatenate([classifier.score(glyphs[row : row + 1]).log_probs for row in rows])
    np.testing.assert_array_equal(together[rows], alone)
    np.testing.assert_allclose(np.exp(together).sum(axis=1), 1, rtol=1e-4)


def test_glyphs_without_ink_are_no_character_among_others(classifier: Classifier) -> None:
    glyphs = np.random.default_rng(0).random((3, 28, 28, 1), dtype=np.float32)
    glyphs[1] = 0
    scores = classifier.score(glyphs).log_probs
    assert scores[1, -1] == 0
    assert (scores[1, :-1] < -1000).all()
    np.testing.assert_array_equal(scores[[0, 2]], classifier.score(glyphs[[0, 2]]).log_probs)


def test_paper_without_ink_is_no_character(classifier: Classifier) -> None:
    labels, probabilities = classifier.read_crops([np.full((30, 20), 240, np.uint8)], "letters")
    assert labels == [""]
    assert probabilities[0] == 0


def test_a_drawn_character_is_read_at_any_size(classifier: Classifier) -> None:
    crops = []
    for size in (20, 48, 130):
        crop = np.full((size, size), 235, np.uint8)
        bar = max(2, size // 10)
        crop[size // 8 : -size // 8, size // 2 : size // 2 + bar] = 40
        crop[size // 8 : size // 8 + bar, size // 8 : -size // 8] = 40
        crops.append(crop)
    labels, probabilities = classifier.read_crops(crops, "letters", "upper")
    assert labels == ["T", "T", "T"]
    assert probabilities.min() > 0.5


def test_doubtful_characters_are_seen_from_more_sides_and_nothing_is_no_character(classifier: Classifier) -> None:
    cross, bar = np.zeros((2, 60, 50), np.float32)
    for left in (8, 41):
        cv2.line(cross, (left, 5), (left, 54), 1.0, 5)
    cv2.line(cross, (8, 32), (41, 32), 1.0, 5)
    cv2.line(bar, (25, 5), (25, 54), 1.0, 5)
    inks = [np.zeros((1, 1), np.float32), cross, bar]
    once, pieces = classifier.score_inks(inks), np.zeros(3, bool)
    assert doubtful_ones(once, pieces).tolist() == []
    doubtful = doubtful_ones(once, ~pieces)
    assert doubtful.tolist() == [2]
    scores = averaged(once, doubtful, classifier.score_inks(turned_views([inks[at] for at in doubtful])))
    assert np.exp(scores[0]).tolist() == [0.0] * (len(LABELS) - 1) + [1.0]
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1, rtol=1e-4)
    assert (scores != once).any(axis=1)[1:].tolist() == [False, True]


def test_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nowhere"):
        Classifier.load(tmp_path / "nowhere")


@pytest.mark.skipif(not CHARS.is_dir(), reason="no ../shared/real/chars: real characters can't be read")
@pytest.mark.parametrize(
    ("name", "kind", "case", "floor"),
    [
        ("letters_2831", "letters", "upper", 0.955),
        ("letters_2831", "letters", "any", 0.955),
        ("letters_1516_binary", "letters", "upper", 0.965),
        ("letters_1516_binary", "letters", "any", 0.965),
        ("digits_10000", "digits", "any", 0.999),
    ],
)
def test_real_characters_of_other_sources(
    classifier: Classifier, name: str, kind: str, case: str, floor: float
) -> None:
    data = np.load(CHARS / f"{name}.npz")
    labels, _ = classifier.read_crops([255 - image for image in data["images"]], kind, case)
    assert (np.array(labels) == data["labels"]).mean() >= floor


def test_garbage_is_told_from_characters(classifier: Classifier) -> None:
    scribble = np.zeros((40, 60), np.float32)
    rng = np.random.default_rng(3)
    for row, shift in zip(range(4, 36, 4), rng.integers(0, 8, 8), strict=True):
        scribble[row : row + 2, 4 + shift : 50 + shift] = 1
    scores = classifier.score(normalize_inks([scribble]))
    assert scores.labels[int(scores.log_probs.argmax())] == ""


def test_compiled_programs_are_kept(tmp_path: Path) -> None:
    code = (
        "from hwtranscribe.classify import Classifier; import numpy as np;"
        "Classifier.load().score(np.zeros((1, 28, 28, 1), np.float32))"
    )
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    assert list((tmp_path / "hwtranscribe" / "xla").iterdir())
