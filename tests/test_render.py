import os
import struct
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from conftest import dark_area
from PIL import Image, ImageDraw, TiffImagePlugin

from hwtranscribe.errors import DocumentError, UsageError
from hwtranscribe.render import page_count, render_pages
from hwtranscribe.render.grey import grey_from_rgb
from hwtranscribe.types import Page, PageError, ReadOptions

BAR = (40, 20, 120, 60)


def read(path: Path, **options) -> list[Page | PageError]:
    return list(render_pages(path, "scan", ReadOptions(**options)))


def read_page(path: Path, **options) -> Page:
    (page,) = read(path, **options)
    assert isinstance(page, Page)
    return page


def refusal(path: Path, **options) -> str:
    with pytest.raises(DocumentError) as caught:
        read(path, **options)
    assert caught.value.detail
    return caught.value.code


@pytest.fixture(params=["poppler", "pdfium"])
def renderer(request, monkeypatch):
    if request.param == "poppler":
        from hwtranscribe.render.pdf import pdf_renderer

        if pdf_renderer() != "poppler":
            pytest.skip("Poppler is not installed")
    monkeypatch.setenv("HWTRANSCRIBE_PDF", request.param)
    return request.param


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


def test_pdf_pages(pdf, renderer):
    path = pdf(3)
    assert page_count(path, ReadOptions()) == 3
    pages = read(path, dpi=200)
    assert [page.number for page in pages] == [1, 2, 3]
    assert all(page.dpi == 200 and page.pixels.shape == (400, 800) for page in pages)
    for number, page in enumerate(pages, 1):
        expected = (20, 40, 2 * (40 * number - 10), 80)
        assert np.abs(np.subtract(dark_area(page.pixels), expected)).max() <= 2


def test_pdf_page_range(pdf, renderer):
    pages = list(render_pages(pdf(4), "scan", ReadOptions(dpi=100), range(2, 4)))
    assert [page.number for page in pages] == [2, 3]


def test_both_renderers_agree(pdf, monkeypatch):
    drawn = []
    for name in ("poppler", "pdfium"):
        monkeypatch.setenv("HWTRANSCRIBE_PDF", name)
        drawn.append(read_page(pdf(), dpi=150).pixels)
    assert drawn[0].shape == drawn[1].shape
    assert np.abs(drawn[0].astype(int) - drawn[1]).mean() < 2


def test_pdf_name_that_looks_like_an_option(pdf, renderer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pdf(1, "-r.pdf")
    assert read_page(Path("-r.pdf"), dpi=100).pixels.shape == (200, 400)


@pytest.mark.parametrize(
    "name", [b"new\nline.pdf", b"not utf-8 \xff\xfe.pdf", "\U0001f58a '\".pdf".encode(), b"=1+1.pdf"]
)
def test_odd_pdf_names(pdf, renderer, tmp_path, name):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    pdf().rename(odd)
    assert read_page(odd, dpi=100).pixels.shape == (200, 400)


def test_a_page_of_a_point_per_pixel_is_drawn_smaller(pdf, renderer):
    path = pdf(1)
    document = pypdfium2.PdfDocument(path)
    page = document[0]
    page.set_mediabox(0, 0, 2480, 3508)
    page.set_cropbox(0, 0, 2480, 3508)
    large = path.with_name("large.pdf")
    document.save(large)
    document.close()
    page = read_page(large)
    assert 72 <= page.dpi < 300 and page.pixels.size <= 40_500_000


def test_huge_pdf_page_is_refused(pdf):
    path = pdf(1)
    document = pypdfium2.PdfDocument(path)
    document[0].set_mediabox(0, 0, 100_000, 100_000)
    huge = path.with_name("huge.pdf")
    document.save(huge)
    document.close()
    assert refusal(huge) == "too_large"


def encrypt(path: Path, password: bytes) -> Path:
    """Encrypt a PDF with the standard security handler, revision 2 (RC4, 40 bits): it needs no library."""
    import hashlib

    padding = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")

    def rc4(key: bytes, data: bytes) -> bytes:
        state, j, out = list(range(256)), 0, bytearray()
        for i in range(256):
            j = (j + state[i] + key[i % len(key)]) % 256
            state[i], state[j] = state[j], state[i]
        i = j = 0
        for byte in data:
            i = (i + 1) % 256
            j = (j + state[i]) % 256
            state[i], state[j] = state[j], state[i]
            out.append(byte ^ state[(state[i] + state[j]) % 256])
        return bytes(out)

    padded = (password + padding)[:32]
    owner = rc4(hashlib.md5(padded).digest()[:5], padded)
    identifier = b"0123456789abcdef"
    key = hashlib.md5(padded + owner + struct.pack("<i", -4) + identifier).digest()[:5]
    user = rc4(key, padding)
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 288 144] /Contents 4 0 R >>",
    }
    content = b"0 g 20 20 60 40 re f"
    object_key = hashlib.md5(key + struct.pack("<I", 4)[:3] + b"\0\0").digest()[:10]
    content = rc4(object_key, content)
    objects[4] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
    objects[5] = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (
        owner.hex().encode(),
        user.hex().encode(),
    )
    identifiers = b"/Encrypt 5 0 R /ID [<%s> <%s>]" % ((identifier.hex().encode(),) * 2)
    path.write_bytes(pdf_of(objects, identifiers))
    return path


