"""What a field may hold, as automata that the search for its reading steps along (see `base.Constraint`)."""

from hwtranscribe.constraint.base import ALPHABETS, Constraint, accepts_text, fold, shortest_length
from hwtranscribe.constraint.lexicon import Lexicon
from hwtranscribe.constraint.pattern import Pattern
from hwtranscribe.constraint.pattern_syntax import PatternError
from hwtranscribe.constraint.product import Product
from hwtranscribe.constraint.ranges import Range

__all__ = [
    "ALPHABETS",
    "Constraint",
    "Lexicon",
    "Pattern",
    "PatternError",
    "Product",
    "Range",
    "accepts_text",
    "fold",
    "shortest_length",
]
