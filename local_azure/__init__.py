"""A local Azure: the parts of Azure this toolkit talks to, on loopback, over the real wire protocols."""
