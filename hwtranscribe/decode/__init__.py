"""CharScores and what a field may hold to FieldReading.

`search` walks the lattice with the field's constraint, `field` weighs the texts it finds, `confidence` says how sure
they are, `cell` puts the lines of a cell of a table together.
"""

from hwtranscribe.decode.cell import join_lines
from hwtranscribe.decode.field import decode_field
from hwtranscribe.decode.search import UNREADABLE

__all__ = ["UNREADABLE", "decode_field", "join_lines"]
