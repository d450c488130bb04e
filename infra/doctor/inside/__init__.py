"""What the worker itself sees: asked where its settings and its role are."""
