import io

import numpy as np
from PIL import Image

from hwtranscribe.overlay import draw_readings, draw_template
from hwtranscribe.types import CharReading, FieldReading, Kind, Status


def opened(data: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def redness(picture: np.ndarray) -> int:
    return int(((picture[..., 0] - picture[..., 1:].max(axis=2)) > 90).sum())


def reading(status: Status, text: str = "4711") -> FieldReading:
    return FieldReading(
        1,
        "number",
        Kind.DIGITS,
        text,
        0.5,
        status,
        "",
        (100, 100, 300, 140),
        (CharReading("4", 0.99, (100, 100, 140, 140)),),
    )


def test_doubtful_fields_are_red_and_sure_ones_are_not():
    page = np.full((400, 600), 255, np.uint8)
    assert redness(opened(draw_readings(page, [reading(Status.REVIEW)]))) > 200
    assert redness(opened(draw_readings(page, [reading(Status.OK)]))) == 0


def test_pictures_are_of_a_handy_size():
    assert max(opened(draw_readings(np.full((6000, 4000), 255, np.uint8), [])).shape) <= 2400
    assert max(opened(draw_readings(np.full((40, 200), 255, np.uint8), [])).shape) >= 500


def test_boxes_off_the_page_and_letters_the_font_lacks_do_no_harm():
    off = FieldReading(1, "x", Kind.LETTERS, "ŻÓŁĆ", 0.2, Status.REVIEW, "", (590, 395, 900, 700))
    empty = FieldReading(1, "y", Kind.LETTERS, "", 0.0, Status.REVIEW, "", (0, 0, 0, 0))
    assert opened(draw_readings(np.full((400, 600), 255, np.uint8), [off, empty])).shape == (400, 600, 3)


def test_a_template_shows_its_fields_cells_and_a_note():
    page = np.full((400, 600), 255, np.uint8)
    plain = opened(draw_template(page, {"number": (100, 100, 300, 140)}))
    cells = opened(draw_template(page, {"number": (100, 100, 300, 140)}, {"number": [100, 150, 200, 250, 300]}))
    noted = opened(draw_template(page, {"number": (100, 100, 300, 140)}, note="does not match"))
    assert (plain[100:140, 100] != plain[50, 50]).any()
    assert (cells[110:130, 150] != plain[110:130, 150]).any()
    assert redness(noted) > 0 and redness(plain) == 0
