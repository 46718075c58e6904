"""Doors to Azure, the only importers of `azure.*`. Importing the package loads nothing; each door loads its own SDK."""
