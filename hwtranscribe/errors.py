"""Exit codes and the exceptions that own them.

```
HwtranscribeError           1   a bug, unless a subclass says otherwise
├── UsageError              2   an option or argument makes no sense
├── NoInputError            3   nothing that could be read was found
├── DocumentError           4   one document can't be read; the batch goes on
├── DependencyError         5   an optional package or program is missing
├── TemplateError           6   form.toml or what it refers to is wrong
├── CheckpointError         6   the checkpoint is missing, damaged or of another version
└── OutputError             7   the output folder can't be used, or stdout
```

Only the command line turns an exception into a process exit.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """Process exit codes; stable."""

    DONE = 0
    BUG = 1
    USAGE = 2
    NO_INPUT = 3
    SOME_FAILED = 4
    DEPENDENCY = 5
    TEMPLATE_OR_CHECKPOINT = 6
    OUTPUT = 7
    INTERRUPTED = 130


class HwtranscribeError(Exception):
    """Base of everything that this package raises on purpose."""

    exit_code = ExitCode.BUG


class UsageError(HwtranscribeError):
    """An option or argument makes no sense."""

    exit_code = ExitCode.USAGE


class NoInputError(HwtranscribeError):
    """No input that could be read was found."""

    exit_code = ExitCode.NO_INPUT


class DocumentError(HwtranscribeError):
    """One document, or one page of it, can't be read.

    Attributes:
        code: Stable short name for `errors.csv`, such as `encrypted`.
        detail: What is wrong and what to do, for a person.
        page: 1-based page, or None when the whole document is meant.
    """

    exit_code = ExitCode.SOME_FAILED

    def __init__(self, code: str, detail: str, page: int | None = None) -> None:
        super().__init__(code, detail, page)
        self.code = code
        self.detail = detail
        self.page = page

    def __str__(self) -> str:
        where = "" if self.page is None else f"page {self.page}: "
        return f"{self.code}: {where}{self.detail}"


class DependencyError(HwtranscribeError):
    """An optional package or program is missing."""

    exit_code = ExitCode.DEPENDENCY


class TemplateError(HwtranscribeError):
    """A form template, or a file it refers to, is wrong."""

    exit_code = ExitCode.TEMPLATE_OR_CHECKPOINT


class CheckpointError(HwtranscribeError):
    """A checkpoint is missing, damaged or of another version."""

    exit_code = ExitCode.TEMPLATE_OR_CHECKPOINT


class OutputError(HwtranscribeError):
    """The output folder, or stdout, can't be used."""

    exit_code = ExitCode.OUTPUT
