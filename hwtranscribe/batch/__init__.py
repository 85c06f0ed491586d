"""Batches of documents: found, read by any executor, recorded in a journal, exported."""
