"""Ruled lines: finding them, and taking them off the page without eating the strokes that cross them.

A rule is long, straight and thin. Across it, the run of dark px is as thick as the rule; where a stroke crosses or
touches, the run is longer and is kept whole, so the stroke stays in one piece (line removal by run lengths, as in
Yu & Jain 1996). Short rules count when both ends meet rules of the other direction: the sides of a box.
"""

from hwtranscribe.imaging.rules.bars import Bars, bars_of
from hwtranscribe.imaging.rules.dotted import find_dotted
from hwtranscribe.imaging.rules.erase import drawn_through, erase_rules, follow_rules, reach_of
from hwtranscribe.imaging.rules.find import Rules, find_rules
from hwtranscribe.imaging.rules.squared import may_be_squared, with_squares

__all__ = [
    "Bars",
    "Rules",
    "bars_of",
    "drawn_through",
    "erase_rules",
    "find_dotted",
    "find_rules",
    "follow_rules",
    "may_be_squared",
    "reach_of",
    "with_squares",
]
