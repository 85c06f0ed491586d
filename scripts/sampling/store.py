"""Writing scans as the files scanners make, the same bytes every time, and the truth about them."""

import csv
import time
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from PIL import Image

_EPOCH = time.gmtime(0)


@dataclass(frozen=True)
class Truth:
    """A row of truth.csv: what stands in one field, with its box in px of the stored image."""

    document: str
    page: int
    field: str
    kind: str
    text: str
    left: int
    top: int
    right: int
    bottom: int
    note: str = ""


def save(path: Path, pages: Sequence[np.ndarray], dpi: float, jpeg_quality: int = 70) -> None:
    """Saves pages as the type the suffix says; pages of black and white only are packed as such."""
    images = [Image.fromarray(page) for page in pages]
    suffix = path.suffix.lower()
    if suffix in (".png", ".tif", ".tiff"):
        images = [image.convert("1") if _two_levels(image) else image for image in images]
    options: dict[str, object] = {"dpi": (dpi, dpi)}
    if suffix in (".jpg", ".jpeg"):
        options |= {"quality": jpeg_quality}
    elif suffix in (".tif", ".tiff"):
        bilevel = all(image.mode == "1" for image in images)
        options |= {
            "save_all": True,
            "append_images": images[1:],
            "compression": "group4" if bilevel else "tiff_deflate",
        }
    elif suffix == ".pdf":
        options = {"save_all": True, "append_images": images[1:], "resolution": dpi, "quality": jpeg_quality}
        options |= {"creationDate": _EPOCH, "modDate": _EPOCH}
    images[0].save(path, **options)


def write_truth(path: Path, rows: Iterable[Truth]) -> None:
    """Writes truth.csv."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in fields(Truth)])
        writer.writerows(astuple(row) for row in rows)


def _two_levels(image: Image.Image) -> bool:
    return image.mode == "L" and set(np.unique(np.asarray(image))) <= {0, 255}
