"""Hostile input: whole files, the ways to damage them, and a run that reads what comes of it."""
