"""Draws forms filled in by hand, as scanners see them: for samples, tests and benchmarks; not in the wheel."""
