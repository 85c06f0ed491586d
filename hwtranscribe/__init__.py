"""Reads hand-printed letters and digits off scanned forms and pages.

```python
from hwtranscribe import Classifier, FormTemplate, Transcriber

result = Transcriber(form=FormTemplate.load("form.toml")).read("scan.pdf")
```

Importing this package loads no JAX, TensorFlow or OpenCV: the names below are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from hwtranscribe.classify import Classifier
    from hwtranscribe.form import FormTemplate
    from hwtranscribe.pipeline import Transcriber

_HOMES = {
    "Classifier": "hwtranscribe.classify",
    "FormTemplate": "hwtranscribe.form",
    "Transcriber": "hwtranscribe.pipeline",
}

__all__ = ["Classifier", "FormTemplate", "Transcriber", "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
