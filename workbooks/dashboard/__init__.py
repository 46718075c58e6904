"""The dashboard: workbooks in a browser, over a local engine or a workspace. It only reads, for this machine alone."""
