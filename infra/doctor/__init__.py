"""Whether a deployed hub and its spokes are well: as an engineer sees them from outside, and the worker from inside."""
