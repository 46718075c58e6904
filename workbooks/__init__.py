"""Azure Workbooks, and what reads, checks and shows the same files outside the portal."""
