"""The samples and the generator that drew them."""

import csv
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from hwtranscribe.cli import run
from hwtranscribe.constraint import fold
from hwtranscribe.form import FormTemplate

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples"
sys.path.insert(0, str(ROOT / "scripts"))

from sampling import membership  # noqa: E402
from sampling.copied_hand import CopiedHand  # noqa: E402
from sampling.fields import FormField  # noqa: E402
from sampling.hand import Hand  # noqa: E402
from sampling.scan import Scan, box_in_image  # noqa: E402
from sampling.strokes import GLYPHS  # noqa: E402


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_letter_and_digit_has_its_strokes():
    wanted = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    assert set(GLYPHS) == wanted
    for ways in GLYPHS.values():
        for width, strokes in ways:
            assert 0 < width <= 1
            assert all(points.shape == (len(corners), 2) and len(points) >= 2 for points, corners in strokes)


def test_a_writer_is_the_same_for_the_same_seed_and_another_for_another():
    def written(seed: int) -> np.ndarray:
        return membership.fill(membership.person(np.random.default_rng(1)), Hand(seed))

    assert np.array_equal(written(3), written(3))
    assert not np.array_equal(written(3), written(4))


@pytest.mark.parametrize(
    "scan",
    [
        Scan(angle_deg=7, scale=0.6),
        Scan(angle_deg=182, perspective=0.05, shift_px=(10, -20), shear=0.02),
        Scan(angle_deg=90, bilevel=True, noise=10, ink_rgb=(10, 20, 120)),
    ],
)
def test_truth_boxes_hold_the_ink_of_their_fields(scan):
    height, width = 300, 500
    field = FormField("code", "letters", "", (200, 100, 440, 160), "box")
    ink = np.zeros((height, width), np.uint8)
    field.fill(ink, "HELLO", Hand(5))
    image, matrix = scan.take(np.full((height, width), 255, np.uint8), ink)
    grey = image if image.ndim == 2 else image.min(2)
    dark_y, dark_x = np.nonzero(grey < 110)
    left, top, right, bottom = box_in_image(field.box, matrix)
    inside = (dark_x >= left) & (dark_x < right) & (dark_y >= top) & (dark_y < bottom)
    assert len(inside) > 100
    assert inside.mean() > 0.97


def test_the_committed_samples_are_what_the_generator_draws(tmp_path):
    membership.write_template(tmp_path)
    for name in ("form.toml", "first_names.txt", "blank.pdf"):
        assert (tmp_path / name).read_bytes() == (SAMPLES / "membership" / name).read_bytes()


def test_the_sample_template_is_valid_and_allows_what_stands_in_the_samples():
    form = FormTemplate.load(SAMPLES / "membership" / "form.toml")
    fields = {field.name: field for page in form.pages for field in page.fields}
    truth = rows(SAMPLES / "membership" / "truth.csv")
    assert {row["field"] for row in truth} == set(fields)
    for row in truth:
        constraint = fields[row["field"]].constraint
        assert not row["text"] or constraint is None or constraint.broken_by(row["text"]) == (), row


@pytest.mark.parametrize("folder", ["membership/scans", "note"])
def test_truth_lies_inside_the_images_it_is_about(folder):
    for row in rows(SAMPLES / folder.split("/")[0] / "truth.csv"):
        path = SAMPLES / folder / row["document"]
        if path.suffix == ".pdf":
            continue
        with Image.open(path) as image:
            image.seek(int(row["page"]) - 1)
            assert -10 <= int(row["left"]) < int(row["right"]) <= image.width + 10
            assert -10 <= int(row["top"]) < int(row["bottom"]) <= image.height + 10


def test_expected_rows_agree_with_the_truth():
    truth = {
        (row["document"], row["page"], row["field"]): row["text"] for row in rows(SAMPLES / "membership/truth.csv")
    }
    for row in rows(SAMPLES / "membership" / "expected.csv"):
        for field in membership.FIELDS:
            assert truth[row["document"], row["form"], field.name] == row[field.name].upper()


