import os
import struct

import numpy as np
import pytest
from conftest import dark_area
from PIL import Image, ImageDraw, TiffImagePlugin
from rendering import BAR, read, read_page, refusal

from hwtranscribe.render import page_count, render_pages
from hwtranscribe.render.grey import grey_from_rgb
from hwtranscribe.types import Page, PageError, ReadOptions


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp", "webp", "gif"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_every_image_format_and_mode(tmp_path, drawing, suffix, mode):
    if (suffix, mode) == ("jpg", "P"):
        pytest.skip("JPEG has no palettes")
    path = tmp_path / f"scan.{suffix}"
    drawing.convert(mode).save(path)
    page = read_page(path)
    assert (page.document, page.number, page.pixels.dtype) == ("scan", 1, np.uint8)
    assert page.pixels.shape == (200, 400)
    assert np.abs(np.subtract(dark_area(page.pixels), BAR)).max() <= 1
    assert page.pixels[100, 200] >= 250 and page.pixels[40, 80] <= 5


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk(tmp_path, drawing, suffix):
    drawing.convert("RGB").convert("CMYK").save(tmp_path / f"scan.{suffix}")
    assert np.abs(np.subtract(dark_area(read_page(tmp_path / f"scan.{suffix}").pixels), BAR)).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_lies_over_white(tmp_path, drawing, mode):
    rgba = Image.new("RGBA", (400, 200), (0, 0, 0, 0))
    ImageDraw.Draw(rgba).rectangle((40, 20, 119, 59), fill=(0, 0, 0, 255))
    image = rgba.convert("P") if mode == "PA" else rgba.convert(mode)
    image.save(tmp_path / "scan.png")
    page = read_page(tmp_path / "scan.png")
    assert dark_area(page.pixels) == BAR and page.pixels[0, 0] == 255


@pytest.mark.parametrize("white", [1023, 4095, 65535])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_deep_grey_is_scaled_to_its_own_white(tmp_path, drawing, white, suffix):
    deep = (np.asarray(drawing) / 255 * white).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / f"scan.{suffix}")
    page = read_page(tmp_path / f"scan.{suffix}")
    assert dark_area(page.pixels) == BAR and page.pixels[0, 0] == 255


def test_float_tiff(tmp_path, drawing):
    Image.fromarray((np.asarray(drawing) / 255).astype(np.float32)).save(tmp_path / "scan.tif")
    assert dark_area(read_page(tmp_path / "scan.tif").pixels) == BAR


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_exif_orientation(tmp_path, drawing, orientation, suffix):
    undo = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    stored = drawing
    for step in undo[orientation]:
        stored = stored.transpose(step)
    exif = Image.Exif()
    exif[274] = orientation
    stored.save(tmp_path / f"scan.{suffix}", exif=exif, dpi=(200, 200))
    page = read_page(tmp_path / f"scan.{suffix}")
    assert page.pixels.shape == (200, 400)
    assert np.abs(np.subtract(dark_area(page.pixels), BAR)).max() <= 1
    assert page.dpi == pytest.approx(200, abs=0.1)


def test_dpi_only_where_the_file_says(tmp_path, drawing):
    drawing.save(tmp_path / "with.jpg", dpi=(300, 300))
    drawing.save(tmp_path / "without.png")
    drawing.save(tmp_path / "absurd.jpg", dpi=(1, 1))
    assert read_page(tmp_path / "with.jpg").dpi == 300
    assert read_page(tmp_path / "without.png").dpi is None
    assert read_page(tmp_path / "absurd.jpg").dpi is None


def test_fax_resolution_gets_square_pixels(tmp_path, drawing):
    drawing.resize((400, 100)).convert("1").save(tmp_path / "fax.tif", dpi=(204, 98), compression="group4")
    page = read_page(tmp_path / "fax.tif")
    assert page.dpi == 204 and page.pixels.shape == (208, 400)


def test_multi_page_tiff(tmp_path, drawing):
    other = Image.new("L", (300, 500), 255)
    path = tmp_path / "stack.tif"
    drawing.save(path, save_all=True, append_images=[other, drawing.convert("RGB")])
    assert page_count(path, ReadOptions()) == 3
    pages = read(path)
    assert [page.number for page in pages] == [1, 2, 3]
    assert [page.pixels.shape for page in pages] == [(200, 400), (500, 300), (200, 400)]
    (last,) = render_pages(path, "scan", ReadOptions(), range(3, 4))
    assert last.number == 3 and dark_area(last.pixels) == BAR


def test_of_an_animation_the_first_picture(tmp_path, drawing):
    drawing.save(tmp_path / "moving.gif", save_all=True, append_images=[Image.new("L", (400, 200), 0)])
    assert dark_area(read_page(tmp_path / "moving.gif").pixels) == BAR


