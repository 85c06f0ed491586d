"""Digits in shapes that schools outside the United States teach and the data sets hardly hold."""

import numpy as np

from hwtranscribe.training.strokes import Shape, Stroke


def _zero_with_tail(rng: np.random.Generator) -> list[Stroke]:
    """The end of the round goes on, into it or over it."""
    into = (rng.uniform(0.15, 0.6), rng.uniform(0.15, 0.5))
    return [[(0.6, 0.03), (0.15, 0.15), (0.0, 0.55), (0.3, 0.97), (0.8, 0.85), (1.0, 0.4), (0.75, 0.08), into]]


def _zero_with_bar(rng: np.random.Generator) -> list[Stroke]:
    round_ = [(0.5, 0.0), (0.1, 0.2), (0.0, 0.6), (0.4, 1.0), (0.9, 0.8), (1.0, 0.35), (0.7, 0.02), (0.45, 0.0)]
    rise = rng.uniform(-0.05, 0.45)
    reach = rng.uniform(0.0, 0.25)
    return [round_, [(0.1 - reach, 0.5 + rise), (0.9 + reach, 0.5 - rise)]]


def _zero_with_ligature(rng: np.random.Generator) -> list[Stroke]:
    """The stroke that joins it to the next digit, or to the one before, at the top."""
    end = (rng.uniform(1.15, 1.6), rng.uniform(-0.15, 0.25))
    start = (rng.uniform(-0.5, -0.1), rng.uniform(-0.1, 0.25)) if rng.random() < 0.35 else (0.55, 0.02)
    if start[0] < 0 and rng.random() < 0.5:
        end = (0.4, 0.0)
    return [[start, (0.15, 0.15), (0.0, 0.55), (0.35, 1.0), (0.85, 0.8), (0.95, 0.35), (0.65, 0.05), end]]


def _zero_with_foot(rng: np.random.Generator) -> list[Stroke]:
    """The end runs along under it."""
    start = (rng.uniform(0.2, 0.6), rng.uniform(0.75, 0.95))
    end = (rng.uniform(0.9, 1.4), rng.uniform(0.95, 1.1))
    return [[start, (0.9, 0.65), (0.9, 0.2), (0.5, 0.0), (0.08, 0.3), (0.15, 0.8), (0.5, 0.97), end]]


def _zero_lying(rng: np.random.Generator) -> list[Stroke]:
    """Wider than high, as in a quick row of zeros; it may stay open."""
    wide, end = rng.uniform(1.3, 3.0), rng.uniform(0.4, 1.05)
    round_ = [(0.55, 0.02), (0.15, 0.15), (0.0, 0.5), (0.3, 0.97), (0.7, 0.95), (1.0, 0.5), (0.8, 0.1)]
    last = (0.8 - 0.35 * end, 0.1 - 0.1 * end)
    return [[(wide * x, y) for x, y in [*round_, last]]]


def _one_with_upstroke(rng: np.random.Generator) -> list[Stroke]:
    """An upstroke nearly as long as the stem."""
    start = (rng.uniform(-0.3, 0.25), rng.uniform(0.3, 1.0))
    foot = rng.uniform(0.45, 0.75)
    strokes: list[Stroke] = [[start, (0.65, 0.0)], [(0.65, 0.0), (foot, 1.0)]]
    if rng.random() < 0.2:
        strokes.append([(foot - 0.3, 1.0), (foot + 0.3, 0.98)])
    return strokes


def _one_in_one_stroke(rng: np.random.Generator) -> list[Stroke]:
    """Up and down without a corner, as in joined writing."""
    top = rng.uniform(0.55, 0.75)
    start = (rng.uniform(0.0, 0.3), rng.uniform(0.4, 0.75))
    return [[start, (top - 0.15, 0.2), (top, 0.0), (top - 0.08, 0.3), (rng.uniform(0.35, 0.55), 1.0)]]


def _one_as_an_arch(rng: np.random.Generator) -> list[Stroke]:
    """A long upstroke that turns into the stem in a round."""
    start = (rng.uniform(-0.25, 0.0), rng.uniform(0.3, 0.65))
    return [[start, (0.1, 0.15), (0.45, 0.0), (0.65, 0.3), (rng.uniform(0.5, 0.75), 1.0)]]


def _one_with_loop(rng: np.random.Generator) -> list[Stroke]:
    start = (rng.uniform(-0.1, 0.2), rng.uniform(0.5, 0.9))
    return [[start, (0.6, 0.3), (0.78, 0.06), (0.62, -0.02), (0.48, 0.28), (rng.uniform(0.3, 0.5), 1.0)]]