def test_make_samples_draws_batches_with_the_given_parameters(tmp_path):
    command = [sys.executable, "-m", "sampling", "forms", "--out", str(tmp_path / "batch"), "--count", "2"]
    command += ["--scale", "0.5", "--gap", "-0.05", "--pen", "0.1", "--bilevel", "--type", "tif"]
    done = subprocess.run(command, cwd=ROOT / "scripts", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    scans = sorted((tmp_path / "batch" / "scans").iterdir())
    assert [path.name for path in scans] == ["form0001.tif", "form0002.tif"]
    with Image.open(scans[0]) as image:
        assert (image.mode, image.size) == ("1", (827, 1170))
    assert len(rows(tmp_path / "batch" / "truth.csv")) == 2 * len(membership.FIELDS)
    assert FormTemplate.load(tmp_path / "batch" / "form.toml").name == "membership"


@pytest.fixture(scope="module")
def read_forms(tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    folder = SAMPLES / "membership"
    command = ["transcribe", str(folder / "scans"), "--form", str(folder / "form.toml"), "--out", str(out), "--quiet"]
    assert run(command) == 0
    return out


def test_the_sample_forms_are_read(read_forms):
    wanted = rows(SAMPLES / "membership" / "expected.csv")
    found = rows(read_forms / "forms.csv")
    assert [(row["document"], row["form"]) for row in found] == [(row["document"], row["form"]) for row in wanted]
    names = [field.name for field in membership.FIELDS]
    pairs = [(row[name], true[name]) for row, true in zip(found, wanted, strict=True) for name in names]
    right = sum(fold(read) == fold(text) for read, text in pairs)
    assert right >= 0.88 * len(pairs)


def test_what_is_accepted_of_the_sample_forms_is_nearly_always_right(read_forms):
    truth = {
        (row["document"], row["page"], row["field"]): row["text"] for row in rows(SAMPLES / "membership/truth.csv")
    }
    accepted = [row for row in rows(read_forms / "fields.csv") if row["status"] == "ok"]
    wrong = [row for row in accepted if fold(row["text"]) != fold(truth[row["document"], row["page"], row["field"]])]
    assert len(accepted) >= 80
    assert len(wrong) <= 0.02 * len(accepted), wrong


def test_the_sample_note_is_read_without_a_template(tmp_path):
    note = SAMPLES / "note" / "note.jpg"
    assert run(["transcribe", str(note), "--case", "upper", "--out", str(tmp_path), "--quiet"]) == 0
    assert len(rows(tmp_path / "fields.csv")) == len(rows(SAMPLES / "note" / "truth.csv"))
    assert (tmp_path / "text" / "note.jpg.txt").read_text(encoding="utf-8").count("\n") == 6


def test_a_hand_copied_from_characters_writes_within_its_field():
    images = {}
    for character in "4KQ":
        image = np.zeros((28, 28), np.uint8)
        cv2.putText(image, character, (6, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2)
        images[character] = [image]
    written = []
    for seed in (1, 1, 2):
        ink = np.zeros((200, 400), np.uint8)
        characters = CopiedHand(images, seed).write_line(ink, "4K Q44KQQ44", (50, 60, 350, 110))
        assert len(characters) == 10
        rows, columns = np.nonzero(ink > 60)
        assert columns.min() >= 45 and columns.max() < 360
        assert rows.min() >= 40 and rows.max() < 130
        written.append(ink)
    assert (written[0] == written[1]).all() and (written[0] != written[2]).any()
    cells = np.zeros((200, 400), np.uint8)
    assert len(CopiedHand(images, 3).write_in_cells(cells, "4 K", [50, 90, 130, 170, 210], 60, 110)) == 2
    assert cells[:, 50:90].any() and not cells[:, 100:120].any() and not cells[:, 180:].any()
