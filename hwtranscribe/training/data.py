"""Labelled characters from TensorFlow Datasets, as upright white-ink images with case-aware class indices.

Three traps are handled here: EMNIST is stored transposed; its letter labels run 1..26; the TFDS letters test split is
sorted by class and cut, so it holds no T-Z, and validation is therefore held out of train, stratified.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Int32, UInt8

from hwtranscribe.crop import ink_from_crop
from hwtranscribe.errors import DependencyError, UsageError
from hwtranscribe.glyph import normalize_inks
from hwtranscribe.model import DIGITS, LABELS, UPPER

VALIDATION_PER_DIGIT = 300
VALIDATION_PER_LETTER = 150
SOURCE_SIZE_PX = 28

_MAT_TEST_COUNT = 10_000
_UPPER_AT = len(DIGITS)
_LOWER_AT = len(DIGITS) + len(UPPER)


@dataclass(frozen=True, slots=True, eq=False)
class Characters:
    """Labelled images.

    Attributes:
        images: Upright, white ink on black.
        classes: Index into `LABELS`; of the capital where the case is not known.
        other_case: Equal to `classes` where the class is certain; the small letter where the case is not known.
    """

    images: UInt8[np.ndarray, "n 28 28"]
    classes: Int32[np.ndarray, " n"]
    other_case: Int32[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.classes)

    def take(self, rows: np.ndarray) -> "Characters":
        """Return some of the rows."""
        return Characters(self.images[rows], self.classes[rows], self.other_case[rows])

    @property
    def symbols(self) -> Int32[np.ndarray, " n"]:
        """Index into the 36 digits and capitals, case folded."""
        return np.where(self.classes >= _LOWER_AT, self.classes - len(UPPER), self.classes).astype(np.int32)

    def glyphs(self) -> np.ndarray:
        """Return the images as the network sees them, `Float32["n 28 28 1"]`."""
        return normalize_inks(list(self.images.astype(np.float32) / 255))


def concatenate(parts: list[Characters]) -> Characters:
    """Join sets, in order."""
    return Characters(
        np.concatenate([p.images for p in parts]),
        np.concatenate([p.classes for p in parts]),
        np.concatenate([p.other_case for p in parts]),
    )


def load_digits(data_dir: Path, split: str) -> Characters:
    """Load MNIST, `train` or `test`."""
    images, labels = _load_tfds("mnist", split, data_dir)
    return Characters(images, labels, labels)


def load_letters(data_dir: Path, split: str) -> Characters:
    """Load EMNIST letters; images that also lie in byclass train get their case from there.

    Args:
        data_dir: Folder that holds `emnist/letters` and `emnist/byclass`.
        split: `train` or `test`; test letters keep both cases.
    """
    images, labels = _load_tfds("emnist/letters", split, data_dir)
    images = images.transpose(0, 2, 1)
    classes = (labels - 1 + _UPPER_AT).astype(np.int32)
    other_case = (labels - 1 + _LOWER_AT).astype(np.int32)
    if split == "train":
        known = load_cased_letters(data_dir, "train")
        case_of = {image.tobytes(): c for image, c in zip(known.images, known.classes, strict=True)}
        for row, image in enumerate(images):
            found = case_of.get(image.tobytes())
            if found is not None and found in (classes[row], other_case[row]):
                classes[row] = other_case[row] = found
    return Characters(np.ascontiguousarray(images), classes, other_case)


def load_cased_letters(data_dir: Path, split: str) -> Characters:
    """Load the letters of EMNIST byclass, whose case is known; its digits are left out.

    EMNIST's digits may be MNIST test images in another crop, so a network scored on MNIST must not see them.
    """
    images, labels = _load_tfds("emnist/byclass", split, data_dir)
    rows = labels >= len(DIGITS)
    return Characters(np.ascontiguousarray(images[rows].transpose(0, 2, 1)), labels[rows], labels[rows])


def load_mat(path: Path, split: str) -> Characters:
    """Load `mnist-original.mat`: MATLAB v5, `data` 784 x 70,000 and `label` 1 x 70,000, the last 10,000 are test."""
    scipy_io = _import("scipy.io")
    try:
        content = scipy_io.loadmat(str(path))
        data, labels = np.asarray(content["data"]), np.asarray(content["label"]).ravel().astype(np.int32)
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file") from error
    except (KeyError, ValueError, NotImplementedError) as error:
        raise UsageError(f"{path}: not mnist-original.mat (MATLAB v5 with 'data' and 'label'): {error}") from error
    if data.shape[0] == SOURCE_SIZE_PX**2:
        data = data.T
    if data.shape != (len(labels), SOURCE_SIZE_PX**2) or not np.isin(labels, range(10)).all():
        raise UsageError(f"{path}: 'data' is {data.shape}, 'label' has {len(labels)}; expected 784 px per digit 0-9")
    images = data.reshape(-1, SOURCE_SIZE_PX, SOURCE_SIZE_PX).astype(np.uint8)
    rows = slice(None, -_MAT_TEST_COUNT) if split == "train" else slice(-_MAT_TEST_COUNT, None)
    return Characters(images[rows], labels[rows], labels[rows])


def load_crops(folder: Path) -> Characters:
    """Load a person's own labelled crops, `folder/LABEL/*.png`, dark ink on light paper.

    LABEL is one character; case counts. They become 28 x 28 white-ink images like the data sets.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; expected {folder}/LABEL/*.png with one character as LABEL")
    images, classes = [], []
    for path in sorted(folder.glob("*/*.png")):
        label = path.parent.name
        if label not in LABELS[:-1]:
            raise UsageError(f"{path.parent}: the folder's name must be one of 0-9, A-Z, a-z, not {label!r}")
        crop = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if crop is None:
            raise UsageError(f"{path}: not a readable PNG; delete it or save it again")
        images.append(np.round(normalize_inks([ink_from_crop(crop)])[0, :, :, 0] * 255).astype(np.uint8))
        classes.append(LABELS.index(label))
    if not images:
        raise UsageError(f"{folder}: holds no LABEL/*.png")
    labels = np.array(classes, np.int32)
    return Characters(np.stack(images), labels, labels)


