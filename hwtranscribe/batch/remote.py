"""Documents that lie elsewhere: `s3://`, `gs://` and whatever else fsspec reads; needs the extra `cluster`."""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from hwtranscribe.errors import DependencyError, DocumentError, UsageError
from hwtranscribe.journal import Fingerprint

_BLOCK_BYTES = 1 << 20


def is_url(path: str) -> bool:
    """Whether a path is not one of this machine."""
    return "://" in path


def list_documents(url: str) -> Iterator[tuple[str, str]]:
    """Files below a folder, or that match a glob, or the one file: URL and name relative to the folder.

    Raises:
        UsageError: The place can't be listed.
    """
    filesystem, root = _filesystem(url)
    try:
        if filesystem.isdir(root):
            paths, base = filesystem.find(root), root
        elif "*" in root or "?" in root:
            paths, base = filesystem.glob(root), root[: min(root.find(c) for c in "*?" if c in root)].rpartition("/")[0]
        elif filesystem.exists(root):
            paths, base = [root], str(PurePosixPath(root).parent)
        else:
            paths, base = [], root
        for path in paths:
            if not filesystem.isdir(path):
                relative = path.removeprefix(base).lstrip("/") if base not in ("", ".") else path.lstrip("/")
                yield filesystem.unstrip_protocol(path), relative
    except Exception as error:  # every file system has its own exceptions
        raise UsageError(f"{url}: can't be listed: {error}") from error


def fingerprint(url: str) -> Fingerprint:
    """Size and a number that changes with the file; empty where it can't be had."""
    try:
        filesystem, path = _filesystem(url)
        facts = filesystem.info(path)
    except Exception:  # the same: reading it explains better
        return Fingerprint(None, None, None)
    stamp = next((facts[key] for key in ("ETag", "etag", "mtime", "LastModified", "created") if facts.get(key)), None)
    number = None if stamp is None else int.from_bytes(hashlib.sha256(str(stamp).encode()).digest()[:7], "big")
    return Fingerprint(facts.get("size"), number, None)


class Downloads:
    """Keeps the last file that was fetched: the parts of a long document come one after the other."""

    def __init__(self) -> None:
        self._key: tuple[str, Fingerprint] | None = None
        self._path: Path | None = None

    def fetch(self, url: str) -> Path:
        """A local copy; good until the next call.

        Raises:
            DocumentError: `not_found` or `unreadable`.
        """
        key = url, fingerprint(url)
        if key == self._key and self._path is not None:
            return self._path
        self.forget()
        filesystem, path = _filesystem(url)
        try:
            with (
                filesystem.open(path, "rb") as source,
                tempfile.NamedTemporaryFile(suffix=PurePosixPath(path).suffix[:16], delete=False) as target,
            ):
                self._path = Path(target.name)
                while block := source.read(_BLOCK_BYTES):
                    target.write(block)
        except FileNotFoundError:
            self.forget()
            raise DocumentError("not_found", "the file does not exist (any more)") from None
        except Exception as error:
            self.forget()
            raise DocumentError("unreadable", f"can't be fetched: {error}") from None
        self._key = key
        return self._path

    def forget(self) -> None:
        """Remove the copy."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
        self._key = self._path = None


downloads = Downloads()
"""Of this process."""


def copy_to(folder: Path, names: Iterable[Path], url: str) -> None:
    """Copy files of a folder to a place elsewhere.

    Raises:
        UsageError: It can't be written.
    """
    filesystem, root = _filesystem(url)
    try:
        for name in names:
            target = f"{root.rstrip('/')}/{name.as_posix()}"
            filesystem.makedirs(target.rpartition("/")[0], exist_ok=True)
            filesystem.put_file(str(folder / name), target)
    except Exception as error:
        raise UsageError(f"{url}: can't be written: {error}") from error


def _filesystem(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise DependencyError(f"{url}: needs fsspec: pip install 'hwtranscribe[cluster]'") from None
    try:
        return url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise UsageError(f"{url}: {error}") from error
