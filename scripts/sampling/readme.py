"""Puts what `scripts/demo` read into the README: the first rows of its CSV files, and the picture of a page."""

import re
from pathlib import Path

from PIL import Image

_ROWS = {"forms.csv": 4, "fields.csv": 9}
_WIDTH_PX = 900
_COLOURS = 128


def write_readme(root: Path) -> None:
    """Writes README.md and docs/images/form.png again from runs/demo.

    Raises:
        FileNotFoundError: if the demo has not been run.
    """
    demo, readme = root / "runs" / "demo", root / "README.md"
    text = readme.read_text(encoding="utf-8")
    for name, count in _ROWS.items():
        rows = "\n".join((demo / name).read_text(encoding="utf-8").splitlines()[:count])
        block = f"<!-- {name} -->\n```csv\n{rows}\n```"
        text = re.sub(rf"<!-- {name} -->\n```csv\n.*?```", lambda _, block=block: block, text, flags=re.DOTALL)
    readme.write_text(text, encoding="utf-8")
    (picture,) = (demo / "overlay").glob("counter.jpg.page0001.*")
    page = Image.open(picture).convert("RGB")
    part = page.crop((0, round(0.02 * page.height), round(0.95 * page.width), round(0.9 * page.height)))
    small = part.resize((_WIDTH_PX, round(part.height * _WIDTH_PX / part.width)), Image.Resampling.LANCZOS)
    reduced = small.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    reduced.save(root / "docs" / "images" / "form.png", optimize=True)
