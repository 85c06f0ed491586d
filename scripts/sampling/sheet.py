"""A blank sheet of print: lines, boxes and text as a one-page vector PDF, small and the same every time."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

DPI = 200
A4_PX = (1654, 2339)


@dataclass
class Sheet:
    """Collects print in px of the sheet (200 dpi, y down).

    Attributes:
        size_px: Width and height.
        operators: Of the PDF's content stream so far.
    """

    size_px: tuple[int, int] = A4_PX
    operators: list[str] = field(default_factory=list)

    def line(self, x0: float, y0: float, x1: float, y1: float, width: float = 2, dash: str = "") -> None:
        """A straight line; `dash` is a PDF dash array in pt."""
        self.operators.append(f"{_pt(width)} w [{dash}] 0 d {self._at(x0, y0)} m {self._at(x1, y1)} l S")

    def box(self, left: float, top: float, right: float, bottom: float, width: float = 2) -> None:
        """The outline of a rectangle."""
        corner = self._at(left, bottom)
        self.operators.append(f"{_pt(width)} w [] 0 d {corner} {_pt(right - left)} {_pt(bottom - top)} re S")

    def text(self, x: float, baseline: float, text: str, height: float, bold: bool = False, grey: float = 0) -> None:
        """Text in Helvetica of a size of `height` px."""
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        font = "F2" if bold else "F1"
        self.operators.append(f"BT {grey} g /{font} {_pt(height)} Tf {self._at(x, baseline)} Td ({escaped}) Tj ET")

    def save(self, path: Path) -> None:
        """Writes the PDF."""
        path.write_bytes(self.to_pdf())

    def to_pdf(self) -> bytes:
        """The PDF file."""
        stream = "\n".join(self.operators).encode("cp1252")
        width, height = (_pt(side) for side in self.size_px)
        objects = [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents 4 0 R"
            " /Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>".encode(),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
        ]
        content, offsets = b"%PDF-1.4\n", []
        for number, body in enumerate(objects, start=1):
            offsets.append(len(content))
            content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        count = len(objects) + 1
        trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(content))
        return content + b"xref\n0 %d\n0000000000 65535 f \n" % count + table + trailer

    def render(self) -> np.ndarray:
        """The printed sheet, grey, 255 paper."""
        import pypdfium2

        document = pypdfium2.PdfDocument(self.to_pdf())
        pixels = document[0].render(scale=DPI / 72, grayscale=True).to_numpy()
        width, height = self.size_px
        return np.array(pixels.reshape(pixels.shape[:2])[:height, :width])

    def _at(self, x: float, y: float) -> str:
        return f"{_pt(x)} {_pt(self.size_px[1] - y)}"


def _pt(px: float) -> str:
    return f"{px * 72 / DPI:.2f}"