def split_validation(characters: Characters, per_symbol: int, seed: int = 0) -> tuple[Characters, Characters]:
    """Hold the same number of every symbol (case folded) out of a train set.

    Returns:
        What is left for training, and the held-out part.
    """
    order = np.random.default_rng(seed).permutation(len(characters))
    symbols = characters.symbols[order]
    held_out = np.concatenate([order[symbols == s][:per_symbol] for s in np.unique(symbols)])
    keep = np.ones(len(characters), bool)
    keep[held_out] = False
    return characters.take(np.flatnonzero(keep)), characters.take(np.sort(held_out))


def split_share(characters: Characters, share: float, seed: int = 0) -> tuple[Characters, Characters]:
    """Hold a share of every class out, rounded down; a class of a few stays whole.

    Returns:
        What is left for training, and the held-out part.
    """
    order = np.random.default_rng(seed).permutation(len(characters))
    classes = characters.classes[order]
    groups = [order[classes == c] for c in np.unique(classes)]
    held_out = np.concatenate([group[: int(len(group) * share)] for group in groups])
    return characters.take(np.setdiff1d(order, held_out)), characters.take(np.sort(held_out))


def _load_tfds(name: str, split: str, data_dir: Path) -> tuple[np.ndarray, Int32[np.ndarray, " n"]]:
    tfds = _import("tensorflow_datasets")
    try:
        builder = tfds.builder(name, data_dir=data_dir, file_format="array_record")
        if not builder.info.splits:
            _download(builder)
        source = builder.as_data_source(split=split, decoders={"image": tfds.decode.SkipDecoding()})
        records = source.__getitems__(list(range(len(source))))
    except DependencyError as error:
        raise DependencyError(
            f"{data_dir}: holds no prepared data set {name!r} (point --data-dir at one); to download it, {error}"
        ) from error
    except Exception as error:  # TFDS raises many types of its own; all mean that the data can't be had from here
        raise UsageError(
            f"{data_dir}: no data set {name!r}, split {split!r} could be read or downloaded there "
            f"({type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no detail'}); "
            "point --data-dir at a folder prepared by tensorflow-datasets, or at an empty one with internet access"
        ) from error
    images = np.stack([_decode(record["image"]) for record in records])
    return images, np.array([record["label"] for record in records], np.int32)


def _decode(image: Any) -> UInt8[np.ndarray, "28 28"]:
    if isinstance(image, bytes | np.bytes_):
        return np.asarray(cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_GRAYSCALE))
    return np.asarray(image)[:, :, 0]


def _download(builder: Any) -> None:
    _import("tensorflow", extra="download")
    builder.download_and_prepare()


def _import(module: str, extra: str = "train") -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DependencyError(
            f"{module} is needed ({error}); install it with: pip install 'hwtranscribe[{extra}]'"
        ) from error
