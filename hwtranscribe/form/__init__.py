"""The template of a form: what `form.toml` says, checked, with what is wrong explained.

A template is data from a stranger: the files it names must lie beside it, and everything in it is bounded.
"""

from hwtranscribe.form.field import FieldTemplate
from hwtranscribe.form.rules import apply_rules
from hwtranscribe.form.template import FormTemplate, PageTemplate

__all__ = ["FieldTemplate", "FormTemplate", "PageTemplate", "apply_rules"]
