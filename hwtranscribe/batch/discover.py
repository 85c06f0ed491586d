"""INPUT... -> the documents to read, with the names they have in the outputs."""

import glob
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath

from hwtranscribe.batch.remote import is_url, list_documents
from hwtranscribe.errors import NoInputError, UsageError
from hwtranscribe.render.formats import SUFFIXES
from hwtranscribe.types import PageError

_NUMBER = re.compile("([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Found:
    """A document to read.

    Attributes:
        path: Absolute, or a URL; bytes of the name that are not UTF-8 are kept as surrogates.
        document: Its name in the outputs, `/` separated, UTF-8, unique.
        error: Why it need not even be tried, or None.
    """

    path: str
    document: str
    error: PageError | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """What the inputs hold.

    Attributes:
        documents: In natural order of their names.
        skipped: Number of files in folders and globs that are of no type that can be read, or hidden.
    """

    documents: tuple[Found, ...]
    skipped: int


def discover(inputs: Sequence[str], output: Path | None = None) -> Discovery:
    """Find the documents in files, folders and globs.

    A folder is walked; links to folders are not followed, so that a loop of links ends. A document found twice is read
    once. Where two documents would have the same name, both get their path from the folder that all inputs share.

    Args:
        inputs: As given on the command line.
        output: A folder that is left out: pictures that an earlier run wrote are no input.

    Raises:
        NoInputError: There is nothing to read.
        UsageError: See `check_inputs`.
    """
    discovery = look_for(inputs, output)
    documents = discovery.documents
    if any(item.error is None for item in documents):
        return discovery
    if documents:
        raise NoInputError("; ".join(f"{item.path}: {item.error.detail}" for item in documents if item.error))
    names = ", ".join(map(repr, inputs))
    raise NoInputError(f"no PDF or image in {names} ({discovery.skipped} other files skipped)")


def look_for(inputs: Sequence[str], output: Path | None = None) -> Discovery:
    """Find documents as `discover` does; it may be that there are none.

    Raises:
        UsageError: See `check_inputs`.
    """
    check_inputs(inputs, output)
    excluded = _real(output) if output is not None else None
    skipped: set[str] = set()
    found: dict[str, Found] = {}
    for text in inputs:
        for item in _expand(text, excluded):
            if isinstance(item, str):
                skipped.add(item)
            else:
                found.setdefault(item.path, item)
    documents = _with_unique_names(list(found.values()))
    return Discovery(tuple(sorted(documents, key=lambda item: natural_key(item.document))), len(skipped))


def check_inputs(inputs: Sequence[str], output: Path | None) -> None:
    """Refuse inputs that can't be meant.

    Raises:
        UsageError: The output folder is an input, or an input is empty.
    """
    if "" in inputs:
        raise UsageError("INPUT '' is empty; give a file, a folder or a glob")
    if output is not None and is_folder(output) and any(is_folder(Path(t)) and output.samefile(t) for t in inputs):
        raise UsageError(f"--out {output} is the input folder; choose another folder")


def natural_key(document: str) -> tuple[tuple[tuple[bool, int, str], ...], ...]:
    """Sort key: numbers by value, capitals beside small letters, folder by folder."""
    parts = (_NUMBER.split(part) for part in document.split("/"))
    return (
        *(
            tuple((not p.isdecimal(), int(p) if i % 2 else 0, p.casefold()) for i, p in enumerate(ps) if p)
            for ps in parts
        ),
        ((True, 0, document),),
    )


def _real(path: Path) -> Path:
    """The path with all links followed; `Path.resolve` refuses loops of links."""
    return Path(os.path.realpath(path))


def is_folder(path: Path) -> bool:
    """Whether a folder can be seen there: nothing can where there is no permission or the name is too long."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _expand(text: str, excluded: Path | None) -> Iterator[Found | str]:
    """Documents of one input, and the paths of files that are skipped.

    Args:
        text: As given.
        excluded: The output folder with all links followed, or None.
    """
    if is_url(text):
        yield from _expand_url(text)
        return
    path = Path(os.path.normpath(Path(text).absolute()))
    if is_folder(path):
        yield from _walk(path, path, excluded)
    elif os.path.lexists(path):
        yield Found(str(path), _name(path, path.parent))
    elif glob.has_magic(text):
        yield from _expand_glob(path, excluded)
    else:
        yield Found(str(path), _name(path, path.parent), _why_missing(path))


def _expand_glob(pattern: Path, excluded: Path | None) -> Iterator[Found | str]:
    root = pattern
    while glob.has_magic(str(root)):
        root = root.parent
    try:
        matches = sorted(root.glob(str(pattern.relative_to(root))))
    except ValueError as error:
        raise UsageError(f"INPUT {str(pattern)!r}: no pattern that can be used: {error}") from None
    except OSError as error:
        yield Found(str(pattern), _name(pattern, root), _unreadable(error))
        return
    real = cache(_real)  # many files are in one folder
    for match in matches:
        is_one = is_folder(match)
        if excluded is not None and real(match if is_one else match.parent).is_relative_to(excluded):
            continue
        if is_one:
            yield from _walk(match, root, excluded)
        else:
            yield _found_or_skipped(match, root)


def _why_missing(path: Path) -> PageError:
    try:
        path.lstat()
    except OSError as error:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            return _unreadable(error)
    return PageError(None, "not_found", "no such file or folder")


def _unreadable(error: OSError) -> PageError:
    return PageError(None, "unreadable", f"can't be opened: {error.strerror}")


def _expand_url(url: str) -> Iterator[Found | str]:
    found = False
    for path, name in list_documents(url):
        found = True
        readable = not PurePosixPath(name).name.startswith(".") and PurePosixPath(name).suffix.lower() in SUFFIXES
        yield Found(path, name) if readable or path == url else path
    if not found:
        yield Found(url, PurePosixPath(url).name, PageError(None, "not_found", "no such file or folder"))


def _walk(folder: Path, root: Path, excluded: Path | None) -> Iterator[Found | str]:
    """Documents below a folder, named from `root`."""
    real = _real(folder)
    problems: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=problems.append):
        here = Path(parent)
        really_here = real / here.relative_to(folder)
        folders[:] = [name for name in folders if not name.startswith(".") and really_here / name != excluded]
        for name in files:
            yield _found_or_skipped(here / name, root)
    for problem in problems:
        error = PageError(None, "unreadable", f"the folder can't be opened: {problem.strerror}")
        yield Found(problem.filename, _name(Path(problem.filename), root), error)


def _found_or_skipped(path: Path, root: Path) -> Found | str:
    if path.name.startswith(".") or path.suffix.lower() not in SUFFIXES:
        return str(path)
    return Found(str(path), _name(path, root))


def _name(path: Path, root: Path) -> str:
    """Path relative to `root`, `/` separated; bytes that are not UTF-8 are written as escapes."""
    return path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode() or path.name


def _with_unique_names(documents: list[Found]) -> list[Found]:
    counts = Counter(item.document for item in documents)
    if max(counts.values(), default=1) == 1:
        return documents
    urls = any(is_url(item.path) for item in documents)
    root = Path() if urls else Path(os.path.commonpath([Path(item.path).parent for item in documents]))
    taken = {name for name, count in counts.items() if count == 1}
    unique = []
    for item in documents:
        name, number = item.document, 1
        if counts[name] > 1:
            base = name = item.path.replace("://", "/") if urls else _name(Path(item.path), root)
            while name in taken:
                number += 1
                name = f"{base}~{number}"
            taken.add(name)
        unique.append(replace(item, document=name))
    return unique
