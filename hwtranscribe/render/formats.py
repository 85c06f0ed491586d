"""Which files can be read, told by their content."""

import stat
from pathlib import Path

from hwtranscribe.errors import DocumentError

SUFFIXES = frozenset({".pdf", ".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".bmp", ".webp", ".gif"})
"""Endings, in lower case, of the files that a folder is searched for."""

_HEAD_BYTES = 1024  # a PDF's header may come after this much of something else
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"BM", "bmp"),
    (b"GIF8", "gif"),
)


def identify(path: Path) -> str:
    """Type of a file by its first bytes: scanners and mail programs get endings wrong.

    Returns:
        `pdf`, `png`, `jpeg`, `tiff`, `bmp`, `gif` or `webp`.

    Raises:
        DocumentError: `not_found`, `not_a_file`, `unreadable`, `empty_file`, `corrupt` (the ending promises a type that
            the content is not) or `unsupported_type`.
    """
    try:
        mode = path.stat().st_mode
        # Before opening: opening a pipe waits for somebody to write into it.
        if not stat.S_ISREG(mode):
            raise DocumentError("not_a_file", "not a regular file")
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError:
        raise DocumentError("not_found", "the file does not exist (any more)") from None
    except (OSError, ValueError) as error:
        raise DocumentError("unreadable", f"can't be opened: {getattr(error, 'strerror', None) or error}") from None
    if not head:
        raise DocumentError("empty_file", "the file has 0 bytes")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if b"%PDF-" in head:
        return "pdf"
    if path.suffix.lower() in SUFFIXES:
        raise DocumentError("corrupt", f"the name ends in {path.suffix!r} but the content is no such file")
    raise DocumentError("unsupported_type", "the content is neither PDF, PNG, JPEG, TIFF, BMP, WebP nor GIF")
