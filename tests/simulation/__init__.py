"""A deterministic simulator: the real worker in a world of faults, under a virtual clock, from one seed."""
