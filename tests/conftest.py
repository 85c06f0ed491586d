"""Fixtures that draw their own documents; array shapes and types are checked while tests run."""

import io
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from jaxtyping import install_import_hook
from PIL import Image, ImageDraw

install_import_hook(["hwtranscribe.types", "hwtranscribe.render"], "beartype.beartype")

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture
def shared() -> Path:
    """The folder of real scans and data sets, which a user's clone has not."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} does not exist")
    return SHARED


@pytest.fixture
def drawing() -> Image.Image:
    """A grey page, 400 x 200 px, white with a black bar at (40, 20, 120, 60)."""
    image = Image.new("L", (400, 200), 255)
    ImageDraw.Draw(image).rectangle((40, 20, 119, 59), fill=0)
    return image


@pytest.fixture
def pdf(tmp_path: Path):
    """A function that draws a PDF with so many pages, none of them just a scan; page n has n black squares."""

    def draw(count: int = 1, name: str = "scan.pdf", size: tuple[int, int] = (400, 200)) -> Path:
        pages = []
        for number in range(1, count + 1):
            image = Image.new("L", size, 255)
            for i in range(min(number, 9)):
                ImageDraw.Draw(image).rectangle((10 + 40 * i, 20, 29 + 40 * i, 39), fill=0)
            pages.append(image)
        path = tmp_path / name
        pages[0].save(path, "PDF", save_all=True, append_images=pages[1:], resolution=100)
        document = pypdfium2.PdfDocument(path)
        for page in document:
            spot = pypdfium2.PdfImage.new(document)
            spot.set_bitmap(pypdfium2.PdfBitmap.from_pil(Image.new("L", (8, 8), 255)))
            spot.set_matrix(pypdfium2.PdfMatrix(4, 0, 0, 4, 0, 0))
            page.insert_obj(spot)
            page.gen_content()
        content = io.BytesIO()
        document.save(content)
        document.close()
        path.write_bytes(content.getvalue())
        return path

    return draw


def dark_area(pixels: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of everything darker than 128."""
    rows, columns = np.nonzero(pixels < 128)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
