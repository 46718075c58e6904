"""Notebooks that explore the history, and the loader they share."""
