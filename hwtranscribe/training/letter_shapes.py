"""Capitals in shapes of joined and European writing that the data sets hardly hold."""

import numpy as np

from hwtranscribe.training.strokes import Shape, Stroke

_POINT_SPREAD = 0.04


def _around(*strokes: Stroke) -> Shape:
    """A shape whose points lie around given ones."""

    def shape(rng: np.random.Generator) -> list[Stroke]:
        return [np.array(stroke) + rng.normal(0, _POINT_SPREAD, (len(stroke), 2)) for stroke in strokes]

    return shape


def _i_with_serifs(rng: np.random.Generator) -> list[Stroke]:
    top, bottom = rng.uniform(0.25, 0.6, size=2)
    lean = rng.normal(0, 0.04)
    return [
        [(0.5 - top, 0.02), (0.5 + top, -0.02)],
        [(0.5 + lean, 0.0), (0.5 - lean, 1.0)],
        [(0.5 - bottom, 1.02), (0.5 + bottom, 0.98)],
    ]


def _l_with_loop(rng: np.random.Generator) -> list[Stroke]:
    """A curved stem and a small loop at the foot."""
    end = (rng.uniform(0.8, 1.1), rng.uniform(0.82, 0.98))
    start = (rng.uniform(0.5, 0.85), rng.uniform(0.05, 0.3))
    return [[start, (0.6, 0.0), (0.42, 0.3), (0.35, 0.75), (0.1, 0.98), (0.05, 0.85), (0.35, 0.88), (0.6, 1.0), end]]


def _d_with_short_bowl(rng: np.random.Generator) -> list[Stroke]:
    """The bowl meets the stem above its foot, though below what makes a P."""
    end = rng.uniform(0.8, 0.95)
    start = rng.uniform(-0.3, 0.1)
    return [[(0.15, 0.08), (0.12, 1.0)], [(start, 0.05), (0.45, 0.0), (0.95, end / 3), (0.8, end - 0.15), (0.1, end)]]


def _m_with_shallow_middle(rng: np.random.Generator) -> list[Stroke]:
    depth, lean = rng.uniform(0.3, 0.55), rng.uniform(0, 0.15)
    return [[(lean, 0.0), (0.0, 1.0)], [(lean, 0.0), (0.5, depth), (1 - lean, 0.0)], [(1 - lean, 0.0), (1.0, 1.0)]]


def _m_with_hanging_middle(rng: np.random.Generator) -> list[Stroke]:
    """The middle hangs between the stems from below their tops: an H but for the sag of its bar."""
    left, right = rng.uniform(0.12, 0.4, size=2)
    low, at = max(left, right) + rng.uniform(0.18, 0.38), rng.uniform(0.35, 0.65)
    spread = rng.uniform(0.0, 0.12)
    stems: list[Stroke] = [[(spread, 0.0), (0.0, 1.0)], [(1 - spread, rng.uniform(-0.1, 0.1)), (1.0, 1.0)]]
    if rng.random() < 0.5:
        return [*stems, [(spread, left), (at, low)], [(at, low), (1 - spread, right)]]
    return [*stems, [(spread, left), (at - 0.15, low - 0.06), (at + 0.1, low - 0.03), (1 - spread, right)]]


def _h_with_tilted_bar(rng: np.random.Generator) -> list[Stroke]:
    """Narrow, the bar falls or rises from stem to stem."""
    left, right = rng.uniform(0.32, 0.68, size=2)
    width = rng.uniform(0.6, 0.95)
    return [[(0.0, 0.0), (0.0, 1.0)], [(width, 0.0), (width, 1.0)], [(0.0, left), (width, right)]]


def _h_in_joined_writing(rng: np.random.Generator) -> list[Stroke]:
    """Curved stems, and a bar that may loop out of the first."""
    curl = rng.uniform(-0.3, 0.0)
    middle = rng.uniform(0.42, 0.58)
    bar: Stroke = [(0.15, 1.0), (-0.1, 0.8), (0.3, middle), (0.8, middle)]
    if rng.random() < 0.6:
        bar = [(0.05, middle + 0.05), (0.45, middle - 0.05), (0.85, middle)]
    first: Stroke = [(curl, 0.2), (0.1, 0.0), (0.28, 0.1), (0.22, 0.6), (0.15, 1.0)]
    second: Stroke = [(1.05, 0.0), (0.85, 0.2), (0.75, 0.7), (0.85, 1.0), (1.05 + rng.uniform(-0.1, 0.1), 0.85)]
    return [first, second, bar]


