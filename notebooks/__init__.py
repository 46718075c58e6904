"""Exploring the history: notebooks, and the loader and the helpers that they share (notebooks/history.py).

Everything here reads. What takes a DataFrame and gives one is pure: no clock, environment or network in it; the doors
are source.py (where the events are), loading.py (files) and fetching.py (a workspace).
"""
