"""The characters of a page go through the network in two rounds: what surely is one is not cut."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from hwtranscribe.class_scores import symbol_log_probs
from hwtranscribe.classify import Classifier
from hwtranscribe.decode import decode_field
from hwtranscribe.pipeline.characters import _leaving_whole, score_characters
from hwtranscribe.segment.lattice import line_lattice
from hwtranscribe.types import CharBoxes, Kind


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def lattice_of(text: str, pitch_px: int) -> CharBoxes:
    """The lattice of a text drawn by a stroke font."""
    ink = np.zeros((70, 60 + pitch_px * len(text)), np.uint8)
    for i, character in enumerate(text):
        cv2.putText(ink, character, (20 + i * pitch_px, 52), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 255, 3, cv2.LINE_AA)
    return line_lattice(ink, "f", (0, 0, ink.shape[1], ink.shape[0]))


def read(boxes: CharBoxes, scores: np.ndarray, kind: Kind) -> str:
    symbols, log_probs = symbol_log_probs(scores, kind)
    return decode_field(boxes, log_probs, symbols, page=1, kind=kind).text


def test_what_stands_apart_and_is_surely_a_character_is_not_cut(classifier: Classifier) -> None:
    boxes = lattice_of("MARKED", 55)
    (left,), (scores,) = score_characters(classifier, [boxes], [Kind.LETTERS])
    assert len(left.inks) == len(left.start) == len(scores) < 0.5 * len(boxes.start)
    assert left.uncut.sum() == boxes.uncut.sum() >= 3
    everything = classifier.score_inks([ink.astype(np.float32) / 255.0 for ink in boxes.inks])
    assert read(left, scores, Kind.LETTERS) == read(boxes, everything, Kind.LETTERS) == "MARKED"


def test_what_touches_is_still_cut(classifier: Classifier) -> None:
    boxes = lattice_of("4035", 27)
    (left,), (scores,) = score_characters(classifier, [boxes], [Kind.DIGITS])
    assert read(left, scores, Kind.DIGITS) == "4035"


def test_a_letter_is_no_sure_sign_in_a_field_of_digits(classifier: Classifier) -> None:
    """Two digits that touch may look like a letter."""
    boxes = lattice_of("KEY", 55)
    counts = {}
    for kind in Kind.LETTERS, Kind.DIGITS:
        (left,), _ = score_characters(classifier, [boxes], [kind])
        counts[kind] = len(left.start)
    assert counts[Kind.LETTERS] < counts[Kind.DIGITS] == len(boxes.start)


def test_lines_keep_their_own_scores(classifier: Classifier) -> None:
    lattices = [lattice_of("3582", 50), lattice_of("4035", 27), lattice_of("71", 50)]
    together = score_characters(classifier, lattices, [Kind.DIGITS] * 3)
    for boxes, left, scores in zip(lattices, *together, strict=True):
        (alone,), (its_scores,) = score_characters(classifier, [boxes], [Kind.DIGITS])
        np.testing.assert_array_equal(left.start, alone.start)
        np.testing.assert_allclose(scores, its_scores, atol=1e-4)
    assert score_characters(classifier, [], []) == ([], [])


@pytest.mark.parametrize(
    ("edges", "kept"),
    [
        ([(0, 1), (0, 2), (1, 2), (2, 3)], [(0, 2), (2, 3)]),
        ([(0, 1), (0, 2), (1, 2), (1, 3), (0, 3), (2, 3)], [(0, 2), (0, 3), (2, 3)]),
        # With half of the next one is the only way on.
        ([(0, 1), (0, 2), (1, 3)], [(0, 1), (0, 2), (1, 3)]),
    ],
    ids=["parts go", "what holds it stays", "no other way"],
)
def test_a_line_keeps_a_way_through_it(edges: list[tuple[int, int]], kept: list[tuple[int, int]]) -> None:
    edges.sort()
    boxes = lattice_of("3582", 50)
    few = boxes.only(np.arange(len(boxes.start)) < len(edges))
    start, end = np.array(edges, np.int32).T
    left = _leaving_whole(replace(few, start=start, end=end, node_count=4), np.array([e == (0, 2) for e in edges]))
    assert [edge for edge, stays in zip(edges, left.tolist(), strict=True) if stays] == sorted(kept)
