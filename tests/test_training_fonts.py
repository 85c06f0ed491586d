import shutil
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from hwtranscribe.errors import UsageError
from hwtranscribe.model import LABELS
from hwtranscribe.training.fonts import load_fonts

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def font_folder(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        shutil.copy(FONTS / name, folder)
    return folder


def test_every_character_of_a_font_is_drawn_with_several_pens(tmp_path: Path) -> None:
    drawn = load_fonts(font_folder(tmp_path / "fonts", "DejaVuSans-Oblique.ttf", "cmmi10.ttf"))
    counts = np.bincount(drawn.classes, minlength=len(LABELS))
    assert (counts[:62] >= 2).all()
    assert counts[62] == 0
    assert (drawn.other_case == drawn.classes).all()
    longer = [max(np.ptp(np.argwhere(image > 127), axis=0)) + 1 for image in drawn.images]
    assert min(longer) >= 18
    assert max(longer) <= 26
    inked_px = (drawn.images[drawn.classes == LABELS.index("H")] > 127).sum(axis=(1, 2))
    assert inked_px.max() > 1.3 * inked_px.min(), "the pens differ"


def test_a_thin_bar_stays_a_bar(tmp_path: Path) -> None:
    drawn = load_fonts(font_folder(tmp_path / "fonts", "DejaVuSans.ttf"))
    bars = drawn.images[drawn.classes == LABELS.index("I")] > 127
    assert (bars.any(axis=1).sum(axis=1) < bars.any(axis=2).sum(axis=1) / 2).all()


def test_what_can_not_be_drawn_from_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere: no fonts there; expected"):
        load_fonts(tmp_path / "nowhere")
    (tmp_path / "bad.ttf").write_bytes(b"no font")
    with pytest.raises(UsageError, match="bad.ttf: not a readable font"):
        load_fonts(tmp_path)


def test_a_font_without_latin_characters_gives_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Latin characters"):
        load_fonts(font_folder(tmp_path / "fonts", "STIXSizOneSymReg.ttf"))