def pdf_of(objects: dict[int, bytes], trailer: bytes) -> bytes:
    """A PDF file of these objects; the first is the catalogue."""
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in objects.items():
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(out)


def test_a_pdf_without_pages(tmp_path):
    objects = {1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: b"<< /Type /Pages /Kids [] /Count 0 >>"}
    (tmp_path / "none.pdf").write_bytes(pdf_of(objects, b""))
    assert refusal(tmp_path / "none.pdf") == "no_pages"
    assert refusal(encrypt(tmp_path / "locked.pdf", b"open sesame")) == "encrypted"
    assert refusal(tmp_path / "none.pdf") == "no_pages"  # PDFium gives the error of the file before


def test_encrypted_pdf(tmp_path, renderer):
    locked = encrypt(tmp_path / "locked.pdf", b"open sesame")
    assert refusal(locked) == "encrypted"
    assert refusal(locked, password="guess") == "encrypted"
    assert (read_page(locked, dpi=72, password="open sesame").pixels < 128).sum() == pytest.approx(2400, abs=200)


def test_the_empty_password_is_tried_first(tmp_path, renderer):
    locked = encrypt(tmp_path / "locked.pdf", b"")
    assert (read_page(locked, dpi=72).pixels < 128).sum() == pytest.approx(2400, abs=200)


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


def test_a_hundred_thousand_pages_are_refused_at_once(tmp_path):
    count = 100_000
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(count))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, kids),
        **dict.fromkeys(range(3, count + 3), b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>"),
    }
    (tmp_path / "many.pdf").write_bytes(pdf_of(objects, b""))
    assert refusal(tmp_path / "many.pdf") == "too_many_pages"
    assert page_count(tmp_path / "many.pdf", ReadOptions(max_pages=count)) == count


def test_a_password_with_strong_encryption(shared):
    locked = shared / "fuzz/pdf_samples/005-libreoffice-writer-password/libreoffice-writer-password.pdf"
    assert refusal(locked) == "encrypted"
    assert read_page(locked, password="openpassword", dpi=50).pixels.min() < 128


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


def test_unknown_renderer(pdf, monkeypatch):
    monkeypatch.setenv("HWTRANSCRIBE_PDF", "ghostscript")
    with pytest.raises(UsageError, match="ghostscript"):
        read(pdf())


def scan_pdf(path: Path, image: Image.Image, dpi: float = 100, **options) -> Path:
    image.save(path, "PDF", resolution=dpi, **options)
    return path


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_scan_is_taken_out_of_its_pdf_as_it_is(tmp_path, drawing, mode):
    page = read_page(scan_pdf(tmp_path / "scan.pdf", drawing.convert(mode)), dpi=300)
    assert page.dpi == pytest.approx(100, abs=0.1) and page.pixels.shape == (200, 400)
    assert np.abs(np.subtract(dark_area(page.pixels), BAR)).max() <= 1
    assert page.pixels[100, 200] >= 250 and page.pixels[40, 80] <= 5


