"""Histories of a fleet: months of container groups that come, move and go, told by the rooms' own code.

Nothing here decides what an event says. The simulated fleet, its private zones and its resolvers are values in memory;
the real reconciler, tracker and probe run over them with a simulated clock, and what they emit are the rows.
"""
