from pathlib import Path

import cv2
import numpy as np
import pytest

from hwtranscribe.errors import DependencyError, UsageError
from hwtranscribe.model import LABELS
from hwtranscribe.training.data import (
    Characters,
    load_cased_letters,
    load_crops,
    load_digits,
    load_letters,
    load_mat,
    split_share,
    split_validation,
)

TFDS = Path(__file__).parents[2] / "shared" / "tfds"
needs_tfds = pytest.mark.skipif(not TFDS.is_dir(), reason="no ../shared/tfds: the data sets can't be loaded")


def numbered(classes: list[int]) -> Characters:
    labels = np.array(classes, np.int32)
    images = np.zeros((len(classes), 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(len(classes))
    return Characters(images, labels, labels)


@needs_tfds
def test_letters_stand_upright_and_know_their_case() -> None:
    cased = load_cased_letters(TFDS, "test")
    assert len(cased) == 6292
    assert cased.classes.min() >= 10
    # A capital T has its bar at the top and its stem in the middle: transposed, it would not.
    letter_t = cased.images[cased.classes == LABELS.index("T")].mean(axis=0)
    assert letter_t[4:9].mean() > 2 * letter_t[19:24].mean()
    assert letter_t[14:24, 11:17].mean() > 2 * letter_t[14:24, 20:26].mean()


@needs_tfds
def test_test_letters_keep_both_cases_and_end_at_s() -> None:
    letters = load_letters(TFDS, "test")
    assert len(letters) == 14_800
    assert (letters.other_case - letters.classes == 26).all()
    assert {LABELS[c] for c in letters.classes} == set("ABCDEFGHIJKLMNOPQRS")


def test_wrong_data_dir_is_named(tmp_path: Path) -> None:
    """Without TensorFlow it can't be downloaded; with it but without internet neither."""
    with pytest.raises((UsageError, DependencyError), match=r"nowhere.*mnist.*--data-dir"):
        load_digits(tmp_path / "nowhere", "train")


def test_validation_is_stratified_over_symbols_with_case_folded() -> None:
    characters = numbered([10, 36, 10, 36, 11, 11, 11, 37] * 5)
    train, validation = split_validation(characters, 6)
    assert np.bincount(validation.symbols)[[10, 11]].tolist() == [6, 6]
    assert len(train) + len(validation) == 40
    assert not set(train.images[:, 0, 0]) & set(validation.images[:, 0, 0])
    again = split_validation(characters, 6)[1]
    np.testing.assert_array_equal(validation.images, again.images)


def test_held_out_share_leaves_small_classes_whole() -> None:
    train, held_out = split_share(numbered([1] * 10 + [2] * 4), 0.2)
    assert held_out.classes.tolist() == [1, 1]
    assert len(train) == 12


def test_case_unknown_counts_as_the_capital() -> None:
    assert numbered([0, 9, 10, 35, 36, 61]).symbols.tolist() == [0, 9, 10, 35, 10, 35]


def test_crops_are_read_from_folders_named_by_label(tmp_path: Path) -> None:
    for label in ("7", "a"):
        (tmp_path / label).mkdir()
        crop = np.full((50, 40), 230, np.uint8)
        crop[10:40, 15:22] = 30
        cv2.imwrite(str(tmp_path / label / "one.png"), crop)
    characters = load_crops(tmp_path)
    assert [LABELS[c] for c in characters.classes] == ["7", "a"]
    assert characters.images[0].max() == 255
    (tmp_path / "ab").mkdir()
    cv2.imwrite(str(tmp_path / "ab" / "one.png"), crop)
    with pytest.raises(UsageError, match="'ab'"):
        load_crops(tmp_path)


def test_wrong_crops_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        load_crops(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"holds no LABEL/\*\.png"):
        load_crops(tmp_path)
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "bad.png").write_bytes(b"no picture")
    with pytest.raises(UsageError, match=r"bad\.png"):
        load_crops(tmp_path)


def test_mat_file_is_split_as_mnist_is(tmp_path: Path) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    labels = np.repeat(np.arange(10.0), 1100)
    data = np.zeros((784, len(labels)), np.uint8)
    data[0] = labels
    scipy_io.savemat(tmp_path / "mnist-original.mat", {"data": data, "label": labels[None]})
    train, test = (load_mat(tmp_path / "mnist-original.mat", split) for split in ("train", "test"))
    assert (len(train), len(test)) == (1000, 10_000)
    np.testing.assert_array_equal(test.images[:, 0, 0], test.classes)
    scipy_io.savemat(tmp_path / "other.mat", {"data": data[:5], "label": labels[None]})
    with pytest.raises(UsageError, match=r"other\.mat.*784"):
        load_mat(tmp_path / "other.mat", "train")
    with pytest.raises(UsageError, match=r"missing\.mat"):
        load_mat(tmp_path / "missing.mat", "train")
