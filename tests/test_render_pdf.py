import os
import struct
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from conftest import dark_area
from PIL import Image
from rendering import BAR, read, read_page, refusal

from hwtranscribe.errors import DocumentError, UsageError
from hwtranscribe.render import page_count, render_pages
from hwtranscribe.types import ReadOptions


@pytest.fixture(params=["poppler", "pdfium"])
def renderer(request, monkeypatch):
    if request.param == "poppler":
        from hwtranscribe.render.pdf import pdf_renderer

        if pdf_renderer() != "poppler":
            pytest.skip("Poppler is not installed")
    monkeypatch.setenv("HWTRANSCRIBE_PDF", request.param)
    return request.param


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
