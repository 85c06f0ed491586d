"""Page -> AlignedPage: find which template page a scan is, where it lies, and what on it is writing.

`align` reads pages against a template, `upright` those without one, `uprights` these in every way they may lie.
"""

from hwtranscribe.register.align import align, align_all
from hwtranscribe.register.printing import blank_page
from hwtranscribe.register.reference import Reference, prepare_reference
from hwtranscribe.register.upright import upright, uprights

__all__ = ["Reference", "align", "align_all", "blank_page", "prepare_reference", "upright", "uprights"]