def _two_with_curl(rng: np.random.Generator) -> list[Stroke]:
    """The top begins inside its own round."""
    start = (rng.uniform(0.25, 0.55), rng.uniform(0.3, 0.5))
    end = (rng.uniform(0.8, 1.1), rng.uniform(0.85, 1.0))
    return [[start, (0.12, 0.28), (0.4, 0.0), (0.8, 0.2), (0.65, 0.55), (0.2, 0.92), (0.5, 0.9), end]]


def _two_with_deep_curl(rng: np.random.Generator) -> list[Stroke]:
    """The top begins so deep that it nearly closes, and the foot is short."""
    start = (rng.uniform(0.3, 0.6), rng.uniform(0.5, 0.75))
    end = (rng.uniform(0.75, 1.1), rng.uniform(0.95, 1.15))
    return [[start, (0.05, 0.5), (0.3, 0.02), (0.85, 0.2), (0.6, 0.65), (0.12, 0.95), (0.45, 0.9), end]]


def _two_with_loop(rng: np.random.Generator) -> list[Stroke]:
    """A loop where the stem meets the foot."""
    end = (rng.uniform(0.8, 1.1), rng.uniform(0.8, 0.95))
    start = (rng.uniform(0.0, 0.2), rng.uniform(0.15, 0.35))
    return [[start, (0.4, 0.0), (0.8, 0.22), (0.6, 0.6), (0.15, 0.98), (0.05, 0.82), (0.35, 0.85), (0.6, 0.98), end]]


def _three_with_flat_top(rng: np.random.Generator) -> list[Stroke]:
    waist = (rng.uniform(0.3, 0.55), rng.uniform(0.35, 0.45))
    return [[(0.05, 0.05), (0.85, 0.03)], [(0.85, 0.03), waist], [waist, (0.9, 0.6), (0.6, 1.0), (0.0, 0.9)]]


def _open_four(rng: np.random.Generator) -> list[Stroke]:
    """Two strokes that do not meet at the top; the right one may be short."""
    corner = (rng.uniform(0.0, 0.15), rng.uniform(0.5, 0.92))
    right = (rng.uniform(0.8, 1.0), corner[1] + rng.uniform(-0.15, 0.05))
    top = (rng.uniform(0.3, 0.6), 0.0)
    stem_top = (rng.uniform(0.65, 0.85), rng.uniform(0.1, 0.8))
    return [[top, corner], [corner, right], [stem_top, (rng.uniform(0.5, 0.7), 1.0)]]


def _four_in_one_stroke(rng: np.random.Generator) -> list[Stroke]:
    """Down, across and down again: a 5 without its bar, but for the corner."""
    corner = (rng.uniform(-0.05, 0.15), rng.uniform(0.4, 0.6))
    across = (rng.uniform(0.7, 0.95), corner[1] + rng.uniform(-0.12, 0.05))
    return [[(rng.uniform(0.25, 0.7), 0.0), corner, (corner[0] + 0.1, corner[1] + 0.03), across, (0.6, 1.0)]]


def _five_with_bar_apart(rng: np.random.Generator) -> list[Stroke]:
    lift = rng.uniform(-0.08, 0.02)
    bowl = [(0.3, 0.08), (0.2, 0.42), (0.6, 0.42), (0.9, 0.7), (0.5, 1.0), (0.0, 0.92)]
    return [bowl, [(0.3 + rng.uniform(-0.05, 0.2), 0.08 + lift), (rng.uniform(0.8, 1.1), lift)]]


def _five_in_one_stroke(rng: np.random.Generator) -> list[Stroke]:
    end = (rng.uniform(-0.1, 0.1), rng.uniform(0.75, 0.95))
    return [[(1.0, rng.uniform(-0.02, 0.1)), (0.4, 0.0), (0.15, 0.38), (0.65, 0.45), (0.9, 0.75), (0.45, 1.0), end]]


def _seven_with_wave_and_tail(rng: np.random.Generator) -> list[Stroke]:
    """The top begins with a hook, the stem ends in a curl, the bar slants."""
    hook = (rng.uniform(-0.05, 0.15), rng.uniform(0.2, 0.4))
    tail = (rng.uniform(0.5, 0.8), rng.uniform(0.85, 1.0)) if rng.random() < 0.4 else (0.1, 1.0)
    half, tilt, middle = rng.uniform(0.25, 0.5), rng.uniform(-0.12, 0.2), rng.uniform(0.4, 0.6)
    stem: Stroke = [(1.0, 0.0), (0.7, 0.35), (0.45, 0.7), (0.35, 0.97), tail]
    return [
        [hook, (0.1, 0.05), (0.4, 0.15), (1.0, 0.0)],
        stem,
        [(0.6 - half, middle + tilt), (0.6 + half, middle - tilt)],
    ]


