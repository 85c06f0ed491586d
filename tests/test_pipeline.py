"""From documents to results: the order of the stages, and pages put together to forms."""

import csv
import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_forms import draw_comb, write_cells
from PIL import Image

from hwtranscribe import FormTemplate, Transcriber
from hwtranscribe.assembly import _forms
from hwtranscribe.checkpoint import LINES_NAME, METADATA_NAME, default_checkpoint_path
from hwtranscribe.errors import DocumentError, TemplateError
from hwtranscribe.pipeline import transcribe_document
from hwtranscribe.pipeline.places import mapped
from hwtranscribe.register import upright
from hwtranscribe.segment import page_lines
from hwtranscribe.types import Case, DocumentJob, FieldReading, Kind, Page, PageReadings, ReadOptions, Status

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from sampling.fields import write_line  # noqa: E402
from sampling.hand import Hand  # noqa: E402

SAMPLES = Path(__file__).parents[1] / "samples"
MEMBERSHIP = SAMPLES / "membership"


@pytest.fixture(scope="module")
def membership() -> Transcriber:
    return Transcriber(FormTemplate.load(MEMBERSHIP / "form.toml"))


def test_reads_a_form_with_boxes_on_the_rendered_page(membership):
    result = membership.read(MEMBERSHIP / "scans" / "counter.jpg")
    (form,) = result.forms
    readings = {reading.field: reading for reading in form.fields}
    assert list(readings) == [f.name for f in membership.form.pages[0].fields]
    assert readings["surname"].text == "VOGEL"
    assert readings["first_name"].text == "Ursula"
    with Image.open(MEMBERSHIP / "scans" / "counter.jpg") as image:
        pixels = np.asarray(image.convert("L"))
    for character in readings["member_no"].characters:
        left, top, right, bottom = character.box
        crop = pixels[top:bottom, left:right]
        assert crop.size
        assert crop.min() < np.median(pixels) - 60


def test_boxes_apart_are_told_in_a_coarse_scan_of_a_form_with_hair_lines(monkeypatch, tmp_path):
    # It draws lines as thin as they are.
    monkeypatch.setenv("HWTRANSCRIBE_PDF", "pdfium")
    scan = cv2.imread(str(MEMBERSHIP / "scans" / "counter.jpg"), cv2.IMREAD_GRAYSCALE)
    coarse = cv2.resize(scan, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "coarse.png"), coarse)
    result = Transcriber(FormTemplate.load(MEMBERSHIP / "form.toml")).read(tmp_path / "coarse.png")
    (postcode,) = (reading for reading in result.readings if reading.field == "postcode")
    assert postcode.text == "82122"


def test_a_note_in_an_even_hand_is_read_with_all_its_words():
    """Two of its words stand as straight as type does."""
    with (SAMPLES / "note" / "truth.csv").open() as file:
        truth = [row["text"] for row in csv.DictReader(file)]
    result = Transcriber().read(SAMPLES / "note" / "note.jpg")
    assert [len(reading.text.split()) for reading in result.readings] == [len(text.split()) for text in truth]


def test_result_says_what_made_it(membership):
    provenance = membership.read(MEMBERSHIP / "scans" / "fax.png").provenance
    assert provenance.form_hash == membership.form.hash
    assert "password" not in provenance.options
    json.dumps(provenance.options)


@pytest.mark.parametrize("network", [".", LINES_NAME])
def test_the_hash_of_a_result_follows_both_networks(membership, tmp_path, network):
    other = tmp_path / "other"
    shutil.copytree(default_checkpoint_path(), other)
    assert Transcriber(checkpoint=other).provenance.checkpoint_hash == membership.provenance.checkpoint_hash
    path = other / network / METADATA_NAME
    metadata = json.loads(path.read_text())
    path.write_text(json.dumps({**metadata, "temperature": metadata["temperature"] + 0.1}))
    assert Transcriber(checkpoint=other).provenance.checkpoint_hash != membership.provenance.checkpoint_hash


def test_pages_of_a_stack_are_forms_of_their_own(membership):
    result = membership.read(MEMBERSHIP / "scans" / "stack.pdf")
    assert [form.number for form in result.forms] == [1, 2, 3]
    assert [form.pages for form in result.forms] == [(1,), (2,), (3,)]


