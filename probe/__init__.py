"""Asks: what does the resolver answer, and why is it wrong? Never writes.

`run.py` is the recipe: whom to ask for (`targets.py`), ask (`resolve.py`, sockets; `wire.py` reads bytes), judge
(`verdict.py`, pure), compare with Azure (`crosscheck.py` and `links.py`, pure; `facts.py` reads), report (`report.py`).
"""
