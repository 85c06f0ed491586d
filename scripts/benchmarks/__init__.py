"""Measurements: how right, how fast, and where it breaks."""
