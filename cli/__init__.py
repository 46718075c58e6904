"""The `drift` command. `main.py` declares the commands, a module each does the work."""
