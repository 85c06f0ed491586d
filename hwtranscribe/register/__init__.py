"""Page -> AlignedPage: find which template page a scan is, where it lies, and what on it is writing.

`align` reads pages against a template, `upright` those without one, `ways_upright` these in every way
they may lie.
"""

from hwtranscribe.register.align import align, align_all
from hwtranscribe.register.printing import blank_page
from hwtranscribe.register.reference import Reference, prepare_reference
from hwtranscribe.register.upright import Ways, upright, ways_upright

__all__ = ["Reference", "Ways", "align", "align_all", "blank_page", "prepare_reference", "upright", "ways_upright"]
