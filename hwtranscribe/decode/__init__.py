"""CharScores and what a field may hold to FieldReading.

`search` walks the lattice with the field's constraint, `line` asks the whole line about the texts it finds, `field`
weighs them, `confidence` says how sure they are; `path` cuts a field into characters of any kind, `cell` puts the lines
of a cell of a table together.
"""

from hwtranscribe.decode.cell import join_lines
from hwtranscribe.decode.field import decode_field
from hwtranscribe.decode.path import likely_edges
from hwtranscribe.decode.search import UNREADABLE

__all__ = ["UNREADABLE", "decode_field", "join_lines", "likely_edges"]