def test_a_page_of_another_kind_is_reported_and_never_read(membership, tmp_path):
    rng = np.random.default_rng(0)
    other = np.full((1200, 900), 255, np.uint8)
    for _ in range(150):
        left, top = rng.integers(20, 800), rng.integers(20, 1100)
        other[top : top + 12, left : left + rng.integers(10, 80)] = 0
    Image.fromarray(other).save(tmp_path / "other.png")
    result = membership.read(tmp_path / "other.png")
    (error,) = result.errors
    assert (error.page, error.error) == (1, "no_match")
    assert "residual" in error.detail
    (form,) = result.forms
    assert {reading.status for reading in form.fields} == {Status.REVIEW}
    assert {reading.text for reading in form.fields} == {""}


def test_page_mode_reads_lines_in_order():
    result = Transcriber(options=ReadOptions(kind=Kind.LETTERS)).read(SAMPLES / "note" / "note.jpg")
    assert result.forms == ()
    assert [line.field for line in result.lines] == [f"line{n:03d}" for n in range(1, len(result.lines) + 1)]
    assert len(result.lines) >= 3
    assert any(line.text for line in result.lines)


@pytest.mark.parametrize("seed", [101, 109])
def test_a_page_in_an_even_hand_keeps_all_its_lines(tmp_path, seed):
    lines = ["PLEASE CALL IN THE EVENING", "HAS A BOAT OF HER OWN", "EXPERT WITH QUAD SCULLS", "ONLY AT WEEKENDS"]
    ink, hand = np.zeros((900, 1654), np.uint8), Hand(seed)
    for number, line in enumerate(lines * 2):
        write_line(ink, line, 180, 120 + 90 * number, 1300, 34, hand)
    Image.fromarray(255 - ink).save(tmp_path / "page.png")
    read = [reading.text for reading in Transcriber().read(tmp_path / "page.png").lines]
    assert [len(text.split()) for text in read] == [len(line.split()) for line in lines * 2]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_page_in_a_broad_pen_keeps_all_its_lines(seed):
    lines = ["DEAR SIR PLEASE SEND", "60 BOXES OF SIZE 42", "TO THE HARBOUR QUICKLY", "FLIGHT AF 1276 LEAVES"]
    ink, hand = np.zeros((700, 1654), np.uint8), Hand(seed, gap=0.2, pen=0.16)
    for number, line in enumerate(lines):
        write_line(ink, line, 150, 120 + 110 * number, 1654, 44, hand)
    assert len(page_lines(upright(Page("page", 1, None, 255 - ink)))) == 4


@pytest.mark.parametrize("seed", range(6))
def test_a_short_page_of_codes_keeps_all_its_lines(seed):
    ink, hand = np.zeros((700, 1654), np.uint8), Hand(seed, gap=0.2, pen=0.12)
    for number, line in enumerate(("H0IHX0S", "3424939", "9ZNT019", "51S1091")):
        write_line(ink, line, 150, 120 + 110 * number, 1654, 44, hand)
    assert len(page_lines(upright(Page("page", 1, None, 255 - ink)))) == 4