def _k_with_round_arms(rng: np.random.Generator) -> list[Stroke]:
    """Arm and leg in one stroke that may stay clear of the stem or loop at it."""
    reach, middle = rng.uniform(0.08, 0.35), rng.uniform(0.42, 0.6)
    arms: Stroke = [(0.9, 0.02), (0.65, 0.2), (reach, middle), (0.6, 0.75), (0.85, 0.97), (1.1, 0.9)]
    if rng.random() < 0.4:
        arms = [(1.0, 0.0), (reach + 0.15, middle), (reach, middle - 0.08), (reach + 0.2, middle + 0.02), (0.95, 1.0)]
    return [[(rng.uniform(-0.05, 0.2), 0.0), (0.05, 1.0)], arms]


def _t_with_roof(rng: np.random.Generator) -> list[Stroke]:
    """The bar is a wave or hangs down at its ends, the stem ends in a small hook."""
    ends = rng.uniform(0.05, 0.3, size=2)
    roof: Stroke = [(0.0, ends[0]), (0.12, 0.02), (0.5, 0.05), (0.9, 0.0), (1.05, ends[1] - 0.12)]
    stem = rng.uniform(0.42, 0.65)
    return [roof, [(stem, 0.05), (stem - 0.05, 0.7), (stem - 0.15, 1.0), (stem - rng.uniform(0.2, 0.35), 0.93)]]


def _z_with_bar(rng: np.random.Generator) -> list[Stroke]:
    half, tilt = rng.uniform(0.2, 0.4), rng.uniform(-0.08, 0.08)
    bar: Stroke = [(0.5 - half, 0.5 + tilt), (0.5 + half, 0.5 - tilt)]
    return [[(0.0, 0.03), (0.95, 0.0)], [(0.95, 0.0), (0.03, 1.0)], [(0.03, 1.0), (1.0, 0.98)], bar]


def _j_with_loop(rng: np.random.Generator) -> list[Stroke]:
    """A bar at the top, and a tail that crosses the stem."""
    low = rng.uniform(0.75, 0.95)
    out = (rng.uniform(0.7, 1.05), rng.uniform(0.35, 0.65))
    stem: Stroke = [(0.55, 0.0), (0.62, 0.5), (0.45, 0.93), (0.12, 1.0), (0.1, low), (0.5, 0.65), out]
    if rng.random() < 0.3:
        return [stem]
    return [[(rng.uniform(-0.1, 0.3), 0.03), (rng.uniform(0.7, 1.0), 0.0)], stem]


def _o_with_loop(rng: np.random.Generator) -> list[Stroke]:
    """The end crosses the start and curls away above it."""
    out = (rng.uniform(0.5, 1.1), rng.uniform(-0.15, 0.08))
    return [[(0.75, 0.1), (0.3, 0.05), (0.0, 0.5), (0.4, 1.0), (0.9, 0.75), (0.9, 0.25), (0.5, 0.08), (0.55, 0.2), out]]


def _w_with_low_middle(rng: np.random.Generator) -> list[Stroke]:
    """Its middle hardly rises, so that it is nearly a V."""
    peak = rng.uniform(0.45, 0.75)
    left, middle, right = rng.uniform(0.2, 0.35), rng.uniform(0.42, 0.55), rng.uniform(0.62, 0.8)
    return [[(0.0, 0.0), (left, 1.0), (middle, peak), (right, 1.0), (1.0, rng.uniform(-0.1, 0.1))]]


def _w_in_rounds(rng: np.random.Generator) -> list[Stroke]:
    """Two round cups; the last stroke may curl in at its top."""
    peak = rng.uniform(0.1, 0.7)
    end = (rng.uniform(0.75, 1.15), rng.uniform(-0.02, 0.12))
    start = (rng.uniform(-0.15, 0.1), rng.uniform(0.0, 0.15))
    return [
        [
            start,
            (0.05, 0.5),
            (0.25, 1.0),
            (0.48, 0.75),
            (0.52, peak),
            (0.58, 0.8),
            (0.78, 1.0),
            (1.02, 0.5),
            (0.95, 0.05),
            end,
        ]
    ]


