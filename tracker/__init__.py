"""Observes: does DNS say what the container group is? Never writes.

`run.py` is the recipe that a trigger calls: whom is the event about (`subject.py` pure, `find.py` reads), look
(`look.py`, reads), compare (`compare.py` and `zones.py`, pure), report (`report.py`, pure), emit.
"""