def test_a_line_that_the_edge_cuts_through_is_read_where_nothing_else_is(tmp_path):
    page = np.full((150, 700), 255, np.uint8)
    cv2.putText(page, "4 8 5 3 9 6 2 7", (30, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 20, 3)
    cv2.putText(page, "K A R E N", (30, 154), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 20, 3)
    Image.fromarray(page).save(tmp_path / "page.png")
    texts = {}
    for kind in (Kind.LETTERS, Kind.DIGITS):
        lines = Transcriber(options=ReadOptions(kind=kind, case=Case.UPPER)).read(tmp_path / "page.png").lines
        texts[kind] = [line.text.replace(" ", "") for line in lines]
    assert texts[Kind.DIGITS] == ["48539627"]
    digits, letters = texts[Kind.LETTERS]
    assert digits == ""
    assert len(letters) == 5, "without their feet they need not be told right"


def test_a_job_gives_what_the_library_gives(membership):
    path = MEMBERSHIP / "scans" / "counter.jpg"
    job = DocumentJob(str(path), "counter.jpg", str(MEMBERSHIP / "form.toml"))
    assert transcribe_document(job) == membership.read(path)


@pytest.mark.parametrize(("others", "bars"), [("HARBOURWATCHKEEPER", "III"), ("abdeghkrtnbaedgkab", "LLL")])
def test_the_case_of_a_page_says_what_bare_bars_are(tmp_path, others, bars):
    page = np.full((400, 900), 255, np.uint8)
    combs = {"name": (60, 60, 60 + 40 * len(others), 100), "code": (60, 240, 180, 280)}
    template = 'schema = 1\nname = "f"\n[[page]]\nsize = [900, 400]\n'
    for name, text in (("name", others), ("code", "|||")):
        count = len(text)
        draw_comb(page, combs[name], count)
        template += f'[[page.field]]\nname = "{name}"\nkind = "letters"\nbox = {list(combs[name])}\ncells = {count}\n'
        if name == "name":
            write_cells(page, combs[name], count, text)
    for k in range(3):
        left = 60 + 40 * k + 18
        page[248:273, left : left + 3] = 40
    (tmp_path / "form.toml").write_text(template)
    Image.fromarray(page).save(tmp_path / "page.png")
    result = Transcriber(FormTemplate.load(tmp_path / "form.toml")).read(tmp_path / "page.png")
    assert {reading.field: reading.text for reading in result.readings}["code"] == bars


def test_missing_document(membership, tmp_path):
    with pytest.raises(DocumentError) as caught:
        membership.read(tmp_path / "nothing.pdf")
    assert caught.value.code == "not_found"


def test_reference_page_that_is_not_there(tmp_path):
    (tmp_path / "blank.pdf").write_bytes((MEMBERSHIP / "blank.pdf").read_bytes())
    (tmp_path / "form.toml").write_text(
        'schema = 1\nname = "f"\n[[page]]\nsize = [1654, 2339]\nreference = "blank.pdf"\nreference_page = 7\n'
        '[[page.field]]\nname = "a"\nkind = "digits"\nbox = [1, 1, 90, 90]\n'
    )
    with pytest.raises(TemplateError, match=r"form\.toml: page 1: reference_page = 7: .*blank\.pdf, which has 1"):
        Transcriber(FormTemplate.load(tmp_path / "form.toml"))


@pytest.fixture
def two_pages(tmp_path) -> FormTemplate:
    page = '[[page]]\nsize = [100, 100]\n[[page.field]]\nname = "{}"\nkind = "digits"\nbox = [1, 1, 90, 90]\n'
    (tmp_path / "form.toml").write_text('schema = 1\nname = "f"\n' + page.format("a") + page.format("b"))
    return FormTemplate.load(tmp_path / "form.toml")


def _page(number: int, template_page: int | None) -> PageReadings:
    reading = FieldReading(number, "ab"[template_page or 0], Kind.DIGITS, str(number), 1.0, Status.OK, "", (0, 0, 1, 1))
    return PageReadings(
        number, template_page, template_page is not None, (reading,) if template_page is not None else ()
    )


def test_a_form_begins_where_its_first_page_comes_round_again(two_pages):
    forms, errors = _forms(two_pages, [_page(1, 0), _page(2, 1), _page(3, 0), _page(4, 1)], 0.9)
    assert [[f.text for f in form.fields] for form in forms] == [["1", "2"], ["3", "4"]]
    assert not errors


def test_missing_and_foreign_pages_are_named(two_pages):
    forms, errors = _forms(two_pages, [_page(1, 0), _page(2, None), _page(3, 0), _page(4, 1)], 0.9)
    assert [form.pages for form in forms] == [(1,), (3, 4)]
    missing = forms[0].fields[1]
    assert (missing.field, missing.status) == ("b", Status.REVIEW)
    assert "page 2 of the form" in missing.detail
    assert [(e.page, e.error) for e in errors] == [(2, "no_match")]


def test_pages_that_may_be_of_two_forms_are_for_review(two_pages):
    def details(*template_pages):
        forms, _ = _forms(two_pages, [_page(number, at) for number, at in enumerate(template_pages, start=1)], 0.9)
        return [{f.detail for f in form.fields if f.status is Status.REVIEW} for form in forms]

    assert details(0, 1, 0, None, 1) == [set(), set()], "the empty back of a sheet"
    (apart,) = details(0, None, None, 1)
    assert len(apart) == 1 and "may belong to two forms" in apart.pop()
    backwards = details(1, 0, 1, 0)
    assert len(backwards) == 3 and all("reverse order" in detail for form in backwards for detail in form)


def test_boxes_map_through_a_homography():
    turn = np.array([[0.0, -2.0, 100.0], [2.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert mapped((10, 5, 20, 15), turn) == (70, 20, 90, 40)