LETTER_SHAPES: dict[str, tuple[Shape, ...]] = {
    "A": (
        _around(
            [(-0.15, 0.9), (0.05, 1.0), (0.35, 0.4), (0.6, 0.0), (0.7, 0.5), (0.9, 1.0)], [(0.15, 0.65), (0.85, 0.6)]
        ),
    ),
    "B": (
        _around(
            [(0.3, 0.05), (0.2, 1.0)],
            [(-0.15, 0.2), (0.3, 0.0), (0.85, 0.1), (0.75, 0.4), (0.35, 0.5), (0.95, 0.62), (0.85, 0.92), (0.0, 1.0)],
        ),
        _around([(0.1, 0.0), (0.1, 1.0)], [(0.1, 0.0), (0.6, 0.2), (0.4, 0.42), (0.7, 0.7), (0.5, 0.97), (0.1, 1.0)]),
    ),
    "C": (
        _around([(0.6, 0.4), (0.9, 0.2), (0.6, 0.0), (0.1, 0.35), (0.15, 0.85), (0.6, 1.0), (1.0, 0.8)]),
        _around([(0.1, 0.25), (0.45, 0.25), (0.75, 0.0), (0.4, 0.05), (0.05, 0.6), (0.4, 1.0), (0.95, 0.8)]),
    ),
    "D": (
        _d_with_short_bowl,
        _around(
            [(0.3, 0.12), (0.25, 0.95)], [(-0.2, 0.2), (0.3, 0.0), (0.95, 0.3), (0.85, 0.8), (0.3, 1.0), (0.0, 0.9)]
        ),
        _around(
            [
                (0.4, 0.1),
                (0.35, 0.6),
                (0.1, 0.97),
                (0.0, 0.85),
                (0.3, 0.85),
                (0.7, 1.0),
                (1.0, 0.5),
                (0.7, 0.0),
                (0.1, 0.1),
            ]
        ),
        _around([(0.15, 0.05), (0.15, 1.0)], [(-0.15, 0.05), (0.5, 0.0), (0.95, 0.35), (0.75, 0.8), (0.1, 0.95)]),
    ),
    "E": (_around([(0.9, 0.15), (0.5, 0.0), (0.15, 0.2), (0.5, 0.45), (0.05, 0.75), (0.45, 1.0), (0.95, 0.85)]),),
    "F": (_around([(0.0, 0.03), (1.0, 0.0)], [(0.4, 0.02), (0.4, 1.0)], [(0.15, 0.48), (0.8, 0.45)]),),
    "H": (
        _h_with_tilted_bar,
        _h_in_joined_writing,
        _around(
            [(-0.1, 0.1), (0.25, 0.0), (0.2, 0.5), (0.1, 1.0)],
            [(1.0, 0.0), (0.7, 0.4), (0.15, 0.55), (0.2, 0.4), (0.6, 0.5), (0.65, 0.9), (1.0, 0.95)],
        ),
    ),
    "I": (_i_with_serifs,),
    "J": (_j_with_loop,),
    "K": (_k_with_round_arms,),
    "L": (
        _l_with_loop,
        _around(
            [
                (0.5, 0.4),
                (0.75, 0.08),
                (0.5, 0.0),
                (0.35, 0.4),
                (0.3, 0.8),
                (0.05, 0.97),
                (0.1, 0.8),
                (0.5, 0.92),
                (1.0, 0.95),
            ]
        ),
    ),
    "M": (
        _m_with_shallow_middle,
        _m_with_hanging_middle,
        _m_with_hanging_middle,
        _around(
            [(-0.1, 1.0), (0.15, 0.85), (0.3, 0.02)],
            [(0.3, 0.02), (0.45, 0.8), (0.8, 0.0)],
            [(0.8, 0.0), (0.85, 0.85), (1.1, 1.0)],
        ),
    ),
    "O": (_o_with_loop,),
    "T": (_t_with_roof,),
    "W": (_w_in_rounds, _w_with_low_middle),
    "X": (
        _around(
            [(0.0, 0.05), (0.35, 0.12), (0.47, 0.5), (0.3, 0.9), (0.0, 0.95)],
            [(1.0, 0.05), (0.65, 0.12), (0.52, 0.5), (0.65, 0.9), (1.0, 0.95)],
        ),
        _around([(-0.05, 0.15), (0.15, 0.05), (0.5, 0.5), (0.85, 0.97), (1.05, 0.85)], [(0.95, 0.0), (0.05, 1.0)]),
    ),
    "Z": (_z_with_bar,),
}