def test_a_scan_finer_than_wanted_is_brought_down(tmp_path, drawing):
    page = read_page(scan_pdf(tmp_path / "scan.pdf", drawing, dpi=200), dpi=100)
    assert page.dpi == 100 and page.pixels.shape == (100, 200)
    assert np.abs(np.subtract(dark_area(page.pixels), (20, 10, 60, 30))).max() <= 1


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_scan(tmp_path, drawing, degrees):
    path = scan_pdf(tmp_path / "scan.pdf", drawing)
    document = pypdfium2.PdfDocument(path)
    document[0].set_rotation(degrees)
    document.save(tmp_path / "turned.pdf")
    document.close()
    page = read_page(tmp_path / "turned.pdf", dpi=300)
    expected = np.rot90(np.asarray(drawing), -degrees // 90)
    assert page.pixels.shape == expected.shape
    assert np.abs(page.pixels.astype(int) - expected).mean() < 2


@pytest.mark.parametrize("change", ["flipped", "half", "two"])
def test_other_pages_are_drawn(tmp_path, drawing, change):
    path = scan_pdf(tmp_path / "scan.pdf", drawing)
    document = pypdfium2.PdfDocument(path)
    page = document[0]
    width, height = page.get_size()
    (image,) = page.get_objects()
    if change == "flipped":
        image.set_matrix(pypdfium2.PdfMatrix(-width, 0, 0, height, width, 0))
    elif change == "half":
        image.set_matrix(pypdfium2.PdfMatrix(width / 2, 0, 0, height / 2, 0, 0))
    else:
        second = pypdfium2.PdfImage.new(document)
        second.set_bitmap(image.get_bitmap())
        second.set_matrix(pypdfium2.PdfMatrix(width / 4, 0, 0, height / 4, width / 2, 0))
        page.insert_obj(second)
    page.gen_content()
    document.save(tmp_path / "other.pdf")
    document.close()
    drawn = read_page(tmp_path / "other.pdf", dpi=200)
    assert drawn.dpi == 200 and drawn.pixels.shape == (400, 800)


def test_a_scan_under_a_mask_is_drawn(tmp_path, drawing):
    opaque = bytes(255 - np.asarray(drawing))
    image = b"<< /Type /XObject /Subtype /Image /Width 400 /Height 200 /BitsPerComponent 8 /ColorSpace /DeviceGray"
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 288 144] /Contents 4 0 R "
        b"/Resources << /XObject << /I 5 0 R >> >> >>",
        4: b"<< /Length 29 >>\nstream\nq 288 0 0 144 0 0 cm /I Do Q \nendstream",
        5: image + b" /SMask 6 0 R /Length 80000 >>\nstream\n" + bytes(80_000) + b"\nendstream",
        6: image + b" /Length 80000 >>\nstream\n" + opaque + b"\nendstream",
    }
    (tmp_path / "masked.pdf").write_bytes(pdf_of(objects, b""))
    page = read_page(tmp_path / "masked.pdf", dpi=200)
    assert page.dpi == 200
    assert np.abs(np.subtract(dark_area(page.pixels), [2 * side for side in BAR])).max() <= 2


def test_a_scan_of_a_point_per_pixel_has_no_dpi(tmp_path):
    image = Image.new("L", (2480, 3508), 255)
    page = read_page(scan_pdf(tmp_path / "scan.pdf", image, dpi=72))
    assert page.dpi is None and page.pixels.shape == (3508, 2480)
    assert refusal(tmp_path / "scan.pdf", max_pixels=1_000_000) == "too_large"


def test_odd_pdfs_end_as_pages_or_a_stable_code(shared):
    codes = {"encrypted", "corrupt", "truncated", "no_pages"}
    for path in sorted((shared / "fuzz").rglob("*.pdf")):
        try:
            pages = list(render_pages(path, "scan", ReadOptions(dpi=20), range(1, 2)))
        except DocumentError as error:
            assert error.code in codes, path
        else:
            assert len(pages) == 1, path