def test_a_damaged_page_does_not_cost_the_others(tmp_path, drawing):
    path = tmp_path / "stack.tif"
    drawing.save(path, save_all=True, append_images=[drawing, drawing], compression="tiff_lzw")
    with TiffImagePlugin.TiffImageFile(path) as image:
        image.seek(1)
        offset, length = image.tag_v2[273][0], image.tag_v2[279][0]
    data = bytearray(path.read_bytes())
    data[offset : offset + length] = b"\xff" * length
    path.write_bytes(data)
    first, second, third = read(path)
    assert isinstance(first, Page) and isinstance(third, Page)
    assert isinstance(second, PageError) and (second.page, second.error) == (2, "corrupt")


@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ((200, 40, 40), (255, 255, 255)),
        ((60, 110, 220), (255, 255, 255)),
        ((40, 60, 160), (255, 240, 150)),
        ((40, 60, 160), (255, 205, 205)),
        ((30, 30, 30), (190, 230, 190)),
    ],
)
def test_coloured_ink_on_tinted_paper_keeps_contrast(ink, paper):
    rgb = np.empty((64, 64, 3), np.uint8)
    rgb[:] = paper
    rgb[20:40, 20:40] = ink
    grey = grey_from_rgb(rgb).astype(int)
    assert grey[0, 0] >= 215
    assert grey[0, 0] - grey[30, 30] >= 140


def test_refusals(tmp_path, drawing, pdf):
    drawing.save(tmp_path / "scan.png")
    whole = (tmp_path / "scan.png").read_bytes()
    (tmp_path / "empty.pdf").touch()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "note.txt").write_text("no picture")
    (tmp_path / "note.pdf").write_text("no picture")
    (tmp_path / "header.pdf").write_bytes(b"%PDF-1.7\n")
    (tmp_path / "damaged.pdf").write_bytes(b"%PDF-1.7\nnonsense\n%%EOF\n")
    os.mkfifo(tmp_path / "pipe.pdf")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert refusal(tmp_path / "missing.png") == "not_found"
    assert refusal(tmp_path) == "not_a_file"
    assert refusal(tmp_path / "pipe.pdf") == "not_a_file"
    assert refusal(tmp_path / "loop.png") == "unreadable"
    assert refusal(tmp_path / "empty.pdf") == "empty_file"
    assert refusal(tmp_path / "half.png") == "truncated"
    assert refusal(tmp_path / "note.txt") == "unsupported_type"
    assert refusal(tmp_path / "note.pdf") == "corrupt"
    assert refusal(tmp_path / "header.pdf") == "truncated"
    assert refusal(tmp_path / "damaged.pdf") == "corrupt"
    assert refusal(tmp_path / "scan.png", max_pixels=1000) == "too_large"
    assert refusal(pdf(3), max_pages=2) == "too_many_pages"


def test_tiff_without_pages(tmp_path):
    (tmp_path / "none.tif").write_bytes(b"II*\0\0\0\0\0")
    assert refusal(tmp_path / "none.tif") in ("no_pages", "corrupt", "truncated")


def test_unreadable_file(tmp_path, drawing):
    drawing.save(tmp_path / "locked.png")
    (tmp_path / "locked.png").chmod(0)
    if os.access(tmp_path / "locked.png", os.R_OK):
        pytest.skip("this user may read everything")
    assert refusal(tmp_path / "locked.png") == "unreadable"


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(bomb)
    assert refusal(tmp_path / "bomb.png") == "too_large"


def test_a_type_is_told_by_content(tmp_path, drawing):
    drawing.save(tmp_path / "scan.png")
    (tmp_path / "scan.png").rename(tmp_path / "scan.pdf")
    assert dark_area(read_page(tmp_path / "scan.pdf").pixels) == BAR


def test_one_pixel_gets_paper_around_it(tmp_path):
    Image.new("L", (1, 1), 0).save(tmp_path / "dot.png")
    page = read_page(tmp_path / "dot.png")
    assert page.pixels.shape == (8, 8) and dark_area(page.pixels) == (0, 0, 1, 1)
    Image.new("L", (20_000, 3), 0).save(tmp_path / "strip.png")
    page = read_page(tmp_path / "strip.png")
    assert page.pixels.shape == (50, 20_000) and dark_area(page.pixels) == (0, 0, 20_000, 3)


@pytest.mark.parametrize("marker", [(255, 240, 60), (255, 120, 190), (120, 240, 120), (90, 190, 240)])
def test_a_highlighter_is_paper_and_a_pen_on_it_is_dark(marker):
    page = np.full((1200, 900, 3), 250, np.uint8)
    page[300:340, 100:700] = marker
    for x in range(120, 680, 20):
        page[305:335, x : x + 5] = (30, 30, 40)
        page[605:635, x : x + 5] = marker
    grey = grey_from_rgb(page)
    assert grey[310:330, 100:118].min() >= 230 and grey[310:330, 130:138].min() >= 230
    assert grey[310:330, 121:124].max() <= 60
    # Strokes of a pen in that colour are no highlighter's.
    assert grey[610:630, 121:124].max() <= 200
