"""From a document to what was read in it: `transcriber.py` shows the order of the stages."""

from hwtranscribe.pipeline.transcriber import (
    Transcriber,
    describe_run,
    prepare_references,
    transcribe_document,
    transcribe_part,
)

__all__ = ["Transcriber", "describe_run", "prepare_references", "transcribe_document", "transcribe_part"]
