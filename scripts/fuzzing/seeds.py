"""Files to damage: some of every kind, drawn here, and the odd PDFs in ../shared/fuzz where they exist."""

import io
from pathlib import Path

from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[2]
MAX_BYTES = 200_000
_ENDINGS = {".pdf", ".png", ".jpg", ".tif", ".tiff"}


def seeds() -> dict[str, bytes]:
    """Whole files by name."""
    files = drawn()
    for folder in (ROOT.parent / "shared" / "fuzz", ROOT / "samples"):
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in _ENDINGS and path.stat().st_size <= MAX_BYTES:
                files[path.name] = path.read_bytes()
    return files


def drawn() -> dict[str, bytes]:
    """A small page in every format and mode."""
    grey = Image.new("L", (320, 160), 255)
    ImageDraw.Draw(grey).text((20, 60), "HELLO 0123456789", fill=0)
    files = {}
    for ending, modes, options in (
        ("png", ("1", "L", "P", "RGB", "RGBA", "I;16"), {}),
        ("jpg", ("L", "RGB", "CMYK"), {}),
        ("tif", ("1", "L", "RGB", "CMYK"), {}),
        ("tif", ("L", "RGB"), {"compression": "tiff_lzw"}),
        ("tif", ("1",), {"compression": "group4"}),
        ("tif", ("L",), {"compression": "jpeg"}),
        ("bmp", ("1", "L", "RGB"), {}),
        ("gif", ("L", "P"), {}),
        ("webp", ("RGB", "RGBA"), {}),
        ("pdf", ("1", "L", "RGB"), {}),
    ):
        for mode in modes:
            buffer = io.BytesIO()
            image = grey.convert("I").convert("I;16") if mode == "I;16" else grey.convert(mode)
            several = {"save_all": True, "append_images": [image, image]} if ending in ("tif", "pdf", "gif") else {}
            kind = {"jpg": "JPEG", "tif": "TIFF"}.get(ending, ending.upper())
            image.save(buffer, kind, **several, **options)
            name = "-".join(["drawn", mode.replace(";", ""), *options.values()])
            files[f"{name}.{ending}"] = buffer.getvalue()
    return files
