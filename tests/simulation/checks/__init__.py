"""The invariants of `docs/reliability.md`, one module each. They see effects, never the worker's bookkeeping."""
