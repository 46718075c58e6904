"""KQL: the workspace functions and queries as they are deployed, and the engines that run them.

An engine answers a query with a typed table, whether the rows live in DuckDB on this machine or in a Log Analytics
workspace. Nothing here knows Azure's libraries or the local Azure.
"""
