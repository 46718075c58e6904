"""Writes DNS: what should it say, what must change, apply it. The only room that writes.

`run.py` is the recipe that a trigger calls. It starts `worker.sh`, which starts `worker.py`, whose recipe is
`converge.py`: observe (reads), plan (pure), apply (writes).
"""
