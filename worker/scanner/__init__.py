"""The driver of the licensed scanner binary: one process group, one directory, one session a scan."""
