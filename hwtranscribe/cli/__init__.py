"""The command line: parse, call, map exceptions to exit codes; nothing else.

Heavy modules are imported inside the commands: `--help` and usage errors load no JAX, no OpenCV and no TensorFlow.
"""

import io
import os
import sys
import traceback
from typing import Any

from hwtranscribe.cli import batch, form, training  # noqa: F401  they add their commands to the app
from hwtranscribe.cli.app import app
from hwtranscribe.errors import ExitCode, HwtranscribeError

__all__ = ["app", "main", "run"]


def main() -> None:
    """Run the command line and end the process with its exit code."""
    _prepare_streams()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command and return its exit code; everything that goes wrong becomes one message on stderr."""
    debug = "--debug" in arguments
    try:
        app(arguments, prog_name="hwtranscribe")
    except SystemExit as ended:  # how typer reports everything that it handles: help, usage, Ctrl-C
        return ended.code if isinstance(ended.code, int) else ExitCode.DONE
    except HwtranscribeError as error:
        if debug:
            traceback.print_exc()
        _say(str(error))
        return error.exit_code
    except Exception as error:
        if debug:
            traceback.print_exc()
        _say(f"this is a bug: {type(error).__name__}: {error}")
        _say("please report it, with the command and what it prints with --debug added")
        return ExitCode.BUG
    return ExitCode.DONE


def _say(message: str) -> None:
    sys.stderr.write(f"hwtranscribe: {message}\n")


class _Dropping(io.FileIO):
    """A file that loses what can't be written to it: messages must not end a run or change its exit code."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


def _prepare_streams() -> None:
    """Have stdout and stderr take names that are not UTF-8, as escapes, and stderr be closed or full."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        # It was closed; a file of ours in its place, here or in a worker, would get what libraries print.
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_Dropping(2, "wb", closefd=False)),
        encoding=sys.stderr.encoding if sys.stderr else "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
