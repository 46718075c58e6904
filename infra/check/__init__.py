"""Checks the Bicep files without a compiler: what a machine that cannot install one can still know for certain."""