def _seven_with_bar(rng: np.random.Generator) -> list[Stroke]:
    """A serif or a wave at the top, and a bar through the stem."""
    foot = rng.uniform(0.25, 0.5)
    half, tilt = rng.uniform(0.2, 0.4), rng.uniform(-0.1, 0.05)
    top: Stroke = [(0.05, 0.2), (0.12, 0.05), (0.5, 0.1), (0.95, 0.02)]
    if rng.random() < 0.5:
        top = [(0.0, 0.05), (0.95, 0.02)]
    middle = 0.45 + rng.uniform(-0.08, 0.12)
    return [
        top,
        [(0.95, 0.02), (0.65, 0.45), (foot, 1.0)],
        [(0.6 - half, middle - tilt), (0.6 + half, middle + tilt)],
    ]


def _seven_with_curled_foot(rng: np.random.Generator) -> list[Stroke]:
    """A wave at the top, and a stem that turns out at its foot; the bar tells it from a 2."""
    foot = (rng.uniform(0.55, 0.9), rng.uniform(0.88, 1.0))
    half, tilt, middle = rng.uniform(0.22, 0.5), rng.uniform(-0.08, 0.12), rng.uniform(0.42, 0.65)
    stem: Stroke = [(0.95, 0.03), (0.75, 0.3), (0.5, 0.6), (0.35, 0.9), (0.42, 1.0), foot]
    return [
        [(rng.uniform(-0.05, 0.1), rng.uniform(0.12, 0.3)), (0.15, 0.02), (0.5, 0.1), (0.95, 0.03)],
        stem,
        [(0.55 - half, middle + tilt), (0.55 + half, middle - tilt)],
    ]


def _seven_with_deep_hook(rng: np.random.Generator) -> list[Stroke]:
    """The top hangs down into a hollow, as in a y; the bar tells what it is."""
    half, tilt, middle = rng.uniform(0.25, 0.5), rng.uniform(-0.15, 0.15), rng.uniform(0.45, 0.65)
    return [
        [(0.0, rng.uniform(0.0, 0.15)), (0.15, 0.25), (0.5, 0.22), (0.9, 0.0)],
        [(0.9, 0.0), (0.65, 0.45), (rng.uniform(0.3, 0.55), 1.0)],
        [(0.58 - half, middle + tilt), (0.58 + half, middle - tilt)],
    ]


def _nine_from_the_top(rng: np.random.Generator) -> list[Stroke]:
    """The start crosses the round or stays open above it."""
    start = (rng.uniform(0.1, 0.6), rng.uniform(-0.08, 0.05))
    foot = (rng.uniform(0.2, 0.7), 1.0)
    return [[start, (0.8, 0.12), (0.6, 0.45), (0.15, 0.4), (0.1, 0.12), (0.5, 0.02), (0.75, 0.4), (0.65, 0.75), foot]]


def _nine_with_tail(rng: np.random.Generator) -> list[Stroke]:
    """A round whose stem curls back under it."""
    tail = (rng.uniform(-0.1, 0.4), rng.uniform(0.65, 0.95))
    head: Stroke = [(0.85, 0.2), (0.45, 0.0), (0.05, 0.22), (0.35, 0.48), (0.8, 0.3), (0.88, 0.1)]
    return [head, [(0.88, 0.1), (0.85, 0.5), (0.75, 0.9), (0.45, 1.0), tail]]


def _nine_with_stem(rng: np.random.Generator) -> list[Stroke]:
    """One stroke, the stem straight or leaning out."""
    foot = (rng.uniform(0.3, 1.1), 1.0)
    return [[(0.8, 0.1), (0.4, 0.0), (0.05, 0.25), (0.4, 0.5), (0.8, 0.2), (0.82, 0.5), foot]]


DIGIT_SHAPES: dict[str, tuple[Shape, ...]] = {
    "0": (_zero_with_tail, _zero_with_bar, _zero_with_ligature, _zero_with_foot, _zero_lying),
    "1": (_one_with_upstroke, _one_with_upstroke, _one_in_one_stroke, _one_as_an_arch, _one_with_loop),
    "2": (_two_with_curl, _two_with_deep_curl, _two_with_loop),
    "3": (_three_with_flat_top,),
    "4": (_open_four, _four_in_one_stroke),
    "5": (_five_with_bar_apart, _five_in_one_stroke),
    "7": (_seven_with_bar, _seven_with_wave_and_tail, _seven_with_curled_foot, _seven_with_deep_hook),
    "9": (_nine_with_tail, _nine_with_stem, _nine_from_the_top),
}
