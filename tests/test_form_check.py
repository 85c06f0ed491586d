import re

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from hwtranscribe.cli import run

FORM = """
schema = 1
name = "card"
[[page]]
size = [800, 500]
reference = "blank.png"
[[page.field]]
name = "number"
kind = "digits"
box = [100, 100, 420, 140]
cells = {cells}
"""


@pytest.fixture
def form(tmp_path):
    """A function that writes a template and its blank form: a comb of eight cells, and text to register by."""
    blank = Image.new("L", (800, 500), 255)
    draw = ImageDraw.Draw(blank)
    for x in range(100, 421, 40):
        draw.line((x, 100, x, 140), fill=0, width=2)
    for y in (100, 140):
        draw.line((100, y, 420, y), fill=0, width=2)
    for y in range(20, 480, 30):
        if not 80 < y < 160:
            draw.text((40 + y, y), f"Printed words {y * 7919} of the form", fill=0)
    blank.save(tmp_path / "blank.png")

    def write(cells: int = 8):
        (tmp_path / "form.toml").write_text(FORM.format(cells=cells))
        return tmp_path / "form.toml"

    return write


def picture(path):
    return cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)


def test_boxes_on_the_blank(form, tmp_path, capsys):
    assert run(["form", "check", str(form()), "--out", str(tmp_path / "out")]) == 0
    captured = capsys.readouterr()
    assert captured.out.split() == [str(tmp_path / "out/blank.png.page0001.png")]
    assert "is page 1 of the form, 1 fields, residual" in captured.err
    drawn = picture(tmp_path / "out/blank.png.page0001.png").astype(int)
    coloured = np.ptp(drawn, axis=2) > 60
    rows, columns = np.nonzero(coloured)
    assert abs(columns.max() - 419) <= 3 and abs(rows.max() - 139) <= 3


def test_boxes_on_a_scan(form, tmp_path, capsys):
    path = form()
    Image.open(tmp_path / "blank.png").rotate(2, expand=True, fillcolor=255).save(tmp_path / "scan.png")
    assert run(["form", "check", str(path), str(tmp_path / "scan.png"), "--out", str(tmp_path)]) == 0
    assert "scan.png page 1 is page 1 of the form" in capsys.readouterr().err


def test_a_wrong_number_of_cells_is_said(form, tmp_path, capsys):
    assert run(["form", "check", str(form(cells=6)), "--out", str(tmp_path / "out")]) == 6
    assert 'field "number": cells = 6, but 8 are printed' in capsys.readouterr().err


def test_a_scan_that_does_not_match_is_said(form, tmp_path, capsys):
    path = form()
    Image.new("L", (800, 500), 255).save(tmp_path / "other.png")
    assert run(["form", "check", str(path), str(tmp_path / "other.png"), "--out", str(tmp_path)]) == 6
    assert "matches no page of the form" in capsys.readouterr().err


def test_without_a_blank(form, tmp_path, capsys):
    path = form()
    path.write_text(path.read_text().replace('reference = "blank.png"\n', ""))
    assert run(["form", "check", str(path), "--out", str(tmp_path / "out")]) == 0
    assert "has no blank form" in capsys.readouterr().err
    assert picture(tmp_path / "out/form.page0001.png").shape == (500, 800, 3)


def test_what_is_wrong_with_a_template_is_said(form, tmp_path, capsys):
    path = form()
    path.write_text(path.read_text().replace("digits", "digit"))
    assert run(["form", "check", str(path), "--out", str(tmp_path)]) == 6
    assert "digit" in capsys.readouterr().err
    assert run(["form", "check", str(form()), str(tmp_path / "none.png"), "--out", str(tmp_path)]) == 4
    assert "not_found" in capsys.readouterr().err


def test_a_box_below_its_rule_is_named_and_drawn_where_it_is_read(form, tmp_path, capsys):
    path = form()
    blank = Image.open(tmp_path / "blank.png")
    draw = ImageDraw.Draw(blank)
    draw.rectangle((480, 60, 799, 220), fill=255)
    draw.line((500, 130, 760, 130), fill=0, width=2)
    draw.text((500, 134), "certify that I have read and understood all of this", fill=0)
    blank.save(tmp_path / "blank.png")
    path.write_text(path.read_text() + '[[page.field]]\nname = "place"\nkind = "letters"\nbox = [500, 124, 760, 152]\n')
    assert run(["form", "check", str(path), "--out", str(tmp_path / "out")]) == 0
    told = re.search(
        r'field "place": its box .* below a rule; \[500, (\d+), 760, (\d+)\] is read', capsys.readouterr().err
    )
    assert told is not None
    top, bottom = map(int, told.groups())
    assert bottom - top == 28 and abs(bottom - 133) <= 2
    coloured = np.ptp(picture(tmp_path / "out/blank.png.page0001.png").astype(int), axis=2) > 60
    assert coloured[top, 510:750].mean() > 0.9
