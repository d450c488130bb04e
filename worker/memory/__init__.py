"""Every port of the worker in memory: for the simulator, for tests, and for whoever embeds the worker."""
