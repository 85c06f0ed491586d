"""Reading the files a template refers to: only beside the template, and only up to a size."""

import difflib
from collections.abc import Iterator
from pathlib import Path

from hwtranscribe.errors import TemplateError

MAX_TEMPLATE_BYTES = 4 * 2**20
MAX_REFERENCE_BYTES = 256 * 2**20
MAX_LEXICON_BYTES = 16 * 2**20
MAX_LEXICON_VALUES = 500_000
MAX_VALUE_LENGTH = 200
MAX_NAMES_COMPARED = 1_000
_NO_FILE = "a folder, pipe or device, not a file"


def read_template(path: Path) -> bytes:
    """The bytes of a template.

    Raises:
        TemplateError: if there is no such file, or it can't be read or is too large.
    """
    try:
        if path.exists() and not path.is_file():
            raise TemplateError(f"{path}: {_NO_FILE}; give a form.toml")
        if not path.is_file():
            raise TemplateError(f"{path}: no such template file{suggestion(path.name, _names_in(path.parent))}")
        return _read_bounded(path, MAX_TEMPLATE_BYTES)
    except (OSError, ValueError) as error:
        raise TemplateError(f"{path}: can't be read: {reason(error)}") from None


def read_lexicon(path: Path) -> tuple[str, ...]:
    """The values of a lexicon, one a line, empty lines left out.

    Raises:
        ValueError: if it is not UTF-8, too large, or holds no values.
    """
    content = _read_bounded(path, MAX_LEXICON_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8; save the file as UTF-8") from None
    values = tuple(line.strip() for line in text.split("\n") if line.strip())
    if not values:
        raise ValueError("the file holds no values; write one a line")
    if len(values) > MAX_LEXICON_VALUES:
        raise ValueError(f"{len(values):,} values, at most {MAX_LEXICON_VALUES:,} are allowed")
    longest = max(values, key=len)
    if len(longest) > MAX_VALUE_LENGTH:
        raise ValueError(f"the value {longest[:40]!r}... has {len(longest)} characters, at most {MAX_VALUE_LENGTH}")
    return values


def beside(name: str, folder: Path) -> Path:
    """The file that a template in `folder` means by `name`.

    Raises:
        ValueError: if it lies outside the folder, or there is no such file.
    """
    if "\0" in name:
        raise ValueError("holds a NUL character, which no file name does")
    try:
        path = (folder / name).resolve()
        found = path.is_file()
    except OSError as error:
        raise ValueError(f"can't be read: {reason(error)}") from None
    if Path(name).is_absolute() or not path.is_relative_to(folder.resolve()):
        raise ValueError("lies outside the folder of the template; put the file beside the template")
    if not found and path.exists():
        raise ValueError(_NO_FILE)
    if not found:
        raise ValueError(f"no such file beside the template{suggestion(path.name, _names_in(path.parent))}")
    if path.stat().st_size > MAX_REFERENCE_BYTES:
        raise ValueError(f"larger than {MAX_REFERENCE_BYTES // 2**20} MiB")
    return path


def suggestion(wrong: str, known: list[str]) -> str:
    """A hint at the nearest of the other names that are known, or nothing."""
    others = [name for name in known if name != wrong]
    near = difflib.get_close_matches(wrong.lower(), others, n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def reason(error: Exception) -> str:
    """Why a file can't be read, without the errno and the path."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _read_bounded(path: Path, max_bytes: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(f"larger than {max_bytes // 2**20} MiB")
    return content


def _names_in(folder: Path) -> list[str]:
    def names() -> Iterator[str]:
        for count, path in enumerate(folder.iterdir()):
            if count == MAX_NAMES_COMPARED:
                return
            yield path.name

    return list(names()) if folder.is_dir() else []
