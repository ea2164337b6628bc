"""From a snapshot of a buffer to a suggestion; knows neither LSP nor HTTP."""
