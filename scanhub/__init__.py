"""The front door: the `scanhub` command, which wires the other packages and holds no logic of its own."""

__version__ = "0.1.0"
