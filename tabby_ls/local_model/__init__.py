"""Completion from what the workspace has already said: no server, no weights. Usable on its own."""
