"""`drift demo`: the whole job, played on a local Azure.

`world.py` is the topology and `acts.py` what happens in it; `script.py` plays, `checks.py` judges the facts that
`facts.py` collects (pure), `show.py` shows. `azure.py`, `resolver.py` and `processes.py` are the doors.
"""
