"""What became of the requests: recorded, explained in words, counted. All of it stays on this machine."""
