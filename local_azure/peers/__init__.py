"""Real DNS servers beside the local Azure, laid out alike: what the probe says of one, it must say of all.

`situations` is the one table: what each vantage sees, and the verdict that each target must get there. `bind`, `knot`,
`nsd`, `unbound` and `azure` start servers that answer so, on loopback and high ports, and stop them for certain.
"""
